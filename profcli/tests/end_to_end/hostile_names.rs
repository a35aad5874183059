//! Names that want to act on a terminal, in files and on the command line: no command lets them.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use profformat::ids::{ProcessId, ThreadId};
use profformat::record::{Class, Header, Process, Record, Sample, Thread};
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

use crate::bad_input::scratch;
use crate::prof::{Python, call, prof, to_the_end};

/// Escape sequences, one that writes to the clipboard, what reverses text, line breaks, bytes that are no text.
const NAME: &[u8] = b"</script>\x1b[31m\x1b]52;c;aGk=\x07\xe2\x80\xae\xc2\x9b31m\n\r\xff\"'$(x)";

/// Nothing but what is seen.
#[track_caller]
fn assert_harmless(bytes: &[u8], what: &str) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{what}: not UTF-8"));
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(acts), "{what}: {text:?}");
}

/// A trace in which everything has that name, and one name is a megabyte long; its own name is of that kind.
fn trace(folder: &Path) -> PathBuf {
    let name = NAME.iter().filter(|byte| !matches!(byte, b'\n' | b'/')).copied().collect();
    let path = folder.join(OsString::from_vec(name));
    let header = Header {
        cpu_interval_ns: 10_000_000,
        command: vec![NAME.to_vec(), NAME.repeat(100)],
        tool: String::from_utf8_lossy(NAME).into_owned(),
        ..Header::default()
    };
    let file = File::create_new(&path).expect("scratch is writable");
    let mut writer = TraceWriter::new(file, &header, Options::default()).expect("a header");
    let (id, time) = (ProcessId::new(0), Timestamp::ZERO);
    let mut put = |record: Record| writer.write(&record).expect("scratch is writable");
    put(Record::Process(Process {
        id,
        parent: None,
        pid: 1,
        time,
        command: vec![NAME.to_vec()],
        python: String::from_utf8_lossy(NAME).into_owned(),
        profiled: true,
    }));
    let (thread, name) = (ThreadId::new(0), NAME.to_vec());
    put(Record::Thread(Thread { id: thread, process: id, tid: 1, time, name }));
    put(Record::Note(NAME.to_vec()));
    let long = String::from_utf8_lossy(&NAME.repeat((1 << 20) / NAME.len())).into_owned();
    let name = String::from_utf8_lossy(NAME).into_owned();
    let stacks = [(&name, &name), (&long, &name), (&name, &long)]
        .map(|(function, file)| writer.call(None, function, file, 7));
    for (number, stack) in (0..).zip(stacks.iter().cycle().take(60)) {
        let time = Timestamp::from_nanos(number * 10_000_000);
        let (weight_ns, class) = (10_000_000, Class::Native);
        let sample = Sample { time, thread, stack: Some(*stack), weight_ns, class };
        writer.write(&Record::Sample(sample)).expect("scratch is writable");
    }
    writer.finish(Timestamp::from_nanos(1_000_000_000)).expect("scratch is writable");
    path
}

#[test]
fn no_command_lets_a_name_act() {
    let folder = scratch();
    let path = trace(folder.path());
    let nowhere = path.with_file_name("\u{202e}nowhere\u{1b}[31m.proftrace");
    let damaged = path.with_extension("cut");
    let bytes = std::fs::read(&path).expect("just written");
    std::fs::write(&damaged, &bytes[..bytes.len() - 50]).expect("scratch is writable");
    let glob = "\u{1b}[31m\u{202e}*";
    for trace in [&path, &nowhere, &damaged] {
        for (number, words) in [
            &["report"][..],
            &["report", "--threads", "--processes", "--functions", "--all-classes"],
            &["report", "--file", glob],
            &["report", "--from", "0.2s", "--until", "0.5s"],
            &["report", "--from", glob],
            &["info"],
            &["check"],
            &["check", "--quick"],
            &["convert", "--to", "text"],
            &["convert", "--to", "json"],
            &["convert", "--to", "speedscope"],
            &["convert", "--to", "collapsed"],
            &["convert", "--to", glob],
            &["recover", "-o", "\u{1b}[31mrecovered"],
            &["split", "--until", "0.5s", "-o", "\u{1b}[31msplit"],
            &["merge", "-o", "\u{1b}[31mmerged"],
            &["\u{1b}[31mno-such-command"],
            &["run", "--"],
        ]
        .into_iter()
        .enumerate()
        {
            let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
            words.push(trace.into());
            let output = call(folder.path(), &words);
            let what = format!("{words:?}");
            assert_harmless(&output.stdout, &what);
            assert_harmless(&output.stderr, &what);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("panicked"), "{what}: {said}");
            if trace == &path && number < 4 {
                assert!(output.status.success(), "{what}: {said}");
                assert!(output.stdout.len() < 64 << 10, "{what}: names of a megabyte are cut");
            }
        }
    }
}

/// A program that names its files, functions and threads so.
#[test]
fn no_summary_lets_a_name_act() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let script = folder.path().join("<script>\u{1b}[31m\u{202e}.py");
    let source = r#"
import threading, time
NAME = "</script>\x1b[31m\x1b]52;c;aGk=\x07\u202e\x9b31m"
def work(seconds):
    end = time.process_time() + seconds
    kept.append(bytes(3 << 20))
    while time.process_time() < end:
        sum(range(1000))
kept = []
work.__code__ = work.__code__.replace(co_name=NAME, co_filename=NAME + ".py")
threading.current_thread().name = NAME
work(0.5)
"#;
    std::fs::write(&script, source).expect("scratch is writable");
    let trace = folder.path().join("\u{1b}[31m.proftrace");
    let mut command = Command::new(prof());
    command.current_dir(folder.path()).arg("run").arg("-o").arg(&trace).arg("--");
    command.arg(python.path()).arg(&script).arg("\u{1b}[31m\u{202e}");
    let ended = to_the_end(command, None);
    assert!(ended.status().success(), "{}", ended.stderr());
    assert!(ended.stderr().contains("of CPU"), "{}", ended.stderr());
    assert_harmless(&ended.output.stderr, "the summary");
    let report = call(folder.path(), &["report".as_ref(), "--threads".as_ref(), trace.as_os_str()]);
    assert!(report.status.success());
    assert_harmless(&report.stdout, "the report");
}
