//! The shim's programs of one behavior each, in a session that samples as often as it can: they must not notice, and
//! the trace of each is sound and its books balance.

use std::path::Path;

use crate::prof::{ByteBooks, Recording, call};

#[path = "../../../profshim/tests/programs/mod.rs"]
pub(crate) mod programs;

/// A session in which hooks leave their hot path all the time, and ticks come as fast as the kernel gives them.
pub(crate) fn recording(program: &Path) -> Recording {
    Recording::of_command([program])
        .option(&["--memory-interval", "16384", "--copy-interval", "65536"])
        .rate(2000)
}

#[track_caller]
fn compare(name: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut recording = recording(&programs::compile(name, folder.path(), &[]));
    if name == "blocking_calls" {
        // A tick in the microsecond in which a call begins to wait ends it with EINTR (README, "Limits"), now and then.
        recording = recording.option(&["--no-cpu"]);
    }
    let bare = recording.run_bare();
    let profiled = recording.run();
    assert_eq!(profiled.stdout(), bare.stdout(), "{}", profiled.stderr());
    assert_eq!(profiled.stderr(), bare.stderr());
    assert_eq!(profiled.status(), bare.status());

    let trace = recording.trace();
    let output = call(folder.path(), &["check".as_ref(), trace.as_os_str()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let profile = recording.read();
    assert!(profile.json["processes"][0]["pid"].is_u64(), "the program is in the trace");
    profile.assert_books_balance();
    ByteBooks::of_trace(&trace).assert_balance();
}

macro_rules! compare_each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                compare(stringify!($name));
            }
        )*
    };
}

programs::each_program!(compare_each);
