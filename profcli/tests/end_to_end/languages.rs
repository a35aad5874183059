//! Libraries and programs in other languages: demangled names, lines, memory and copies, in pprof's file too.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apps::packages;
use crate::prof::pprof::{self, Sample};
use crate::prof::{Python, Recording, Track, call, marked, program, share, skip, stacks, tracks};

/// Compiles a program of `tests/programs`, if the compiler is there.
fn compile(compiler: &str, options: &[&str], source: &Path, product: PathBuf) -> Option<PathBuf> {
    match Command::new(compiler).args(options).arg("-o").arg(&product).arg(source).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{} compiles: {said}", source.display());
            Some(product)
        }
        Err(error) => {
            skip(&format!("{compiler}: {error}"));
            None
        }
    }
}

/// Seconds in samples that fit.
fn seconds(samples: &[Sample], fits: impl Fn(&Sample) -> bool) -> f64 {
    samples.iter().filter(|sample| fits(sample)).map(|sample| sample.cpu_ns as f64 / 1e9).sum()
}

#[test]
fn libraries_stand_below_the_lines_that_called_them() {
    let Some(python) = Python::of_version("3.12") else { return };
    let Some(packages) = packages(&python) else { return };
    let (script, source) = (program("libraries.py"), program("native_work.rs"));
    let folder = tempfile::tempdir().expect("a scratch folder");
    let options = ["--edition=2021", "-O", "-g", "--crate-type=cdylib"];
    let library = folder.path().join("libnative_work.so");
    let Some(library) = compile("rustc", &options, &source, library) else { return };
    let library = library.to_str().expect("UTF-8");
    let recording = Recording::of(&python, &script, &[library, "1.5"])
        .rate(250)
        .variable("PYTHONPATH", &packages)
        .variable("OPENBLAS_NUM_THREADS", "1");
    recording.profile();
    let samples = pprof::samples(&recording);
    let line_of = |source: &Path, mark: &str| {
        let place = marked(source, mark);
        place.trim_end_matches(')').rsplit(':').next().expect("a line").parse().expect("a number")
    };
    let at = |sample: &Sample, function: &str, file: &str, line: i64| {
        sample.frames.iter().position(|frame| {
            frame.function == function && frame.file.ends_with(file) && frame.line == line
        })
    };

    // Innermost first: the inlined function, the generic one, the line that calls it, and then the Python line.
    let (step, outer) = (line_of(&source, "// STEP"), line_of(&source, "// OUTER"));
    let called = line_of(&script, "# RUST");
    let rust = seconds(&samples, |sample| {
        let outer = at(sample, "outer", "native_work.rs", outer);
        let line = at(sample, "call", "libraries.py", called);
        let inner = sample.frames.iter().position(|frame| {
            frame.function.starts_with("native_work::inner")
                && frame.file.ends_with("native_work.rs")
        });
        inner.is_some() && inner < outer && outer < line
    });
    assert!(rust > 1.2, "{rust:.3} s of 1.5 s in Rust under its line");
    let inlined = seconds(&samples, |sample| {
        let of_step = |frame: &pprof::Frame| frame.line == step && frame.function.contains("step");
        sample.frames.iter().any(of_step)
    });
    assert!(inlined > 0.1, "{inlined:.3} s in the inlined function");

    // Whatever has no debug information has its function or its module, below the line all the same.
    for (function, mark, file, name) in [
        ("compress", "# ZLIB", "libz.so", "zlib"),
        ("multiply", "# NUMPY", "openblas", "numpy"),
        ("sort", "# SORT", "_multiarray_umath", "numpy"),
    ] {
        let line = line_of(&script, mark);
        let under = |sample: &Sample| at(sample, function, "libraries.py", line);
        let native = seconds(&samples, |sample| {
            under(sample).is_some_and(|line| {
                let below = &sample.frames[..line];
                below.iter().any(|frame| frame.file.contains(file) || frame.function.contains(file))
            })
        });
        assert!(native > 1.0, "{native:.3} s of 1.5 s in {file}");
        let module = seconds(&samples, |sample| {
            under(sample).is_some_and(|line| {
                sample.frames[..line].iter().any(|frame| frame.file.contains(name))
            })
        });
        assert!(module > 1.0, "{module:.3} s of 1.5 s came through {name}'s module");
    }

    for sample in &samples {
        let has = |label: &str| sample.labels.contains_key(label);
        assert!(
            ["thread", "thread_id", "process", "pid", "class"].into_iter().all(has),
            "{sample:?}"
        );
    }
    let Some(traces) = pprof::go(&recording, "-traces") else {
        return skip("no go tool pprof: read back by our own decoder alone");
    };
    for function in ["native_work::inner", "outer", "call", "compress", "multiply", "sort"] {
        assert!(traces.contains(function), "{function} in:\n{traces}");
    }
    let tags = pprof::go(&recording, "-tags").expect("it was there a moment ago");
    for tag in [" thread:", " thread_id:", " process:", " pid:", " class:", " native"] {
        assert!(tags.contains(tag), "{tag} in:\n{tags}");
    }

    // The main thread and four others: the work of each of them is in its profile and in no other.
    let tracks = tracks(&recording);
    for function in ["native_work::inner", "compress", "multiply", "sort"] {
        let has = |track: &&Track| {
            track.stacks.iter().flat_map(|(names, _)| names).any(|name| name.starts_with(function))
        };
        assert_eq!(tracks.iter().filter(has).count(), 1, "{function} in {tracks:?}");
    }
}

