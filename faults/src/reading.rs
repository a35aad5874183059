//! Reads traces that do not deserve it, in all ways that there are. Run as a child, in little memory; a panic ends it
//! and says which input it was.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use profformat::TraceReader;
use profformat::analysis::Profile;
use profformat::export::{ExportError, Format, Metric, export};
use profformat::merge::merge;
use profformat::record::Record;
use profformat::recover::{check, recover};
use profformat::split::split;

use crate::forge;
use crate::random::Random;

/// What a file of a few kilobytes may take in all, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// Processor time in which a huge number must have been answered.
const ANSWER: Duration = Duration::from_millis(10);

/// What the child is to do.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// cuts, flips, mutations or numbers
    what: String,
    /// Only every so manieth
    #[arg(long, default_value_t = 1)]
    step: usize,
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    inputs: Vec<PathBuf>,
}

/// Which input is being read: said when it does harm.
static INPUT: AtomicU64 = AtomicU64::new(0);

/// Does what a parent asks for, and prints what was done in a line.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("harm by input {}", INPUT.load(Ordering::Relaxed));
        usual(panic);
    }));
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|error| format!("{}: {error}", crate::shown(path)))
    };
    let inputs = arguments.inputs.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let first = inputs.first().ok_or("nothing to read")?;
    let figure = match &*arguments.what {
        "cuts" => cuts(first)?,
        "flips" => flips(first, arguments.step)?,
        "mutations" => mutations(&inputs, arguments)?,
        "numbers" => numbers(&inputs, arguments.step)?,
        what => return Err(format!("no such reading: {what}")),
    };
    println!("{figure}");
    Ok(())
}

fn records(bytes: &[u8]) -> Option<Vec<Record>> {
    let mut reader = TraceReader::new(bytes).ok()?;
    let read = reader.records().filter_map(Result::ok).collect();
    Some(read)
}

/// A file that was cut gives what it has, in order, and says that its end is missing.
fn cuts(bytes: &[u8]) -> Result<String, String> {
    let whole = records(bytes).ok_or("the trace cannot be read")?;
    let mut most = 0;
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        everything(length as u64, cut)?;
        let Some(read) = records(cut) else { continue };
        if whole.get(..read.len()) != Some(read.as_slice()) || read.len() < most {
            return Err(format!(
                "cut at {length}: {} records, not the first of {}",
                read.len(),
                whole.len()
            ));
        }
        most = read.len();
        if check(cut).is_ok_and(|report| report.damage.is_sound()) {
            return Err(format!("cut at {length}: is said to be sound"));
        }
    }
    Ok(format!("{} cuts of {} bytes, each gives its beginning", bytes.len(), bytes.len()))
}

/// A file with a changed bit is refused, or a chunk of it is named, or the bit was one that nobody reads.
fn flips(bytes: &[u8], step: usize) -> Result<String, String> {
    let whole = records(bytes).ok_or("the trace cannot be read")?;
    let threads = 2;
    let part = |first: usize| -> Result<[u64; 3], String> {
        let mut counts = [0; 3];
        for bit in (first * step..bytes.len() * 8).step_by(threads * step) {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            everything(bit as u64, &flipped)?;
            let Some(read) = records(&flipped) else {
                counts[0] += 1;
                continue;
            };
            let report = check(&flipped).map_err(|error| format!("bit {bit}: {error}"))?;
            let same = read == whole;
            if report.damage.is_sound() {
                let words = format!("bit {bit}: {} records are said to be sound", read.len());
                counts[2] += u64::from(same);
                if !same {
                    return Err(words);
                }
                continue;
            }
            // A chunk is named, and what is left are records of the whole.
            let is_part = read.len() <= whole.len() && !is_named_nothing(report.first.as_ref());
            if !is_part {
                return Err(format!("bit {bit}: {:?}, {} records", report.damage, read.len()));
            }
            counts[1] += 1;
        }
        Ok(counts)
    };
    let parts = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|first| scope.spawn(move || part(first))).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().map_err(|_| "a panic".to_owned())?)
            .collect::<Result<Vec<_>, _>>()
    })?;
    let [refused, named, unread] =
        [0, 1, 2].map(|kind| parts.iter().map(|counts| counts[kind]).sum::<u64>());
    let all = refused + named + unread;
    Ok(format!(
        "{all} flips in {} bytes: {refused} refused, {named} named, {unread} in padding",
        bytes.len()
    ))
}

