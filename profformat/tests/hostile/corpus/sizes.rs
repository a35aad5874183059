//! Files that are long, or have many of something.

use super::Corpus;
use crate::example;
use crate::forge::{Forge, chunks, columns, head, span, varints};
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

const MIB: usize = 1 << 20;

/// Names that would steer a terminal, a browser, or end a string in some output.
const NAMES: [&[u8]; 14] = [
    b"\x1b]0;title\x07\x1b[2J\x1b[31m",
    b"\x9b31m\xc2\x9b31m",
    b"</script><script>alert(1)</script>",
    b"\"><img src=x onerror=alert(1)>",
    b"a;b;c 12\nmain;evil 99999",
    b"\\\"\\u0000\\",
    b"\0\0\0",
    b"\xff\xfe\xc3\x28\xf0\x9f",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xe2\x80\xae\xe2\x81\xa6txt.exe\xe2\x80\xa8\xe2\x80\xa9",
    b"%s%n%x {} {0} $(reboot) `reboot`",
    b"../../../etc/passwd",
    b"\r\n\t\x08\x7f",
    b"",
];

/// A sound trace in which everything that has a name has such names.
fn escapes() -> Vec<u8> {
    let command: Vec<Vec<u8>> = NAMES.iter().map(|name| name.to_vec()).collect();
    let header = Header { command: command.clone(), tool: "\x1b[31m".into(), ..example::header() };
    let mut writer = TraceWriter::new(Vec::new(), &header, Options::default()).unwrap();
    let process = ProcessId::new(0);
    let time = Timestamp::from_nanos(1_000_000);
    writer
        .write(&Record::Process(Process {
            id: process,
            parent: None,
            pid: 1,
            time,
            command,
            python: "\x1b[31m".into(),
            profiled: true,
        }))
        .unwrap();
    for (n, name) in NAMES.iter().enumerate() {
        let thread = ThreadId::new(n as u32);
        let text = writer.string(name);
        let lost = writer.string(&[b"lost.", *name].concat());
        let lang = [Lang::Python, Lang::Native, Lang::Other][n % 3];
        let function = writer.function(Function { name: text, file: text, first_line: 1, lang });
        let frame = writer.frame(Frame { function, line: 7 });
        let stack = Some(writer.stack(None, frame));
        let (class, size, weight) = (Class::ALL[n % 6], 100, 1_000);
        let thread_record = Thread { id: thread, process, tid: 1, time, name: name.to_vec() };
        let (domain, block) = (Domain::Python, n as u64);
        let alloc = Alloc { time, thread, stack, size, weight, domain, block };
        for record in [
            Record::Thread(thread_record),
            Record::Sample(Sample { time, thread, stack, weight_ns: 1_000, class }),
            Record::Alloc(alloc),
            Record::Copied(Copied { time, thread, stack, size, weight, copier: text }),
            Record::Counter(Counter { time, process, name: lost, value: 3 }),
            Record::Note(name.to_vec()),
        ] {
            writer.write(&record).unwrap();
        }
    }
    writer.finish(time).unwrap()
}

pub(super) fn add(corpus: &mut Corpus) {
    corpus.small("names full of escapes", escapes);
    corpus.large("100,000 empty chunks", || {
        let kinds = (1..=19).cycle().take(100_000);
        kinds.fold(Forge::new(), |file, kind| file.plain(kind, b"")).finished()
    });
    corpus.large("100,000 chunks of unknown types", || {
        let kinds = (0x8000..=u16::MAX).cycle().take(100_000);
        kinds.fold(Forge::new(), |file, kind| file.plain(kind, b"")).finished()
    });
    corpus.large("100,000 notes, a chunk each", || {
        (0..100_000).fold(Forge::new(), |file, _| file.note()).finished()
    });
    corpus.large("100,000 commands", || {
        let about = columns(b"", &[b"tool"]);
        let about = [&about[..], &columns(&1_u64.to_le_bytes(), &[b"app"])].concat();
        (0..100_000).fold(Forge::new(), |file, _| file.plain(1, &about)).finished()
    });
    corpus.large("64 MiB of PCHK", || b"PCHK".repeat(16 * MIB));
    for (name, bytes) in [("PCHK", &b"PCHK"[..]), ("PROFEND", b"PROFEND\x01"), ("zeros", b"\0")] {
        corpus.large(format!("a header and 64 MiB of {name}"), move || {
            Forge::new().raw(&bytes.repeat(64 * MIB / bytes.len())).cut()
        });
    }
    corpus.large("20,000 traces one behind the other", || {
        let (_, bytes) = example::trace(example::PLAIN, 1);
        bytes.repeat(20_000)
    });
    corpus.large("a small trace between every 8 bytes of garbage", || {
        let (_, bytes) = example::trace(example::PLAIN, 1);
        let mut file = bytes[..88].to_vec();
        for (begin, end) in chunks(&bytes).into_iter().cycle().take(100_000) {
            file.extend(&bytes[begin..end]);
            file.extend(b"garbage!");
        }
        file
    });
    corpus.large("all threads that the limit allows, of a process that ends", || {
        let mut file = Forge::with_definitions();
        for first in (2..1 << 17).step_by(50_000) {
            let zeros = [0; 50_000];
            let threads = columns(&span(first, 50_000), &[&zeros, &zeros, &zeros, &zeros, b""]);
            file = file.packed(7, &threads);
        }
        file.plain(14, &columns(&1_u32.to_le_bytes(), &[b"\0", b"\x07", b"\0\x06", b"\0"]))
            .finished()
    });
    corpus.large("blocks that list 65,536 threads for one event", || {
        let threads: Vec<u8> = [0, 1].repeat(30_000);
        let block = columns(&head(1, 5), &[&threads, b"\0", b"\0", b"\x02", b"\0"]);
        (0..100).fold(Forge::with_definitions(), |file, _| file.packed(8, &block)).finished()
    });
    corpus.large("the deepest stack, 100 times", || {
        let mut file = Forge::with_definitions();
        for chain in 0..100 {
            let parents = varints((0..4_096).map(|n| u64::from(n > 0)));
            let first = 2 + chain * 4_096;
            file = file.packed(5, &columns(&span(first, 4_096), &[&parents, &[1; 4_096]]));
            let last = varints([u64::from(first + 4_096) * 2]);
            let block = columns(&head(1, 5), &[b"\0", b"\0", &last, b"\x14", b"\0"]);
            file = file.plain(8, &block);
        }
        file.finished()
    });
}
