//! Writing, reading and scanning traces; prints the bytes of an event first.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use profformat::ids::{ProcessId, StackId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;
use profformat::{Options, TraceReader, TraceWriter};

const EVENTS: usize = 200_000;
const THREADS: u32 = 8;
const STACKS: u32 = 5_000;

/// A small generator of numbers that look random; the same ones at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// A kind of load: what a drain of the rings gives, thread by thread.
fn events(memory: bool) -> Vec<Record> {
    let mut random = Random(1);
    let mut clocks = [0_u64; THREADS as usize];
    let mut stacks = [0_u64; THREADS as usize];
    let mut block = 0;
    let mut out = Vec::new();
    while out.len() < EVENTS {
        for thread in 0..THREADS as usize {
            // Five ticks of 100 Hz a drain, on a kernel whose tick is 4 ms.
            for _ in 0..5 {
                let weight_ns = 8_000_000 + 4_000_000 * random.below(2) + random.below(60_000);
                clocks[thread] += weight_ns + random.below(40_000);
                // Half of the samples stay near the stack before.
                stacks[thread] = if random.below(2) == 0 {
                    (stacks[thread] + random.below(9)) % u64::from(STACKS)
                } else {
                    random.below(STACKS.into())
                };
                let time = Timestamp::from_nanos(clocks[thread]);
                let (id, stack) =
                    (ThreadId::new(thread as u32), Some(StackId::new(stacks[thread] as u32)));
                if !memory {
                    let class = Class::ALL[[0, 0, 0, 1, 2, 3][random.below(6) as usize]];
                    out.push(Record::Sample(Sample { time, thread: id, stack, weight_ns, class }));
                    continue;
                }
                block += 1;
                let size = 16 << random.below(12);
                let domain = Domain::Python;
                let weight = 131_072;
                out.push(Record::Alloc(Alloc {
                    time,
                    thread: id,
                    stack,
                    size,
                    weight,
                    domain,
                    block,
                }));
                if block > 1_000 {
                    let block = block - random.below(1_000);
                    out.push(Record::Free(Free { time, thread: id, block }));
                }
            }
        }
    }
    out
}

fn written(events: &[Record], options: Options) -> Vec<u8> {
    let mut writer = TraceWriter::new(Vec::new(), &Header::default(), options).unwrap();
    let process = ProcessId::new(0);
    let time = Timestamp::ZERO;
    let record = Process {
        id: process,
        parent: None,
        pid: 1,
        time,
        command: Vec::new(),
        python: String::new(),
        profiled: true,
    };
    writer.write(&Record::Process(record)).unwrap();
    for id in (0..THREADS).map(ThreadId::new) {
        let thread = Thread { id, process, tid: 1, time, name: Vec::new() };
        writer.write(&Record::Thread(thread)).unwrap();
    }
    let name = writer.string(b"f");
    let function =
        writer.function(Function { name, file: name, first_line: 1, lang: Lang::Python });
    let mut parent = None;
    for line in 0..STACKS {
        let frame = writer.frame(Frame { function, line });
        parent = Some(writer.stack(if line % 50 == 0 { None } else { parent }, frame));
    }
    for event in events {
        writer.write(event).unwrap();
    }
    writer.finish(time).unwrap()
}

fn read(bytes: &[u8]) -> u64 {
    let mut reader = TraceReader::new(bytes).unwrap();
    let mut sum = 0;
    while let Some(record) = reader.next_record() {
        match record.unwrap() {
            Record::Sample(sample) => sum += sample.weight_ns,
            Record::Alloc(alloc) => sum += alloc.weight,
            _ => {}
        }
    }
    assert!(reader.damage().is_sound());
    sum
}

fn codec(criterion: &mut Criterion) {
    for (kind, events) in [("samples", events(false)), ("memory", events(true))] {
        for (name, compress) in [("plain", false), ("zstd", true)] {
            let options = Options { compress, ..Options::default() };
            let bytes = written(&events, options);
            let exact = written(&events, Options { time_unit_ns: 1, ..options });
            let per_event = |bytes: usize| bytes as f64 / events.len() as f64;
            println!(
                "{kind} {name}: {:.2} bytes an event, {:.2} in nanoseconds",
                per_event(bytes.len()),
                per_event(exact.len())
            );
            let mut group = criterion.benchmark_group(format!("codec/{kind}/{name}"));
            group.throughput(Throughput::Elements(events.len() as u64)).sample_size(10);
            group.bench_function("write", |bencher| bencher.iter(|| written(&events, options)));
            group.bench_function("read", |bencher| bencher.iter(|| read(&bytes)));
            group.finish();
        }
    }
}

/// How fast the next chunk is found behind damage.
fn scan(criterion: &mut Criterion) {
    let mut bytes = written(&[], Options::default());
    let damage = 16 << 20;
    bytes.resize(bytes.len() + damage, b'P');
    let mut group = criterion.benchmark_group("codec/scan");
    group.throughput(Throughput::Bytes(damage as u64)).sample_size(10);
    group.bench_function("damage", |bencher| {
        bencher.iter(|| {
            let mut reader = TraceReader::new(&bytes).unwrap();
            reader.records().count()
        })
    });
    group.finish();
}

criterion_group!(benches, codec, scan);
criterion_main!(benches);
