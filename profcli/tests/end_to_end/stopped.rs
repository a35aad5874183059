//! A collector that is stopped for a while: nothing hangs, and the books are right when it goes on.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::prof::{Python, Recording, call};

/// Works while told to, and starts children of every kind between two words from standard input.
const FAMILY: &str = "
import os, subprocess, sys, threading, time
def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))
work(0.3)
print('ready', flush=True)
sys.stdin.readline()
work(1.0)
for _ in range(3):
    child = os.fork()
    if child == 0:
        work(0.05)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    done = subprocess.run([sys.executable, '-c', 'print(6 * 7)'], stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, b'42\\n'), done
    thread = threading.Thread(target=work, args=(0.05,))
    thread.start()
    thread.join()
print('done', flush=True)
sys.stdin.readline()
work(0.3)
sys.exit(9)
";

#[test]
fn a_stopped_collector_holds_nobody_up_and_counts_what_it_missed() {
    let Some(python) = Python::any() else { return };
    let words = [python.path().as_os_str(), "-c".as_ref(), FAMILY.as_ref()];
    let recording = Recording::of_command(words).rate(10_000);
    let mut command: Command = recording.profiled_command();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut prof = command.spawn().expect("prof starts");
    let pid = prof.id().to_string();
    let send = |signal: &str| {
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.expect("kill starts").success(), "kill {signal}");
    };
    let mut input = prof.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(prof.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("the program goes on").expect("a line");
    assert_eq!(next(), "ready");
    send("-STOP");
    input.write_all(b"go\n").expect("the program reads");
    // All of its children have ended by then, and the collector stands still.
    assert_eq!(next(), "done");
    send("-CONT");
    input.write_all(b"go\n").expect("the program reads");
    let status = crate::prof::wait(&mut prof, &command);
    assert_eq!(status.code(), Some(9), "{status}");
    let profile = recording.read();
    profile.assert_books_balance();
    assert!(profile.cpu().sum() > 1.0, "{:?}", profile.cpu());
    let trace = recording.trace();
    let checked = call(&recording.folder(), &["check".as_ref(), trace.as_os_str()]);
    assert!(checked.status.success(), "{checked:?}");
    let told = call(&recording.folder(), &["info".as_ref(), trace.as_os_str()]);
    let told = String::from_utf8_lossy(&told.stdout);
    assert!(told.contains("6 processes were not profiled: it got no answer in time"), "{told}");
}
