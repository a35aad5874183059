//! The bytes in FORMAT.md are those that the writer writes.

mod example;

use example::{PLAIN, at};
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::*;
use profformat::{TraceReader, TraceWriter};

/// The trace that FORMAT.md shows.
fn shown() -> Vec<u8> {
    let header = Header { command: vec![b"app".to_vec()], ..example::header() };
    let mut writer = TraceWriter::new(Vec::new(), &header, PLAIN).unwrap();
    let process = ProcessId::new(0);
    let thread = ThreadId::new(0);
    writer
        .write(&Record::Process(Process {
            id: process,
            parent: None,
            pid: 4_000,
            time: at(10),
            command: vec![b"app".to_vec()],
            python: "3.11.7".into(),
            profiled: true,
        }))
        .unwrap();
    writer.write(&example::thread(0)).unwrap();
    let [_, stack] = example::stacks(&mut writer);
    let (stack, time) = (Some(stack), at(10_100));
    let [path, build_id] = [&b"/bin/app"[..], b"\xab\xcd"].map(|text| writer.string(text));
    let binary = writer.binary(Binary { path, build_id });
    let function = Function { name: path, file: path, first_line: 0, lang: Lang::Native };
    let function = writer.function_of(function, binary);
    writer.inlined(Frame { function, line: 0 });
    let [name, copier] = [&b"ticks"[..], b"CPython"].map(|text| writer.string(text));
    let sample =
        |time, weight_ns, class| Record::Sample(Sample { time, thread, stack, weight_ns, class });
    let alloc = Alloc {
        time,
        thread,
        stack,
        size: 1_000,
        weight: 131_072,
        domain: Domain::Native,
        block: 1,
    };
    let records = [
        sample(at(10_000), 9_990_000, Class::Python),
        sample(at(20_000), 10_000_000, Class::Kernel),
        Record::Alloc(alloc),
        Record::Resize(Resize { time, thread, block: 1, old_size: 1_000, new_size: 600 }),
        Record::Free(Free { time: at(10_300), thread, block: 1 }),
        Record::Copied(Copied { time, thread, stack, size: 4_096, weight: 1_048_576, copier }),
        Record::Footprint(Footprint {
            time,
            process,
            native_bytes: 300,
            python_bytes: 5,
            peak: true,
        }),
        Record::Inherited(Inherited { time, process, bytes: 200 }),
        Record::Counter(Counter { time, process, name, value: 2 }),
        Record::ThreadEnd(ThreadEnd { id: thread, time: at(20_500), cpu_ns: 19_990_123 }),
        Record::ProcessEnd(ProcessEnd {
            id: process,
            time: at(20_600),
            outcome: Outcome::Exited(3),
            cpu_ns: 21_000_000,
        }),
        Record::Note(b"hi".to_vec()),
    ];
    for record in &records {
        writer.write(record).unwrap();
    }
    writer.finish(at(21_000)).unwrap()
}

/// The bytes in the blocks of FORMAT.md that are marked `hex`: lines of offset, bytes and meaning. The blocks
/// stand where their chunk is described, so only the offsets tell their order.
fn documented() -> Vec<u8> {
    let text = include_str!("../FORMAT.md");
    let mut lines = std::collections::BTreeMap::new();
    for block in text.split("```text hex\n").skip(1) {
        for line in block.split("```").next().unwrap_or_default().lines() {
            let mut parts = line.split('|');
            let offset = usize::from_str_radix(parts.next().unwrap().trim(), 16).unwrap();
            let hex = parts.next().unwrap_or_default().split_whitespace();
            let bytes: Vec<_> = hex.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
            assert_eq!(lines.insert(offset, bytes), None, "{line}");
        }
    }
    let mut all = Vec::new();
    for (offset, bytes) in lines {
        assert_eq!(offset, all.len(), "bytes are missing or there twice at {offset:#x}");
        all.extend(bytes);
    }
    all
}

#[test]
fn the_bytes_of_the_specification_are_those_of_the_writer() {
    let (documented, shown) = (documented(), shown());
    let difference = documented.iter().zip(&shown).position(|(a, b)| a != b);
    assert_eq!(difference.map(|offset| format!("{offset:#x}")), None);
    assert_eq!(documented.len(), shown.len());
}

#[test]
fn the_specification_shows_a_sound_trace_of_every_chunk_type() {
    let documented = documented();
    let mut reader = TraceReader::new(&documented).unwrap().strict();
    let records: Vec<_> = reader.records().map(|record| record.unwrap()).collect();
    assert_eq!(records.len(), 15);
    assert!(reader.damage().is_sound());
    for kind in 1..=19 {
        let start = [b"PCHK".as_slice(), &u16::to_le_bytes(kind)].concat();
        assert!(documented.windows(6).any(|bytes| bytes == start), "type {kind} is not shown");
    }
}

/// Prints the trace for FORMAT.md.
#[test]
#[ignore = "only to edit FORMAT.md"]
fn print() {
    for (i, line) in shown().chunks(8).enumerate() {
        let hex: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{:04x} | {} |", i * 8, hex.join(" "));
    }
}
