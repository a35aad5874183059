//! What is written comes back.

mod example;

use example::{PLAIN, at};
use profformat::ids::*;
use profformat::record::*;
use profformat::tables::StackNode;
use profformat::units::Timestamp;
use profformat::{Options, TraceReader, TraceWriter};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Vec<Record> {
    let mut reader = TraceReader::new(bytes).unwrap().strict();
    let records = reader.records().map(|record| record.unwrap()).collect();
    assert!(reader.damage().is_sound(), "{:?}", reader.damage());
    records
}

#[test]
fn every_kind_of_record_comes_back() {
    for rounds in [0, 1, 30, 1_300] {
        for compress in [false, true] {
            let (records, bytes) = example::trace(Options { compress, ..PLAIN }, rounds);
            assert_eq!(read(&bytes), records, "{rounds} {compress}");
            assert_eq!(TraceReader::new(&bytes).unwrap().header(), &example::header());
        }
    }
}

#[test]
fn compression_shrinks() {
    let plain = example::trace(PLAIN, 1_300).1.len();
    let compressed = example::trace(Options { compress: true, ..PLAIN }, 1_300).1.len();
    assert_eq!(cfg!(feature = "zstd"), compressed * 2 < plain, "{compressed} {plain}");
}

#[test]
fn definitions_come_before_their_use_after_every_flush() {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    writer.write(&example::process(0, None)).unwrap();
    let mut parent = None;
    let mut written = Vec::new();
    for i in 0..10_000_u32 {
        if i % 100 == 0 {
            writer.write(&example::thread(i / 100)).unwrap();
        }
        let name = writer.string(format!("f{i}").as_bytes());
        let function =
            writer.function(Function { name, file: name, first_line: 0, lang: Lang::Native });
        let frame = writer.frame(Frame { function, line: i });
        let stack = writer.stack(if i % 50 == 0 { None } else { parent }, frame);
        parent = Some(stack);
        let thread = ThreadId::new(i / 100);
        let sample =
            Sample { time: at(1), thread, stack: parent, weight_ns: 1_000, class: Class::Gc };
        writer.write(&Record::Sample(sample)).unwrap();
        written.push(sample);
        if i % 777 == 0 {
            writer.flush().unwrap();
        }
    }
    let bytes = writer.finish(at(2)).unwrap();
    let mut reader = TraceReader::new(&bytes).unwrap().strict();
    let mut known_threads = 0;
    let mut samples = Vec::new();
    while let Some(record) = reader.next_record() {
        match record.unwrap() {
            Record::Thread(thread) => known_threads = thread.id.number() + 1,
            Record::Sample(sample) => {
                assert!(sample.thread.number() < known_threads);
                let frame = reader.tables().walk(sample.stack).next().unwrap();
                let function = reader.tables().frame(frame).unwrap().function;
                let name = reader.tables().function(function).unwrap().name;
                assert_eq!(reader.tables().text(name), format!("f{}", samples.len()));
                samples.push(sample);
            }
            _ => {}
        }
    }
    assert_eq!(samples, written);
}

#[test]
fn times_are_rounded_down_and_weights_keep_their_sum() {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    writer.write(&example::process(0, None)).unwrap();
    writer.write(&example::thread(0)).unwrap();
    let mut sums = [0; 2];
    for i in 0..1_000_u64 {
        let class = if i % 3 == 0 { Class::Wait } else { Class::Python };
        let weight_ns = 10_000_000 + i * 333 % 1_000;
        sums[usize::from(class.on_cpu())] += weight_ns;
        let (time, thread) = (Timestamp::from_nanos(i * 1_500), ThreadId::new(0));
        let sample = Sample { time, thread, stack: None, weight_ns, class };
        writer.write(&Record::Sample(sample)).unwrap();
    }
    let mut read_sums = [0; 2];
    let mut i = 0;
    for record in read(&writer.finish(at(9)).unwrap()) {
        if let Record::Sample(sample) = record {
            assert_eq!(sample.time.as_nanos(), i * 1_500 / 1_000 * 1_000);
            read_sums[usize::from(sample.class.on_cpu())] += sample.weight_ns;
            i += 1;
        }
    }
    for (read, written) in read_sums.into_iter().zip(sums) {
        assert!(read <= written && written - read < 1_000, "{read} {written}");
    }
}

#[test]
fn undefined_ids_are_refused_when_written() {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    assert!(writer.write(&example::thread(0)).is_err());
    assert!(writer.write(&example::process(1, None)).is_err());
    assert!(writer.write(&example::process(0, Some(0))).is_err());
    writer.write(&example::process(0, None)).unwrap();
    writer.write(&example::thread(0)).unwrap();
    let (time, thread) = (at(0), ThreadId::new(0));
    let stack = Some(StackId::new(0));
    let copier = StringId::new(0);
    let copied = Copied { time, thread, stack, size: 1, weight: 1, copier };
    assert!(writer.write(&Record::Copied(copied)).is_err());
    let copied = Copied { stack: None, copier: StringId::new(99), ..copied };
    assert!(writer.write(&Record::Copied(copied)).is_err());
    assert!(
        writer.write(&Record::Free(Free { time, thread: ThreadId::new(1), block: 1 })).is_err()
    );
    assert!(writer.write(&Record::End(time)).is_err());
    assert_eq!(read(&writer.finish(time).unwrap()).len(), 3);
}

