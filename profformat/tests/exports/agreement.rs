//! One run, every format: what each tells by stack, line, function and thread is the same, to the unit.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::{Class, Footprint, Free, Record};

use crate::readers::{Frame, Stacks, Told, reader};
use crate::run::Run;

const MIB: u64 = 1 << 20;
/// Round in every unit that the text report writes.
const TICK: u64 = 10_000_000;

/// The stacks of [`Run`] by their numbers, as exports should name them.
fn stack(number: usize) -> Vec<Frame> {
    let frame = |name: &str, file: &str, line| (name.to_owned(), file.to_owned(), line);
    let main = frame("main", "app.py", 12);
    let [deep, other] = [25, 26].map(|line| frame("f;g\\x0ah", "app.py", line));
    let zlib = frame("libz.so.1", "/usr/lib/libz.so.1", 0);
    let calls = [main.clone(), deep.clone(), other, deep, zlib.clone()];
    match number {
        0..=4 => calls[..=number].to_vec(),
        5 => vec![main, zlib],
        6 => vec![frame("spin", "/usr/bin/spin", 0)],
        _ => vec![frame("[no stack]", "", 0)],
    }
}

/// What was put into the run, by metric.
#[derive(Default)]
struct Truth(BTreeMap<&'static str, (Stacks, BTreeMap<u64, u64>)>);

impl Truth {
    fn add(&mut self, metric: Metric, thread: u32, number: usize, weight: u64) {
        let (stacks, threads) = self.0.entry(metric.name()).or_default();
        *stacks.entry(stack(number)).or_insert(0) += weight;
        *threads.entry(5000 + u64::from(thread)).or_insert(0) += weight;
    }

    fn told(&mut self, metric: Metric) -> Told {
        let (stacks, threads) = self.0.remove(metric.name()).unwrap_or_default();
        Told { threads: Some(threads), ..Told::of_stacks(stacks) }
    }
}

fn made() -> (Profile, Truth) {
    let (mut run, mut truth) = (Run::new(), Truth::default());
    // Thread, stack, class, samples: every line has enough of them to be told in the text report.
    for (thread, stack, class, ticks) in [
        (0, 0, Class::Python, 40),
        (0, 1, Class::Python, 35),
        (0, 2, Class::Kernel, 7),
        (1, 3, Class::Python, 50),
        (1, 4, Class::Native, 60),
        (0, 5, Class::Native, 20),
        (2, 4, Class::Native, 9),
        (2, 6, Class::Native, 45),
        (2, 0, Class::Gc, 12),
        (1, 99, Class::Python, 11),
        (0, 0, Class::Wait, 30),
        (1, 2, Class::Gil, 15),
    ] {
        for _ in 0..ticks {
            run.sample(thread, stack, class, TICK);
        }
        truth.add(Metric::Wall, thread, stack, ticks * TICK);
        if class.on_cpu() {
            truth.add(Metric::Cpu, thread, stack, ticks * TICK);
        }
    }
    // Thread, stack, MiB, whether freed; all before the peak, and once more behind it.
    let blocks = [(0, 0, 12, true), (0, 3, 8, false), (1, 2, 9, true), (2, 6, 20, false)];
    let blocks = [&blocks[..], &[(1, 99, 3, true), (0, 5, 4, false)]].concat();
    let mut block = 0;
    for is_before in [true, false] {
        for (thread, stack, mib, is_freed) in blocks.iter().copied() {
            block += 1;
            run.alloc(thread, stack, mib * MIB, block);
            truth.add(Metric::Alloc, thread, stack, mib * MIB);
            if is_before {
                truth.add(Metric::Peak, thread, stack, mib * MIB);
            }
            if !is_freed {
                truth.add(Metric::Live, thread, stack, mib * MIB);
            }
        }
        if is_before {
            for process in 0..2 {
                let (time, process) = (run.now(), ProcessId::new(process));
                let (native_bytes, python_bytes, peak) = (60 * MIB, 0, true);
                let point = Footprint { time, process, native_bytes, python_bytes, peak };
                run.records.push(Record::Footprint(point));
            }
        }
        let first = block - blocks.len() as u64;
        for (number, (thread, .., is_freed)) in (first + 1..).zip(blocks.iter().copied()) {
            if is_freed {
                let (time, thread) = (run.now(), ThreadId::new(thread));
                run.records.push(Record::Free(Free { time, thread, block: number }));
            }
        }
    }
    for (thread, stack, mib) in [(0, 0, 30), (1, 3, 12), (2, 6, 9), (0, 99, 40), (2, 2, 5)] {
        run.copy(thread, stack, "numpy", mib * MIB);
        truth.add(Metric::Copies, thread, stack, mib * MIB);
    }
    (run.profile(), truth)
}

#[test]
fn every_format_tells_the_same_of_every_line_function_and_thread() {
    let (profile, mut truth) = made();
    for metric in Metric::ALL {
        let truth = truth.told(metric);
        for format in Format::ALL {
            let told = reader(format)(&profile, metric);
            told.assert_same(&truth, &format!("{} of {}", metric.name(), format.name()));
            let tells = told.total.is_some() || told.lines.is_some() || told.stacks.is_some();
            assert!(tells || metric != Metric::Cpu, "{} tells nothing", format.name());
        }
    }
}
