//! A filtered reader gives what a reader of everything gives, less what is not wanted; with an index and without.

mod example;

use example::{PLAIN, at};
use profformat::ids::*;
use profformat::record::*;
use profformat::units::Timestamp;
use profformat::{Filter, Kind, Options, TraceReader, TraceWriter};
use proptest::prelude::*;

const THREADS: u32 = 12;
const CHUNKS: u32 = 24_000;

/// A trace of three processes with four threads each, whose events are in many small chunks.
fn trace(options: Options, chunks: u32) -> Vec<u8> {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), options).unwrap();
    for id in 0..3 {
        writer.write(&example::process(id, id.checked_sub(1))).unwrap();
    }
    let stacks = example::stacks(&mut writer);
    let name = writer.string(b"ticks");
    for i in 0..chunks {
        if i < THREADS {
            let process = ProcessId::new(i / 4);
            let Record::Thread(thread) = example::thread(i) else { unreachable!() };
            writer.write(&Record::Thread(Thread { process, ..thread })).unwrap();
        }
        let known = (i + 1).min(THREADS);
        let (time, thread) = (at(u64::from(i) * 100), ThreadId::new(i * 7 % known));
        let process = ProcessId::new(thread.number() / 4);
        let stack = Some(stacks[(i % 2) as usize]);
        let class = Class::Python;
        let block = u64::from(i) + 1;
        writer
            .write(&match i % 6 {
                0 => Record::Sample(Sample { time, thread, stack, weight_ns: 1_000_000, class }),
                1 => {
                    let domain = Domain::Native;
                    Record::Alloc(Alloc { time, thread, stack, size: 5, weight: 9, domain, block })
                }
                2 => Record::Free(Free { time, thread, block }),
                3 => {
                    let copier = name;
                    Record::Copied(Copied { time, thread, stack, size: 5, weight: 9, copier })
                }
                4 => Record::Counter(Counter { time, process, name, value: block }),
                _ => Record::Footprint(Footprint {
                    time,
                    process,
                    native_bytes: block,
                    python_bytes: 1,
                    peak: false,
                }),
            })
            .unwrap();
        if i % 3 != 0 {
            writer.flush().unwrap();
        }
    }
    writer.write(&Record::Note(b"done".to_vec())).unwrap();
    writer.finish(at(u64::from(chunks) * 100)).unwrap()
}

fn read(mut reader: TraceReader<'_>) -> Vec<Record> {
    reader.records().map(|record| record.unwrap()).collect()
}

/// What a filter is asked for.
#[derive(Clone, Debug, Default)]
struct Wanted {
    times: (Option<u64>, Option<u64>),
    threads: Option<Vec<u32>>,
    processes: Option<Vec<u32>>,
    kinds: Option<Vec<Kind>>,
}

impl Wanted {
    fn filter(&self) -> Filter {
        let mut filter = Filter::new();
        if let Some(from) = self.times.0 {
            filter = filter.from(at(from));
        }
        if let Some(until) = self.times.1 {
            filter = filter.until(at(until));
        }
        if let Some(threads) = &self.threads {
            filter = filter.threads(threads.iter().copied().map(ThreadId::new));
        }
        if let Some(processes) = &self.processes {
            filter = filter.processes(processes.iter().copied().map(ProcessId::new));
        }
        if let Some(kinds) = &self.kinds {
            filter = filter.kinds(kinds.iter().copied());
        }
        filter
    }

