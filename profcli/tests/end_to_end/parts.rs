//! Traces put together and taken apart: the figures add up.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use profformat::export::pprof::message as pb;
use prost::Message;

use crate::bad_input::{expect_refusal, scratch};
use crate::prof::{Profile, Python, Recording, call, program, workspace};

fn words<'a>(words: &[&'a dyn AsRef<OsStr>]) -> Vec<&'a OsStr> {
    words.iter().map(|word| (*word).as_ref()).collect()
}

/// Runs a command that must succeed in silence on standard error.
#[track_caller]
fn succeed(arguments: &[&dyn AsRef<OsStr>]) {
    let output = call(Path::new("/"), &words(arguments));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", output.status);
}

fn recorded(python: &Python, seconds: &str) -> Recording {
    let recording = Recording::of(python, &program("python_loop.py"), &[seconds]);
    let ended = recording.run();
    assert!(ended.status().success(), "{}", ended.stderr());
    recording
}

/// CPU seconds, bytes allocated by line, bytes copied.
fn totals(profile: &Profile) -> [f64; 3] {
    let allocated = profile.entries().iter().map(|entry| entry.alloc).sum();
    [profile.cpu().sum(), allocated, profile.copy_bytes()]
}

fn ticks(path: &Path) -> u64 {
    let profile = Profile::of_trace(path);
    profile.assert_books_balance();
    profile.json["books"]["ticks"].as_u64().expect("a number")
}

#[track_caller]
fn assert_sum(whole: &Path, parts: &[&Path]) {
    let of = |path: &Path| totals(&Profile::of_trace(path));
    let whole = of(whole);
    let parts: Vec<[f64; 3]> = parts.iter().map(|part| of(part)).collect();
    assert!(whole[0] > 0.2 && whole[1] > 0.0, "{whole:?}");
    for (at, name) in ["CPU", "allocated", "copied"].iter().enumerate() {
        let sum: f64 = parts.iter().map(|part| part[at]).sum();
        assert!((whole[at] - sum).abs() < 1e-6 * whole[at].max(1.0), "{name}: {whole:?} {parts:?}");
    }
}