#[test]
fn a_program_in_cpp_has_its_lines_memory_and_copies() {
    let source = program("native_work.cpp");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let options = ["-O2", "-g", "-w", "-std=c++17", "-fno-builtin"];
    let Some(path) = compile("g++", &options, &source, folder.path().join("shop")) else { return };
    let recording = Recording::of_command([path.into_os_string(), "1.5".into()]).rate(250);
    let (_, profile) = recording.profile();
    profile.assert_books_balance();
    let stacks = stacks(&recording);
    let fill = format!("shop::Basket<short>::fill {}", marked(&source, "// FILL"));
    let main = format!("main {}", marked(&source, "// MAIN"));
    let told = share(&stacks, &[&main, &fill]) * profile.cpu().sum();
    assert!((told - 1.5).abs() < 0.15, "{told:.3} s of 1.5 s: {stacks:?}");

    let mib = f64::from(1 << 20);
    let held = profile.peak_bytes() / mib;
    assert!((held - 200.0).abs() < 4.0, "{held:.1} MiB of 200");
    let copied = profile.copy_bytes() / mib;
    assert!((copied - 199.0).abs() < 20.0, "{copied:.1} MiB of 199");
    let sum = |figure: fn(&crate::prof::Line) -> f64| {
        profile.entries().iter().map(figure).sum::<f64>() / mib
    };
    let (allocated, kept) = (sum(|line| line.alloc), sum(|line| line.live_at_end));
    assert!((allocated - 200.0).abs() < 10.0, "{allocated:.1} MiB of 200");
    assert!((kept - 200.0).abs() < 10.0, "{kept:.1} MiB of 200");
    // `operator new` asked for the blocks: they count for the line that has it.
    let of_line = |mark: &str, figure: fn(&crate::prof::Line) -> f64| {
        let place = marked(&source, mark);
        let entries = profile.entries();
        let here = entries.iter().filter(|e| format!("({}:{})", e.path.display(), e.line) == place);
        here.map(figure).sum::<f64>() / mib
    };
    let (new, copy) =
        (of_line("// NEW", |line| line.live_at_end), of_line("// COPY", |line| line.copied));
    assert!(new > 0.9 * kept, "{new:.1} MiB of {kept:.1} at the line of `new`");
    assert!(copy > 0.9 * copied, "{copy:.1} MiB of {copied:.1} at the line of the copy");
    let trace = recording.trace();
    let words = ["report", "--sort", "memory", trace.to_str().expect("UTF-8")];
    let output = call(&recording.folder(), &words);
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(report.contains("shop"), "{report}");
}
