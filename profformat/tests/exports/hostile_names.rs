//! Names that want to act: on a terminal, in a browser, in whatever reads the file. No output lets them.

use std::io::Read;

use profformat::analysis::Profile;
use profformat::export::text::{NoSource, Options, Sort, summary, write};
use profformat::export::{Format, Metric, export};
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;

use crate::run::Run;
use crate::totals::pprof;

/// Names of functions, files, threads, commands, copiers, versions, counters, notes.
fn names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "--><!--]]><![CDATA[",
        "\u{1b}[31mred\u{1b}[2J\u{1b}]0;title\u{7}",
        "\u{1b}]52;c;aGFjaw==\u{7}\u{1b}]8;;file:///etc/passwd\u{1b}\\",
        "\u{1b}P$q\u{1b}\\\u{1b}_Gi=1\u{1b}\\",
        "\u{9b}31m\u{9d}0;title\u{9c}\u{85}",
        "\u{202e}gnp.exe\u{2066}x\u{2069}\u{200f}\u{61c}",
        "a\u{2028}b\u{2029}c\u{feff}\u{e0041}",
        "\"quoted\" 'and' \\ & `back` $(ticks)",
        "nul\0in it\u{8}\u{8}\u{7f}",
        "line\nbreak\r\nand\ttab;semicolon 12",
        "javascript:alert(1)",
        "{\"json\": [1, {{7*7}}, %s%n]}",
        "",
    ]
    .map(|name| name.as_bytes().to_vec())
    .into();
    names.push(b"\xff\xfe broken \xc3 \xed\xa0\x80 end".to_vec());
    names.push(b"</script>\x1b[1m\xe2\x80\xae ".repeat(1 << 16));
    assert!(names.iter().any(|name| name.len() >= 1 << 20));
    names
}

/// A run in which everything has such a name, and time, memory and copies.
fn hostile() -> Profile {
    let mut run = Run::new();
    for (number, name) in (0..).zip(names()) {
        run.records.push(Record::Process(Process {
            id: ProcessId::new(2 + number),
            parent: Some(ProcessId::new(0)),
            pid: 6000 + number,
            time: Timestamp::ZERO,
            command: vec![name.clone(), name.clone()],
            python: String::from_utf8_lossy(&name).into_owned(),
            profiled: number % 4 != 3,
        }));
        run.records.push(Record::Thread(Thread {
            id: ThreadId::new(3 + number),
            process: ProcessId::new(2 + number),
            tid: 7000 + number,
            time: Timestamp::ZERO,
            name: name.clone(),
        }));
    }
    for (number, name) in (0..).zip(names()) {
        let [function, copier, lost] = [&name[..], &name, &[b"lost.", &name[..]].concat()]
            .map(|name| run.interner.string(name));
        let file = run.interner.string(&[&name[..], b".py"].concat());
        for (line, lang) in [(number + 1, Lang::Python), (0, Lang::Native)] {
            let function = Function { name: function, file, first_line: line, lang };
            let function = run.interner.function(function);
            let frame = run.interner.frame(Frame { function, line });
            let stack = run.interner.stack(run.stack(number as usize % 4), frame);
            let choice = run.keep(Some(stack));
            let thread = 3 + number;
            for class in Class::ALL {
                for _ in 0..40 {
                    run.sample(thread, choice, class, 10_000_000 + u64::from(number));
                }
            }
            run.alloc(thread, choice, 64 << 20, u64::from(2 * number) + u64::from(line == 0) + 1);
            let time = run.now();
            let (thread, stack) = (ThreadId::new(thread), Some(stack));
            let (size, weight) = (1 << 20, 32 << 20);
            run.records.push(Record::Copied(Copied { time, thread, stack, size, weight, copier }));
        }
        let (time, process) = (run.now(), ProcessId::new(0));
        run.records.push(Record::Counter(Counter { time, process, name: lost, value: 7 }));
        run.records.push(Record::Note(name));
    }
    let point = Footprint {
        time: run.now(),
        process: ProcessId::new(2),
        native_bytes: 1 << 30,
        python_bytes: 0,
        peak: true,
    };
    run.records.push(Record::Footprint(point));
    let mut profile = run.profile();
    // A report begins with the command, and with nothing that looks like markup.
    profile.header.command = [vec![b"python3".to_vec()], names()].concat();
    profile.header.tool = String::from_utf8_lossy(&names().concat()).into_owned();
    profile
}

/// Is there nothing in a text but what is seen? Line breaks are.
#[track_caller]
fn assert_harmless(text: &str, what: &str) {
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    if let Some((at, c)) = text.char_indices().find(|(_, c)| acts(*c)) {
        let near: String = text[..at].chars().rev().take(60).collect();
        let near: String = near.chars().rev().collect();
        panic!("{what}: {c:?} behind {near:?}");
    }
}

/// In markup, no name may have become an element, nor have ended the one it stands in.
#[track_caller]
fn assert_no_elements(text: &str, what: &str) {
    let text = text.to_ascii_lowercase();
    for element in ["<img src", "<script>alert", "<svg/onload", "--><!--"] {
        assert!(!text.contains(element), "{what}: {element}");
    }
    let [begun, ended] = ["<script", "</script"].map(|tag| text.matches(tag).count());
    assert_eq!(begun, ended, "{what}: scripts that begin and end");
}

#[test]
fn no_export_lets_a_name_act() {
    let profile = hostile();
    for format in Format::ALL {
        for metric in Metric::ALL {
            let what = format!("{} of {}", metric.name(), format.name());
            let mut bytes = Vec::new();
            export(&profile, format, metric, &mut bytes).unwrap();
            if bytes.starts_with(b"\x1f\x8b") {
                let packed = std::mem::take(&mut bytes);
                flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
            }
            if format.is_binary() && format == Format::Pprof {
                for text in pprof(&profile, metric).string_table {
                    assert_harmless(&text, &what);
                }
                continue;
            }
            let text = String::from_utf8(bytes).expect("an output is UTF-8");
            assert_harmless(&text, &what);
            match text.trim_start().as_bytes().first() {
                Some(b'<') => assert_no_elements(&text, &what),
                Some(b'{' | b'[') if format != Format::Collapsed => {
                    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
                    assert!(parsed.is_object() || parsed.is_array(), "{what}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn no_report_lets_a_name_act() {
    let profile = hostile();
    let sorts = [Sort::Cpu, Sort::Memory, Sort::Copies, Sort::Leaks, Sort::Churn];
    for (number, sort) in sorts.into_iter().enumerate() {
        for width in [40, 60, 100, 160] {
            for (ascii, all_classes) in [(false, true), (true, false)] {
                let options = Options {
                    width,
                    sort,
                    ascii,
                    all_classes,
                    top: Some(100),
                    functions: true,
                    threads: true,
                    processes: true,
                    file: (number == 4).then(|| String::from_utf8_lossy(&names().concat()).into()),
                    warnings: vec![String::from_utf8_lossy(&names().concat()).into_owned()],
                    ..Options::default()
                };
                let mut report = Vec::new();
                write(&profile, &options, &NoSource, &mut report).unwrap();
                let trace = String::from_utf8_lossy(&names()[4]).into_owned();
                summary(&profile, &options, &NoSource, &trace, &mut report).unwrap();
                let report = String::from_utf8(report).unwrap();
                assert_harmless(&report, &format!("{options:?}"));
                assert!(report.is_ascii() || !ascii);
            }
        }
    }
}
