//! Numbers near the ends of their ranges, and ids that nobody defined.

use super::Corpus;
use crate::example::{self, at};
use crate::forge::{Forge, columns, head, seal_header, span, varints, zigzag};
use profformat::ids::{ProcessId, StackId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

const NANOSECONDS: Options = Options { compress: false, time_unit_ns: 1 };

/// A trace of every kind of event with these numbers, from our own writer.
fn events(times: &[u64], numbers: &[u64]) -> Vec<u8> {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), NANOSECONDS).unwrap();
    let [_, stack] = example::stacks(&mut writer).map(Some);
    let name = writer.string(b"ticks");
    writer.write(&example::process(0, None)).unwrap();
    writer.write(&example::thread(0)).unwrap();
    let (thread, process) = (ThreadId::new(0), ProcessId::new(0));
    let mut write = |record| writer.write(&record).unwrap();
    for time in times.iter().map(|&time| Timestamp::from_nanos(time)) {
        for (n, &weight) in numbers.iter().enumerate() {
            let (size, block) = (numbers[n / 2], n as u64 / 3);
            let class = Class::ALL[n % 6];
            write(Record::Sample(Sample { time, thread, stack, weight_ns: weight, class }));
            let domain = if n % 2 == 0 { Domain::Python } else { Domain::Native };
            write(Record::Alloc(Alloc { time, thread, stack, size, weight, domain, block }));
            write(Record::Resize(Resize { time, thread, block, old_size: weight, new_size: size }));
            write(Record::Copied(Copied { time, thread, stack, size, weight, copier: name }));
            write(Record::Footprint(Footprint {
                time,
                process,
                native_bytes: weight,
                python_bytes: size,
                peak: n % 2 == 0,
            }));
            write(Record::Counter(Counter { time, process, name, value: weight }));
            write(Record::Free(Free { time, thread, block: block + 1 }));
        }
        write(Record::ThreadEnd(ThreadEnd { id: thread, time, cpu_ns: u64::MAX }));
        let outcome = Outcome::Killed(i32::MIN);
        write(Record::ProcessEnd(ProcessEnd { id: process, time, outcome, cpu_ns: u64::MAX }));
    }
    writer.finish(Timestamp::from_nanos(u64::MAX)).unwrap()
}

/// One sample of this thread and stack, in a file without definitions.
fn sample_of(thread: u64, stack: u64) -> Vec<u8> {
    let stack = varints([zigzag(stack as i64)]);
    columns(&head(1, 5), &[&varints([thread]), b"\0", &stack, b"\x02", b"\0"])
}

pub(super) fn add(corpus: &mut Corpus) {
    let edges = [0, 1, 2, u64::MAX / 2, 1 << 63, u64::MAX - 1, u64::MAX];
    corpus.small("times near 2^64", move || events(&edges, &[1, 1_000, 1_000_000]));
    corpus.small("times that fall", move || {
        let times: Vec<u64> = edges.iter().rev().copied().collect();
        events(&times, &[1, 1_000])
    });
    corpus.small("weights near 2^64", move || events(&[1_000, 2_000], &edges));
    corpus.small("times and weights near 2^64, units of 4 seconds", move || {
        let mut bytes = events(&edges, &edges);
        bytes[80..84].copy_from_slice(&u32::MAX.to_le_bytes());
        seal_header(&mut bytes, 88);
        bytes
    });
    corpus.small("sequence numbers that wrap", || {
        Forge::new()
            .at_sequence(u64::MAX - 1)
            .note()
            .note()
            .at_sequence(0)
            .note()
            .at_sequence(u64::MAX)
            .note()
            .raw(&crate::forge::end_record(0, u64::MAX))
            .cut()
    });
    corpus.small("sequence numbers that fall", || {
        (0..100).rev().fold(Forge::new(), |file, n| file.at_sequence(n).note()).cut()
    });
    corpus.small("a chunk of every sequence number's bit", || {
        (0..64).fold(Forge::new(), |file, bit| file.at_sequence(1 << bit).note()).cut()
    });
    for id in [0, 1, 100, 4_000, 65_536, (1 << 17) - 1, 1 << 17, (1 << 21) - 1, 1 << 21, 1 << 40] {
        // A gap in the sequence lets a reader make up what is missing.
        corpus.small(format!("made-up thread {id}"), move || {
            Forge::new().at_sequence(9).plain(8, &sample_of(id, 0)).note().finished()
        });
        corpus.small(format!("made-up stack {id}"), move || {
            Forge::new().at_sequence(9).plain(8, &sample_of(0, id)).note().finished()
        });
        corpus.small(format!("dictionaries that begin at {id}"), move || {
            let span = span(id as u32, 1);
            let mut file = Forge::new().at_sequence(9);
            for (kind, columns_of) in [(2, 2), (3, 4), (4, 2), (5, 2), (7, 5)] {
                let column: &[u8] = b"\0";
                file = file.plain(kind, &columns(&span, &vec![column; columns_of]));
            }
            file.note().finished()
        });
    }
    corpus.large("many made-up ids in a large file", || {
        let mut file = Forge::new().at_sequence(9).plain(0x8001, &vec![1; 4 << 20]);
        file = file.plain(0x8001, &vec![1; 4 << 20]);
        for step in 0..4_000 {
            file = file.plain(8, &sample_of(step * 60, step * 1_000));
        }
        file.note().finished()
    });
    corpus.small("an end before the beginning", || {
        let mut writer = TraceWriter::new(Vec::new(), &example::header(), NANOSECONDS).unwrap();
        writer.write(&example::process(0, None)).unwrap();
        writer.write(&example::thread(0)).unwrap();
        let (time, thread, stack) = (at(100), ThreadId::new(0), None::<StackId>);
        let sample = Sample { time, thread, stack, weight_ns: 5, class: Class::Wait };
        writer.write(&Record::Sample(sample)).unwrap();
        writer.finish(Timestamp::ZERO).unwrap()
    });
}