#[test]
fn definitions_of_undefined_things_are_lost() {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    let [stack, _] = example::stacks(&mut writer);
    let name = StringId::new(99);
    let function = Function { name, file: name, first_line: 1, lang: Lang::Other };
    assert_eq!(writer.function(function), FunctionId::new(0));
    let frame = Frame { function: FunctionId::new(99), line: 5 };
    assert_eq!(writer.frame(frame), FrameId::new(0));
    let odd = writer.stack(Some(StackId::new(99)), FrameId::new(99));
    let child = writer.stack(Some(stack), FrameId::new(99));
    let bytes = writer.finish(at(0)).unwrap();
    let mut reader = TraceReader::new(&bytes).unwrap().strict();
    assert!(reader.records().all(|record| record.is_ok()));
    let node = |parent| Some(StackNode { parent, frame: FrameId::new(0) });
    assert_eq!(reader.tables().stack(odd), node(None));
    assert_eq!(reader.tables().stack(child), node(Some(stack)));
}

#[test]
fn binaries_keep_their_limits() {
    use profformat::limit;
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    let path = writer.string(b"/bin/app");
    let [fits, long] = [64, 65].map(|length| writer.string(&vec![b'x'; length]));
    let known = writer.binary(Binary { path, build_id: fits });
    let cut = writer.binary(Binary { path, build_id: long });
    assert_eq!(writer.tables().binary(known).unwrap().build_id, fits);
    assert_eq!(writer.tables().binary(cut).unwrap().build_id, StringId::new(0));
    let undefined = writer.binary(Binary { path: StringId::new(99), build_id: fits });
    assert_eq!(undefined, BinaryId::NONE);
    let function = Function { name: path, file: path, first_line: 0, lang: Lang::Native };
    let [of, none] = [known, BinaryId::new(99)].map(|id| writer.function_of(function, id));
    assert_eq!([of, none].map(|id| writer.tables().binary_of(id)), [known, BinaryId::NONE]);
    assert_eq!(none, writer.function(function));
    assert_eq!(writer.inlined(Frame { function: FunctionId::new(99), line: 1 }), FrameId::new(0));
    let mut last = known;
    for number in 0..limit::BINARIES {
        let path = writer.string(&number.to_le_bytes());
        last = writer.binary(Binary { path, build_id: fits });
    }
    assert_eq!(last, BinaryId::NONE);
    let bytes = writer.finish(at(0)).unwrap();
    let mut reader = TraceReader::new(&bytes).unwrap().strict();
    assert!(reader.records().all(|record| record.is_ok()));
    assert_eq!(reader.tables().binaries().len(), limit::BINARIES);
}

#[test]
fn limits_are_kept_by_cutting() {
    use profformat::limit;
    let long = vec![b'x'; limit::STRING_BYTES + 1];
    let header = Header { command: vec![long.clone(); 10], ..example::header() };
    let mut writer = TraceWriter::new(Vec::new(), &header, PLAIN).unwrap();
    let name = writer.string(&long);
    let function = writer.function(Function { name, file: name, first_line: 1, lang: Lang::Other });
    let mut stack = None;
    for line in 0..u32::from(limit::STACK_DEPTH) + 10 {
        let frame = writer.frame(Frame { function, line });
        stack = Some(writer.stack(stack, frame));
    }
    assert_eq!(writer.tables().walk(stack).count(), usize::from(limit::STACK_DEPTH));
    writer.write(&Record::Note(long)).unwrap();
    let bytes = writer.finish(at(0)).unwrap();
    assert_eq!(read(&bytes)[0], Record::Note(vec![b'x'; limit::STRING_BYTES]));
    let reader = TraceReader::new(&bytes).unwrap();
    let command: usize = reader.header().command.iter().map(Vec::len).sum();
    assert!(command > 0 && command <= limit::COMMAND_BYTES);
}

fn class() -> impl Strategy<Value = Class> {
    (0..Class::ALL.len()).prop_map(|code| Class::ALL[code])
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, any::<u32>().prop_map(u64::from), any::<u64>()]
}

