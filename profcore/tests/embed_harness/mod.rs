//! Runs cases, each in a process of its own: what a profiler does to a process cannot be undone for the next case, and some
//! of them end by a signal.
//!
//! The test binary runs itself. Arguments that are no options choose cases by a part of their names.

// Two test binaries share this, and neither uses all of it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) mod chance;
pub(crate) mod clock;
pub(crate) mod symbols;
pub(crate) mod work;

/// How a case's process must end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    /// With status 0.
    Well,
    /// With another one.
    Code(i32),
    /// By a signal, with a text on standard error.
    Signal(i32, &'static str),
}

/// A case: its body runs in a process of its own.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) body: fn(),
    pub(crate) ends: Ends,
}

impl Case {
    pub(crate) const fn new(name: &'static str, body: fn()) -> Self {
        Self { name, body, ends: Ends::Well }
    }

    pub(crate) const fn ends(self, ends: Ends) -> Self {
        Self { ends, ..self }
    }
}

/// Names the case that a process is to run.
const CASE: &str = "PROF_TEST_CASE";
/// The status of a case that cannot run here.
const SKIPPED: i32 = 77;
/// A case that says nothing for so long hangs.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Whether cases run in full, or in seconds.
pub(crate) fn is_full() -> bool {
    std::env::var_os("PROF_FULL").is_some_and(|value| value == "1")
}

/// The number of rounds of a case.
pub(crate) fn rounds(short: u64, full: u64) -> u64 {
    if is_full() { full } else { short }
}

/// Ends a case that cannot run here.
pub(crate) fn skip(why: &str) -> ! {
    println!("SKIPPED: {why}");
    let _ = std::io::stdout().flush();
    std::process::exit(SKIPPED);
}

/// This binary, to run a case of it that is no case by itself.
pub(crate) fn this_binary(case: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test binary is there"));
    command.env(CASE, case);
    command
}

/// Runs the chosen cases, or the one that this process is for. `hidden` are those that others run.
pub(crate) fn main(cases: &[Case], hidden: &[Case]) {
    if let Ok(name) = std::env::var(CASE) {
        let mut all = cases.iter().chain(hidden);
        let case = all.find(|case| case.name == name).expect("the case is one of ours");
        no_core();
        return (case.body)();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        cases.iter().for_each(|case| println!("{}: test", case.name));
        return;
    }
    let parts: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let chosen = |case: &&Case| {
        parts.is_empty() || parts.iter().any(|part| case.name.contains(part.as_str()))
    };
    let (mut failed, mut skipped, mut run) = (Vec::new(), Vec::new(), 0);
    for case in cases.iter().filter(chosen) {
        run += 1;
        let began = Instant::now();
        let (status, text) = end_of(case.name);
        let is_skipped = status.is_some_and(|status| status.code() == Some(SKIPPED));
        let is_well = status.is_some_and(|status| is_as_due(case.ends, status, &text));
        let verdict = match (is_skipped, is_well) {
            (true, _) => "SKIPPED",
            (_, true) => "ok",
            _ => "FAILED",
        };
        let seconds = began.elapsed().as_secs_f64();
        println!("test {} ... {verdict} ({seconds:.1} s)", case.name);
        match (is_skipped, is_well) {
            (true, _) => skipped.push(case.name),
            (_, true) => {}
            _ => failed.push(case.name),
        }
        let figures = text.lines().filter(|line| line.starts_with("= "));
        if is_skipped || !is_well {
            let how = status.map_or("killed: it hangs".into(), |status| status.to_string());
            println!("---- {} ({how}; due: {:?})\n{text}", case.name, case.ends);
        } else {
            figures.for_each(|line| println!("    {}", &line[2..]));
        }
    }
    println!("{run} cases, failed: {failed:?}, skipped: {skipped:?}");
    let must_not_skip = std::env::var_os("PROF_NO_SKIP").is_some();
    if !failed.is_empty() || must_not_skip && !skipped.is_empty() {
        std::process::exit(1);
    }
}

fn is_as_due(due: Ends, status: ExitStatus, text: &str) -> bool {
    match due {
        Ends::Well => status.success(),
        Ends::Code(code) => status.code() == Some(code),
        Ends::Signal(signal, says) => status.signal() == Some(signal) && text.contains(says),
    }
}

/// Runs a case: its end (`None`: it was killed, for it hung) and what it wrote.
fn end_of(name: &str) -> (Option<ExitStatus>, String) {
    let mut command = this_binary(name);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the test binary runs");
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    // A process that the case leaves behind may hold a pipe open: it gets no more than the case's own time.
    let (sender, texts) = std::sync::mpsc::channel();
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
            let _ = sender.send(bytes);
        })
    };
    read(out.take().map(|pipe| Box::new(pipe) as _));
    read(err.take().map(|pipe| Box::new(pipe) as _));
    let began = Instant::now();
    let status = loop {
        match child.try_wait().expect("it is our child") {
            Some(status) => break Some(status),
            None if began.elapsed() > TIMEOUT * if is_full() { 10 } else { 1 } => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let grace = Duration::from_secs(5);
    let text: Vec<u8> =
        (0..2).filter_map(|_| texts.recv_timeout(grace).ok()).collect::<Vec<_>>().concat();
    (status, String::from_utf8_lossy(&text).into_owned())
}

/// Cases that crash on purpose leave no core file.
fn no_core() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads one rlimit.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
}