#[test]
fn merged_and_split_figures_add_up() {
    let Some(python) = Python::any() else { return };
    let [one, two] = ["0.4", "0.6"].map(|seconds| recorded(&python, seconds));
    let (first, second) = (one.trace(), two.trace());
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    let both = path("both.proftrace");
    succeed(&[&"merge", &first, &second, &"-o", &both]);
    assert_eq!(both.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
    succeed(&[&"check", &both]);
    assert_sum(&both, &[&first, &second]);
    assert_eq!(ticks(&both), ticks(&first) + ticks(&second));

    let parts: [PathBuf; 3] = ["a", "b", "c"].map(|name| path(&format!("{name}.proftrace")));
    succeed(&[&"split", &second, &"--until", &"250ms", &"-o", &parts[0]]);
    succeed(&[&"split", &second, &"--from", &"0.25", &"--until=0.4s", &"-o", &parts[1]]);
    succeed(&[&"split", &second, &"--from", &"400ms", &"--until", &"10m", &"-o", &parts[2]]);
    // What is only looked at is what would be cut out.
    let looked_at =
        [&["--until", "250ms"][..], &["--from=0.25", "--until=0.4s"], &["--from=400ms"]];
    for (part, options) in parts.iter().zip(looked_at) {
        let json = |trace: &Path, options: &[&str]| {
            let words = ["convert", "--to", "json"].iter().chain(options).map(OsStr::new);
            let words: Vec<&OsStr> = words.chain([trace.as_os_str()]).collect();
            call(Path::new("/"), &words).stdout
        };
        assert!(json(part, &[]).len() > 500);
        assert_eq!(json(part, &[]), json(&second, options), "{options:?}");
    }
    let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    assert_sum(&second, &parts);
    let again = path("again.proftrace");
    succeed(&[&"merge", &parts[0], &parts[1], &parts[2], &"-o", &again]);
    assert_sum(&again, &[&second]);
    // Another merge takes the place of a trace when it is asked to.
    succeed(&[&"merge", &first, &"-o", &again, &"--force"]);
    assert_sum(&again, &[&first]);
}

#[test]
fn what_cannot_be_merged_or_split_is_refused() {
    let Some(python) = Python::any() else { return };
    let recording = recorded(&python, "0.2");
    let (trace, folder) = (recording.trace(), scratch());
    let letter = folder.path().join("letter.txt");
    std::fs::write(&letter, "dear reader").expect("scratch is writable");
    let whole = std::fs::read(&trace).expect("the trace can be read");
    let refused = |status: i32, clue: &str, arguments: &[&dyn AsRef<OsStr>]| {
        expect_refusal(folder.path(), &words(arguments), status, clue);
    };
    let out = "out.proftrace";
    refused(1, "same trace", &[&"merge", &trace, &trace, &"-o", &out]);
    refused(1, "nowhere", &[&"merge", &trace, &"nowhere.proftrace", &"-o", &out]);
    refused(1, "letter.txt", &[&"merge", &trace, &letter, &"-o", &out]);
    refused(1, "letter.txt", &[&"merge", &trace, &"-o", &letter]);
    refused(1, "not a trace of yours", &[&"merge", &trace, &"-o", &letter, &"--force"]);
    refused(1, "is what is read", &[&"merge", &trace, &"-o", &trace, &"--force"]);
    refused(1, "is what is read", &[&"split", &trace, &"-o", &trace, &"--force"]);
    refused(2, "TRACES", &[&"merge", &"-o", &out]);
    refused(2, "--output", &[&"merge", &trace]);
    refused(1, "nothing lies", &[&"split", &trace, &"--from=2s", &"--until=1s", &"-o", &out]);
    refused(1, "ends at", &[&"split", &trace, &"--from=9m", &"-o", &out]);
    refused(2, "12.5s", &[&"split", &trace, &"--from=soon", &"-o", &out]);
    refused(1, "nothing lies", &[&"report", &trace, &"--from=2s", &"--until=1s"]);
    refused(1, "ends at", &[&"convert", &trace, &"--to=json", &"--from=9m"]);
    assert_eq!(std::fs::read(&trace).expect("it is still there"), whole);
}

/// Sums of the sample types of a pprof file, and when it begins and how long it lasts, nanoseconds.
fn pprof_sums(path: &Path) -> (Vec<i64>, [i64; 2]) {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).expect("it was written");
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("gzip");
    let message = pb::Profile::decode(&bytes[..]).expect("a profile");
    let mut sums = vec![0; message.sample_type.len()];
    for sample in &message.sample {
        sums.iter_mut().zip(&sample.value).for_each(|(sum, value)| *sum += value);
    }
    (sums, [message.time_nanos, message.duration_nanos])
}

#[test]
fn pprof_in_parts_adds_up() {
    let trace = workspace().join("profformat/tests/recorded/python.proftrace");
    let folder = scratch();
    let out = |name: &str| folder.path().join(name);
    for metric in ["cpu", "wall", "alloc", "copies"] {
        let whole = out("whole.pb.gz");
        let to = ["convert", "--to", "pprof", "--metric", metric, "--force"];
        let to: Vec<&dyn AsRef<OsStr>> = to.iter().map(|word| word as _).collect();
        succeed(&[&to[..], &[&trace, &"-o", &whole]].concat());
        let name = format!("{metric}.pb.gz");
        succeed(&[&to[..], &[&trace, &"-o", &out(&name), &"--split-seconds", &"1"]].concat());
        let (expected, [begin, length]) = pprof_sums(&whole);
        let (mut sums, mut parts) = (vec![0; expected.len()], 0);
        for second in 0..=length / 1_000_000_000 {
            let part = out(&format!("{metric}.{:03}.pb.gz", second + 1));
            if !part.exists() {
                continue;
            }
            parts += 1;
            let (own, [from, lasts]) = pprof_sums(&part);
            assert_eq!(from, begin + second * 1_000_000_000, "{metric}, {second}");
            assert_eq!(lasts, (length - second * 1_000_000_000).min(1_000_000_000));
            sums.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
        }
        // What is held is no sum over time.
        let summed = if metric == "alloc" { 1..2 } else { 1..expected.len() };
        assert_eq!(sums[summed.clone()], expected[summed], "{metric} in {parts} parts");
        assert!(expected[1] > 0 && parts > 1, "{metric}: {expected:?} in {parts} parts");
    }
    let refused = ["convert", "--to", "pprof", "--split-seconds", "1", "x.proftrace"];
    expect_refusal(folder.path(), &refused.map(OsStr::new), 1, "-o OUT");
}