/// Any event on one of 20 threads and 2 stacks.
fn event() -> impl Strategy<Value = Record> {
    let head = (number(), 0..20_u32, prop::option::of(0..2_u32));
    (head, 0..7_u8, class(), [number(), number(), number()]).prop_map(|(head, kind, class, n)| {
        let (time, thread, stack) = head;
        let (time, thread) = (Timestamp::from_nanos(time), ThreadId::new(thread));
        let stack = stack.map(StackId::new);
        let process = ProcessId::new(0);
        let domain = if n[0] % 2 == 0 { Domain::Python } else { Domain::Native };
        match kind {
            0 => Record::Sample(Sample { time, thread, stack, weight_ns: n[0], class }),
            1 => Record::Alloc(Alloc {
                time,
                thread,
                stack,
                size: n[0],
                weight: n[1],
                domain,
                block: n[2],
            }),
            2 => Record::Free(Free { time, thread, block: n[0] }),
            3 => {
                Record::Resize(Resize { time, thread, block: n[0], old_size: n[1], new_size: n[2] })
            }
            4 => {
                let (size, weight, copier) = (n[0], n[1], StringId::new((n[2] % 4) as u32));
                Record::Copied(Copied { time, thread, stack, size, weight, copier })
            }
            5 => Record::Inherited(Inherited { time, process, bytes: n[0] }),
            _ => Record::Footprint(Footprint {
                time,
                process,
                native_bytes: n[0],
                python_bytes: n[1],
                peak: n[2] % 2 == 1,
            }),
        }
    })
}

/// Records whose order among each other is kept.
fn family(record: &Record) -> u8 {
    match record {
        Record::Sample(_) => 0,
        Record::Alloc(_) | Record::Free(_) | Record::Resize(_) => 1,
        Record::Copied(_) => 2,
        Record::Inherited(_) => 3,
        _ => 4,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_come_back_to_the_nanosecond(
        events in prop::collection::vec(event(), 0..600),
        flush in 1..200_usize,
        compress: bool,
    ) {
        let options = Options { compress, time_unit_ns: 1 };
        let mut writer = TraceWriter::new(Vec::new(), &example::header(), options).unwrap();
        writer.write(&example::process(0, None)).unwrap();
        for id in 0..20 {
            writer.write(&example::thread(id)).unwrap();
        }
        example::stacks(&mut writer);
        for (i, event) in events.iter().enumerate() {
            writer.write(event).unwrap();
            if i % flush == 0 {
                writer.flush().unwrap();
            }
        }
        let all = read(&writer.finish(Timestamp::ZERO).unwrap());
        let all = &all[21..all.len() - 1];
        for wanted in 0..5 {
            let read: Vec<_> = all.iter().filter(|r| family(r) == wanted).collect();
            let written: Vec<_> = events.iter().filter(|r| family(r) == wanted).collect();
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn binaries_and_inlined_frames_come_back(
        entries in prop::collection::vec((0..9_usize, 0..4_usize, 0..3_u32, any::<bool>()), 0..300),
        flush in 1..50_usize,
    ) {
        let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
        let mut told = Vec::new();
        for (i, (binary, build_id, line, inlined)) in entries.into_iter().enumerate() {
            let path = writer.string(format!("/lib/{binary}.so").as_bytes());
            let build_id = writer.string(&[0xfe, 0].repeat(build_id * 10));
            let binary = match binary {
                0 => BinaryId::NONE,
                _ => writer.binary(Binary { path, build_id }),
            };
            let function = Function { name: path, file: path, first_line: 0, lang: Lang::Native };
            let function = writer.function_of(function, binary);
            let frame = Frame { function, line };
            let id = if inlined { writer.inlined(frame) } else { writer.frame(frame) };
            told.push((id, frame, inlined, binary, writer.tables().binary(binary).unwrap()));
            if i % flush == 0 {
                writer.flush().unwrap();
            }
        }
        let bytes = writer.finish(Timestamp::ZERO).unwrap();
        let mut reader = TraceReader::new(&bytes).unwrap().strict();
        prop_assert!(reader.records().all(|record| record.is_ok()));
        let tables = reader.tables();
        for (id, frame, inlined, binary, entry) in &told {
            prop_assert_eq!(tables.frame(*id), Some(*frame));
            prop_assert_eq!(tables.is_inlined(*id), *inlined);
            prop_assert_eq!(tables.binary_of(frame.function), *binary);
            prop_assert_eq!(tables.binary(*binary), Some(*entry));
        }
        let different: std::collections::HashSet<_> = told.iter().map(|t| (t.1, t.2)).collect();
        let ids: std::collections::HashSet<_> = told.iter().map(|t| t.0).collect();
        prop_assert_eq!(different.len(), ids.len());
    }

    #[test]
    fn any_strings_come_back(strings in prop::collection::hash_set(prop::collection::vec(any::<u8>(), 0..100), 0..200)) {
        let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
        let ids: Vec<_> = strings.iter().map(|string| writer.string(string)).collect();
        let bytes = writer.finish(Timestamp::ZERO).unwrap();
        let mut reader = TraceReader::new(&bytes).unwrap().strict();
        prop_assert!(reader.records().all(|record| record.is_ok()));
        for (id, string) in ids.into_iter().zip(&strings) {
            prop_assert_eq!(reader.tables().string(id), string);
        }
    }
}
