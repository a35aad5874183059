//! What a tick costs inside a profiled program: nanoseconds of the handler by depth of the Python stack.
//!
//! The handler measures itself (counter `self_ns`), with caches as cold as a real program leaves them, so this
//! is no Criterion bench: each row is one run of a recursive Python program, ticked as fast as the kernel allows.

use std::path::Path;
use std::process::Command;

use profformat::analysis::Profile;

const DEPTHS: [usize; 3] = [1, 10, 100];

const PROGRAM: &str = "
import sys
def down(n):
    if n > 1:
        return down(n - 1)
    x = 1
    for i in range(20_000_000):
        x = (x * 3 + i) & 255
down(int(sys.argv[1]))
";

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let prof = benches::built_prof();
    let folder = tempfile::tempdir().expect("a scratch folder");
    println!("handler      depth  samples  ns a sample");
    for depth in DEPTHS {
        let trace = folder.path().join(format!("{depth}.proftrace"));
        let (samples, nanos) = run(&prof, &trace, depth);
        println!(
            "             {depth:>5}  {samples:>7}  {:>11.0}",
            nanos as f64 / samples.max(1) as f64
        );
    }
}

fn run(prof: &Path, trace: &Path, depth: usize) -> (u64, u64) {
    let mut command = Command::new(prof);
    command
        .args(["run", "--quiet", "--rate", "250", "--no-memory", "--no-copies", "-o"])
        .arg(trace);
    command.args(["--", "python3", "-c", PROGRAM, &depth.to_string()]);
    let status = command.status().expect("prof starts");
    assert!(status.success(), "{status}");
    let bytes = profformat::map::open(trace).expect("a trace");
    let profile = Profile::from_bytes(&bytes).expect("a sound trace");
    let counter = |name: &str| profile.counters.get(name).copied().unwrap_or(0);
    (counter("ticks"), counter("self_ns"))
}
