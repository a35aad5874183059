//! `prof convert --split-seconds`: one file for every so many seconds of the run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use profformat::Filter;
use profformat::analysis::{Profile, Survey};
use profformat::export::Metric;
use profformat::units::Timestamp;

use crate::convert::{ConvertError, What, to_file};
use crate::output::{Output, Replace, refuse};

/// Files at most.
const FILES: u64 = 10_000;

/// The time between two moments of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    number: u64,
    from: Timestamp,
    until: Timestamp,
}

/// The parts of a run that lasts until `end`, that moment in it.
fn parts(end: Timestamp, length_ns: u64) -> impl ExactSizeIterator<Item = Part> + Clone {
    let count = (end.as_nanos() / length_ns).saturating_add(1).min(FILES + 1);
    let moment = move |n: u64| Timestamp::from_nanos(n.saturating_mul(length_ns));
    (0..count as usize).map(move |n| {
        let n = n as u64;
        Part { number: n + 1, from: moment(n), until: moment(n + 1) }
    })
}

/// Where a part goes: `app.pb.gz` becomes `app.001.pb.gz`.
fn numbered(path: &Path, number: u64, count: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_os_string();
    let bytes = name.as_encoded_bytes();
    let dot = bytes.ends_with(b".pb.gz").then(|| bytes.len() - ".pb.gz".len());
    let dot = dot.or_else(|| bytes.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0));
    let width = count.to_string().len().max(3);
    let text = name.to_string_lossy();
    // A name that is no text has its number at the end.
    let name = match dot.filter(|_| name.to_str().is_some()) {
        Some(at) => OsString::from(format!("{}.{number:0width$}{}", &text[..at], &text[at..])),
        None => {
            let mut name = name.clone();
            name.push(format!(".{number:0width$}"));
            name
        }
    };
    path.with_file_name(name)
}

/// Writes a file for each part in which there is anything of the metric. The weights of all parts together are those of
/// the run.
pub(crate) fn write(
    bytes: &profformat::map::Mapped,
    whole: &Profile,
    (trace, path, replace): (&Path, &Path, Replace),
    what: What,
    length_ns: u64,
) -> Result<(), ConvertError> {
    let metric = what.metric.measured_by(whole)?;
    let parts = parts(whole.elapsed, length_ns);
    let count = parts.len();
    if count as u64 > FILES {
        return Err(ConvertError::TooManyParts(FILES));
    }
    let inputs = [trace];
    // Says no before the first is written.
    for part in parts.clone() {
        refuse(&numbered(path, part.number, count), replace, &inputs)?;
    }
    for Part { number, from, until } in parts {
        let filter = Filter::new().kinds(metric.kinds().iter().copied()).from(from).until(until);
        let behind = |offset| bytes.release_before(offset);
        let mut profile = Profile::from_bytes_with(bytes, &filter, Survey::default(), behind)
            .map_err(|error| ConvertError::Trace { path: trace.to_owned(), error: error.into() })?;
        if metric.weights(&profile).is_empty() {
            continue;
        }
        let end = until.min(whole.elapsed).max(from);
        profile.header.start_unix_ns = profile.header.start_unix_ns.saturating_add(from.as_nanos());
        profile.elapsed = Timestamp::from_nanos(end.as_nanos() - from.as_nanos());
        profile.notes.push(format!("part {number} of {count} of the run"));
        if metric == Metric::Alloc {
            profile.notes.push("inuse: allocated in this part and not freed in it".to_owned());
        }
        let path = numbered(path, number, count);
        let output = Output::open(&path, replace, &inputs)?;
        to_file(&profile, what, &path, output)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_the_last_has_the_end() {
        let at = Timestamp::from_nanos;
        for (end, ends) in
            [(0, vec![10]), (9, vec![10]), (10, vec![10, 20]), (25, vec![10, 20, 30])]
        {
            let all: Vec<Part> = parts(at(end), 10).collect();
            assert_eq!(all.iter().map(|p| p.until.as_nanos()).collect::<Vec<_>>(), ends);
            assert!(all.iter().all(|part| part.from.as_nanos() == part.until.as_nanos() - 10));
            assert!(all.last().is_some_and(|last| at(end) < last.until));
        }
        assert_eq!(parts(at(u64::MAX), 1).len() as u64, FILES + 1);
    }

    #[test]
    fn numbers_stand_before_the_extension() {
        let name = |path: &str, count| numbered(Path::new(path), 7, count).display().to_string();
        assert_eq!(name("a/app.pb.gz", 12), "a/app.007.pb.gz");
        assert_eq!(name("app.pprof", 1_200), "app.0007.pprof");
        assert_eq!(name("app", 3), "app.007");
        assert_eq!(name(".app", 3), ".app.007");
    }
}