fn is_named_nothing(first: Option<&profformat::Error>) -> bool {
    first.is_none_or(|error| error.to_string().is_empty())
}

/// Bytes changed, moved, doubled and left out, with checksums that fit in half of the files.
fn mutations(seeds: &[Vec<u8>], arguments: &Arguments) -> Result<String, String> {
    let mut random = Random::new(arguments.seed);
    let since = Instant::now();
    let mut count = 0_u64;
    while since.elapsed().as_secs_f64() < arguments.seconds {
        let mut bytes = random.choose(seeds).clone();
        mutate(&mut bytes, seeds, &mut random);
        count += 1;
        everything(count, &bytes)?;
    }
    Ok(format!("{count} mutations of seed {}", arguments.seed))
}

fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let sealed = random.below(2) == 0;
    let payloads = forge::payloads(bytes);
    if sealed && !payloads.is_empty() {
        for _ in 0..=random.below(2) {
            let payload = random.choose(&payloads).clone();
            for _ in 0..=random.below(4) {
                change(&mut bytes[payload.clone()], random);
            }
            forge::seal(bytes, &payload);
        }
        return;
    }
    for _ in 0..=random.below(6) {
        if bytes.len() < 100 {
            return;
        }
        let at = random.below(bytes.len());
        let length = random.below(200).min(bytes.len() - at);
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let other = random.choose(seeds);
                let from = random.below(other.len());
                let piece = &other[from..other.len().min(from + 2000)];
                bytes.splice(at..at, piece.iter().copied());
            }
            _ => change(&mut bytes[at..], random),
        }
    }
}

/// Changes a few bytes in their places.
fn change(bytes: &mut [u8], random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    let values = [0, 1, 0x7f, 0x80, 0xff, random.below(256) as u8];
    let value = *random.choose(&values);
    let length = [1, 1, 2, 4, 8, 11][random.below(6)].min(bytes.len() - at);
    match random.below(3) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at..at + length].fill(value),
        _ => bytes[at] = bytes[at].wrapping_add(value),
    }
}

/// Lengths and counts that nothing has room for.
fn numbers(inputs: &[Vec<u8>], step: usize) -> Result<String, String> {
    let (mut count, mut slowest) = (0_u64, Duration::ZERO);
    for bytes in inputs {
        for forged in forge::huge_numbers(bytes).step_by(step) {
            count += 1;
            INPUT.store(count, Ordering::Relaxed);
            let since = processor_time();
            let strict = TraceReader::new(&forged)
                .map(|reader| reader.strict().records().all(|one| one.is_ok()));
            // Whether it is one that is allowed where it stands or not, it is answered.
            drop(std::hint::black_box(strict));
            drop(std::hint::black_box(check(&forged)));
            let took = processor_time().saturating_sub(since);
            slowest = slowest.max(took);
            if took > ANSWER {
                return Err(format!("forgery {count}: answered after {took:?} of processor time"));
            }
            everything(count, &forged)?;
        }
    }
    Ok(format!(
        "{count} huge numbers, the slowest answer took {:.2} ms",
        slowest.as_secs_f64() * 1e3
    ))
}

/// What this thread has used of a processor.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Everything that can be done with a file.
fn everything(input: u64, bytes: &[u8]) -> Result<(), String> {
    INPUT.store(input, Ordering::Relaxed);
    let since = Instant::now();
    if let Ok(report) = check(bytes) {
        let mut saved = Vec::new();
        recover(bytes, &mut saved, false)
            .map_err(|error| format!("input {input}: recover: {error}"))?;
        let sound = check(&saved).is_ok_and(|again| again.damage.is_sound());
        if !sound {
            return Err(format!("input {input}: what was recovered is damaged"));
        }
        let half = profformat::units::Timestamp::from_nanos(report.last.as_nanos() / 2);
        // A refusal is an answer.
        drop(split(bytes, Some(half), None, &mut io::sink(), false));
        drop(merge(&[bytes, &saved], &mut io::sink(), false));
    }
    if let Ok(profile) = Profile::from_bytes(bytes) {
        for format in Format::ALL {
            for metric in [Metric::Cpu, Metric::Alloc] {
                match export(&profile, format, metric, &mut io::sink()) {
                    Ok(()) | Err(ExportError::NotMeasured { .. }) => {}
                    Err(error) => return Err(format!("input {input}: {}: {error}", format.name())),
                }
            }
        }
    }
    let took = since.elapsed();
    if took > PATIENCE { Err(format!("input {input} took {took:?}")) } else { Ok(()) }
}
