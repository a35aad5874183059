//! Threads and processes.

use super::super::Options;
use super::{Fixture, assert_golden, native, py};
use crate::ids::{ProcessId, ThreadId};
use crate::record::{Class, Outcome, Process, ProcessEnd, Thread};
use crate::units::Timestamp;

/// A server that started a worker through a shell, and the worker another one; the server has two threads.
fn server() -> Fixture {
    let mut server = Fixture::new(&["python3", "server.py"], 9_000);
    let mut process = |id: u32, parent: u32, command: &[&str], outcome: Option<Outcome>| {
        let id = ProcessId::new(id);
        let process = Process {
            id,
            parent: Some(ProcessId::new(parent)),
            pid: 100 + id.number(),
            time: Timestamp::ZERO,
            command: command.iter().map(|word| word.as_bytes().to_vec()).collect(),
            python: String::new(),
            profiled: outcome.is_some(),
        };
        let time = Timestamp::from_nanos(8_000_000_000);
        let end = outcome.map(|outcome| ProcessEnd { id, time, outcome, cpu_ns: 0 });
        server.profile.processes.push((process, end));
    };
    process(1, 0, &["sh", "-c", "python3 worker.py"], None);
    process(2, 1, &["python3", "worker.py", "--name=漢字 \x1b[31m"], Some(Outcome::Killed(9)));
    process(3, 2, &["python3", "worker.py", "--second"], Some(Outcome::Gone));
    process(4, 0, &["python3", "-m", "late"], Some(Outcome::Exited(3)));
    for (id, process, tid, name) in
        [(1, 0, 111, "poll"), (2, 2, 102, "python3"), (3, 3, 103, ""), (4, 4, 104, "python3")]
    {
        let (id, process) = (ThreadId::new(id), ProcessId::new(process));
        let name = name.into();
        let thread = Thread { id, process, tid, time: Timestamp::ZERO, name };
        server.profile.threads.push((thread, None));
    }
    let at = |line| py("/w/server.py", "serve", line);
    let mut used = |thread: u32, line, class, ticks| {
        server.time(&[at(line)], class, ticks);
        server.profile.time.last_mut().expect("just added").thread = ThreadId::new(thread);
    };
    used(0, 10, Class::Python, 120);
    used(0, 11, Class::Native, 80);
    used(0, 12, Class::Gil, 33);
    used(1, 20, Class::Wait, 700);
    used(2, 30, Class::Kernel, 90);
    used(2, 30, Class::Gc, 30);
    used(3, 40, Class::Python, 2);
    server.time(&[native("/usr/lib/libz.so", "deflate")], Class::Native, 5);
    server.profile.time.last_mut().expect("just added").thread = ThreadId::new(3);
    server
}

fn asked() -> Options {
    Options { threads: true, processes: true, ..Options::default() }
}

/// The part of a report between two headings.
fn tables(report: &str) -> &str {
    let start = report.find("PROCESSES").expect("a table");
    &report[start..report.find("MEMORY KEPT").expect("the next section")]
}

#[test]
fn both_tables() {
    assert_golden("family_100", tables(&server().report(&asked())));
}

#[test]
fn both_tables_in_all_classes() {
    let options = Options { all_classes: true, width: 130, ..asked() };
    assert_golden("family_all_classes", tables(&server().report(&options)));
}

#[test]
fn both_tables_on_narrow_pages() {
    for width in [75, 50] {
        let report = server().report(&Options { width, ..asked() });
        assert_golden(&format!("family_{width}"), tables(&report));
    }
}

#[test]
fn what_is_left_out_is_summed() {
    let report = server().report(&Options { top: Some(1), ..asked() });
    let report = tables(&report);
    assert!(report.contains("PROCESSES  1 of 4"), "{report}");
    assert!(report.contains("… 3 more processes: 1.27 s (`--top 2`)"), "{report}");
    assert!(report.contains("1 process not profiled"), "{report}");
    assert!(report.contains("THREADS  1 of 5"), "{report}");
    assert!(report.contains("… 3 more threads: 1.27 s (`--top 2`)"), "{report}");
    assert!(report.contains("1 thread without any time"), "{report}");
}

#[test]
fn without_time_there_is_nothing_to_show() {
    let mut empty = Fixture::new(&["python3", "app.py"], 100);
    let report = empty.report(&asked());
    assert!(report.contains("PROCESSES  1 of 1"), "{report}");
    assert!(report.contains("THREADS  none has any time."), "{report}");
    empty.profile.header.cpu_interval_ns = 0;
    let report = empty.report(&asked());
    for table in ["PROCESSES", "THREADS"] {
        let wanted = format!("{table}  not measured: CPU time was not recorded (`--no-cpu`).");
        assert!(report.contains(&wanted), "{report}");
    }
    assert!(!empty.report(&Options::default()).contains("PROCESSES"), "only when asked for");
}
