//! Everything that the crate does with a file, done with a hostile one.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use profformat::TraceReader;
use profformat::analysis::Profile;
use profformat::export::{ExportError, Format, Metric, export};
use profformat::merge::merge;
use profformat::record::Record;
use profformat::recover::{check, recover};
use profformat::split::split;
use profformat::units::Timestamp;

use crate::{example, forge};

/// No step may take longer, whatever the file is: thrice the slowest of them on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An output that only counts.
#[derive(Default)]
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs every step over a file; gives the slowest step and its time.
pub(crate) fn run(name: &str, bytes: &[u8]) -> (String, Duration) {
    let mut slowest = (String::new(), Duration::ZERO);
    let mut step = |what: &str, body: &mut dyn FnMut()| {
        let started = Instant::now();
        body();
        let took = started.elapsed();
        if took > slowest.1 {
            slowest = (what.to_owned(), took);
        }
        assert!(took < PATIENCE, "{name}: {what} took {took:?}");
    };
    let mut readable = None;
    step("check", &mut || readable = check(bytes).ok());
    let Some(report) = readable else {
        assert!(TraceReader::new(bytes).is_err() && Profile::from_bytes(bytes).is_err(), "{name}");
        assert!(recover(bytes, io::sink(), false).is_err(), "{name}");
        return slowest;
    };
    let mut records = 0;
    step("read", &mut || records = read(bytes));
    assert_eq!(records, report.records, "{name}");
    step("read strictly", &mut || strict(name, bytes));
    for compress in [false, true] {
        let mut out = Vec::new();
        step("recover", &mut || {
            out.clear();
            let again = recover(bytes, &mut out, compress).expect("an output without end");
            assert_eq!(again, report, "{name}");
        });
        step("check what was recovered", &mut || {
            let again = check(&out).expect("a trace");
            assert!(again.damage.is_sound(), "{name}: {again:?}");
            // A trace without an end gets one.
            assert!((0..=1).contains(&(again.records - report.records)), "{name}");
        });
    }
    step("merge", &mut || merged(name, bytes));
    step("split", &mut || {
        let middle = Timestamp::from_nanos(report.last.as_nanos() / 2);
        for (from, until) in [(None, Some(middle)), (Some(middle), None)] {
            let mut out = Vec::new();
            if split(bytes, from, until, &mut out, true).is_ok() {
                assert!(check(&out).expect("a trace").damage.is_sound(), "{name}");
            }
        }
    });
    let mut profile = Profile::default();
    step("profile", &mut || profile = Profile::from_bytes(bytes).expect("it was read before"));
    for format in Format::ALL {
        for metric in Metric::ALL {
            if !format.is_of_one_metric() && metric != Metric::Cpu {
                continue;
            }
            // Where there are a million sums, one metric of each kind of them is enough.
            if profile.time.len() > 1 << 19
                && !matches!(metric, Metric::Cpu | Metric::Alloc | Metric::Copies)
            {
                continue;
            }
            step(&format!("{} of {}", format.name(), metric.name()), &mut || match export(
                &profile,
                format,
                metric,
                &mut Counted::default(),
            ) {
                Ok(()) | Err(ExportError::NotMeasured { .. }) => {}
                Err(error) => panic!("{name}: {error}"),
            });
        }
    }
    slowest
}

/// Merges a file with a sound trace: what comes out is sound.
fn merged(name: &str, bytes: &[u8]) {
    let (_, mut other) = example::trace(example::PLAIN, 1);
    // A trace of its own: the files have the example's id.
    other[24] ^= 1;
    forge::seal_header(&mut other, 88);
    let mut out = Vec::new();
    if merge(&[bytes, &other], &mut out, true).is_ok() {
        assert!(check(&out).expect("a trace").damage.is_sound(), "{name}");
    }
}

/// Reads all records; everything that one refers to is defined by then.
fn read(bytes: &[u8]) -> u64 {
    let mut reader = TraceReader::new(bytes).expect("it was read before");
    let (mut records, mut processes, mut threads) = (0, 0, 0);
    while let Some(record) = reader.next_record() {
        records += 1;
        let (thread, stack) = match record.expect("lenient") {
            Record::Process(process) => {
                assert_eq!(process.id.number(), processes);
                processes += 1;
                assert!(process.parent.is_none_or(|parent| parent.number() < processes));
                continue;
            }
            Record::Thread(thread) => {
                assert_eq!(thread.id.number(), threads);
                assert!(thread.process.number() < processes);
                threads += 1;
                continue;
            }
            Record::Sample(sample) => (sample.thread, sample.stack),
            Record::Alloc(alloc) => (alloc.thread, alloc.stack),
            Record::Copied(copied) => (copied.thread, copied.stack),
            _ => continue,
        };
        assert!(thread.number() < threads);
        assert!(stack.is_none_or(|stack| reader.tables().stack(stack).is_some()));
    }
    records
}

/// Reads strictly: nothing comes after an error.
fn strict(name: &str, bytes: &[u8]) {
    let mut reader = TraceReader::new(bytes).expect("it was read before").strict();
    while let Some(record) = reader.next_record() {
        if record.is_err() {
            assert!(reader.next_record().is_none(), "{name}");
            assert!(reader.first_error().is_some(), "{name}");
            return;
        }
    }
    assert!(reader.damage().is_sound(), "{name}: {:?}", reader.damage());
}