    /// The same question, asked of one record.
    fn wants(&self, record: &Record) -> bool {
        let (kind, thread, process) = match record {
            Record::Sample(s) => (Kind::Samples, Some(s.thread), None),
            Record::Alloc(a) => (Kind::Memory, Some(a.thread), None),
            Record::Free(f) => (Kind::Memory, Some(f.thread), None),
            Record::Resize(r) => (Kind::Memory, Some(r.thread), None),
            Record::Copied(c) => (Kind::Copies, Some(c.thread), None),
            Record::Footprint(f) => (Kind::Footprints, None, Some(f.process)),
            Record::Counter(c) => (Kind::Counters, None, Some(c.process)),
            _ => return true,
        };
        let time = record.time().unwrap();
        let process = process.or(thread.map(|thread| ProcessId::new(thread.number() / 4)));
        let has = |list: &Option<Vec<u32>>, id: Option<u32>| {
            list.as_ref().is_none_or(|list| id.is_none_or(|id| list.contains(&id)))
        };
        self.times.0.is_none_or(|from| time >= at(from))
            && self.times.1.is_none_or(|until| time < at(until))
            && has(&self.threads, thread.map(ThreadId::number))
            && has(&self.processes, process.map(ProcessId::number))
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

fn agree(bytes: &[u8], wanted: &Wanted) {
    let mut all = read(TraceReader::new(bytes).unwrap());
    all.retain(|record| wanted.wants(record));
    let mut reader = TraceReader::new(bytes).unwrap().filter(wanted.filter());
    let mut filtered = Vec::new();
    while let Some(block) = reader.next_block() {
        filtered.extend(block.unwrap().records());
    }
    assert_eq!(filtered, all, "{wanted:?}");
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let time = || prop::option::of(0..220_000_u64);
    let threads = prop::option::of(prop::collection::vec(0..THREADS + 2, 0..4));
    let processes = prop::option::of(prop::collection::vec(0..4_u32, 0..3));
    let kinds = prop::option::of(prop::collection::vec(
        (0..Kind::ALL.len()).prop_map(|n| Kind::ALL[n]),
        0..4,
    ));
    (time(), time(), threads, processes, kinds).prop_map(
        |(from, until, threads, processes, kinds)| Wanted {
            times: (from, until),
            threads,
            processes,
            kinds,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_is_a_sieve(wanted in wanted(), compress: bool, cut in 0..3_usize) {
        let bytes = trace(Options { compress, ..PLAIN }, 2_000);
        let length = [bytes.len(), bytes.len() - 33, bytes.len() / 2][cut];
        agree(&bytes[..length], &wanted);
    }
}

#[test]
fn a_long_trace_has_a_chain_of_indexes_and_is_read_from_its_middle() {
    let bytes = trace(PLAIN, CHUNKS);
    let starts = |bytes: &[u8]| bytes.windows(6).filter(|w| *w == b"PCHK\x11\0").count();
    assert!(starts(&bytes) >= 2, "{}", starts(&bytes));
    let late = Wanted { times: (Some(2_390_000), None), ..Wanted::default() };
    agree(&bytes, &late);
    // Of a trace that was cut off, the Index chunks that are left are used.
    let cut = &bytes[..bytes.len() - 2_000];
    agree(cut, &late);

    // Nothing but what can be wanted is looked at: all other payloads may be rubbish.
    for whole in [&bytes[..], cut] {
        let index = TraceReader::new(&bytes).unwrap().index().unwrap();
        let mut rubbish = whole.to_vec();
        for entry in index.entries() {
            let event = Kind::from_code(entry.kind).is_some_and(Kind::is_optional);
            if event && entry.times[1] < at(2_390_000) && entry.offset < 1_000_000 {
                rubbish[entry.offset as usize + 40] ^= 0xff;
            }
        }
        let mut reader = TraceReader::new(&rubbish).unwrap().filter(late.filter());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        // The last Index chunk is where the file was cut.
        assert_eq!(reader.damage().chunks, u64::from(whole.len() < bytes.len()));
        assert!(records.len() > 50);
    }
}

#[test]
fn the_index_says_what_is_there() {
    for compress in [false, true] {
        let bytes = trace(Options { compress, ..PLAIN }, CHUNKS);
        let index = TraceReader::new(&bytes).unwrap().index().unwrap();
        let all = read(TraceReader::new(&bytes).unwrap());
        let count = |wanted: fn(&Record) -> bool| all.iter().filter(|r| wanted(r)).count() as u64;
        assert_eq!(index.records(Kind::Samples), count(|r| matches!(r, Record::Sample(_))));
        let memory = |r: &Record| matches!(r, Record::Alloc(_) | Record::Free(_));
        assert_eq!(index.records(Kind::Memory), count(memory));
        assert_eq!(index.records(Kind::Copies), count(|r| matches!(r, Record::Copied(_))));
        assert_eq!(index.records(Kind::Counters), count(|r| matches!(r, Record::Counter(_))));
        assert_eq!(index.records(Kind::Threads), u64::from(THREADS));
        assert!(index.entries().is_sorted_by_key(|entry| entry.offset));
    }
}

/// Processes that appear and a run that ends right behind a block of events.
#[test]
fn the_index_has_times_and_threads_of_events_only() {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), PLAIN).unwrap();
    writer.write(&example::process(0, None)).unwrap();
    (0..2).for_each(|id| writer.write(&example::thread(id)).unwrap());
    let (thread, class) = (ThreadId::new(1), Class::Python);
    for id in 1..4 {
        let time = at(1_000 * u64::from(id));
        let sample = Sample { time, thread, stack: None, weight_ns: 1_000_000, class };
        writer.write(&Record::Sample(sample)).unwrap();
        writer.flush().unwrap();
        if id < 3 {
            writer.write(&example::process(id, Some(0))).unwrap();
            writer.flush().unwrap();
        }
    }
    let bytes = writer.finish(at(5_000)).unwrap();
    let index = TraceReader::new(&bytes).unwrap().index().unwrap();
    for entry in index.entries() {
        let of_events = Kind::from_code(entry.kind).is_some_and(Kind::is_optional);
        let is_dated = (entry.times, entry.threads) != ([Timestamp::ZERO; 2], [0; 2]);
        assert_eq!(is_dated, of_events, "{entry:?}");
    }
    let kinds: Vec<_> = index.entries().iter().map(|entry| entry.kind).collect();
    let [processes, samples] = [Kind::Processes, Kind::Samples].map(Kind::code);
    assert!(kinds.windows(2).any(|pair| pair == [samples, processes]), "{kinds:?}");
    assert!(kinds.ends_with(&[samples, Kind::End.code()]), "{kinds:?}");
}

#[test]
fn the_index_of_format_1_0_is_read_too() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1.0.proftrace");
    let bytes = std::fs::read(golden).unwrap();
    let index = TraceReader::new(&bytes).unwrap().index().unwrap();
    assert_eq!(index.records(Kind::Threads), 2);
    let all = read(TraceReader::new(&bytes).unwrap());
    let samples =
        |records: &[Record]| records.iter().filter(|r| matches!(r, Record::Sample(_))).count();
    assert_eq!(index.records(Kind::Samples), samples(&all) as u64);
    let none = Filter::new().kinds([]);
    let left = read(TraceReader::new(&bytes).unwrap().filter(none));
    assert_eq!(samples(&left), 0);
    assert!(left.len() > 10);
}

#[test]
fn an_index_that_does_not_fit_the_file_is_not_used() {
    let bytes = trace(PLAIN, 200);
    let end = bytes.len() - 32;
    for wrong in [1_u64, 40, 96, end as u64, u64::MAX] {
        let mut bytes = bytes.clone();
        bytes[end + 8..end + 16].copy_from_slice(&wrong.to_le_bytes());
        let crc = crc32fast::hash(&bytes[end..end + 28]);
        bytes[end + 28..].copy_from_slice(&crc.to_le_bytes());
        assert!(TraceReader::new(&bytes).unwrap().index().is_none(), "{wrong}");
        let from = Wanted { times: (Some(10_000), None), ..Wanted::default() };
        agree(&bytes, &from);
    }
}
