//! Whose code copied: the interpreter's, a package's, a library's.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::apps::packages;
use crate::prof::{Python, Recording, each_python, program};

each_python!(every_copy_has_the_module_that_made_it);

fn compile(folder: &Path) -> String {
    let library = folder.join("libcopier.so");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-w", "-shared", "-fPIC", "-o"]).arg(&library).arg(program("copier.c"));
    assert!(gcc.status().expect("gcc runs").success(), "copier.c compiles");
    library.into_os_string().into_string().expect("UTF-8")
}

/// Bounds: samples of a thread tell its bytes to one interval. That is 64 KiB of 160 MiB on each line, and 16 MiB where
/// the machine is so busy that nobody drains meanwhile.
fn every_copy_has_the_module_that_made_it(python: &Python) {
    let Some(packages) = packages(python) else { return };
    let script = program("copiers.py");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let library = compile(folder.path());
    let recording = Recording::of(python, &script, &[&library])
        .option(&["--copy-interval", "64K"])
        .variable("PYTHONPATH", packages);
    let (ended, profile) = recording.profile();
    let truth = ended.truth()["bytes"].as_f64().expect("bytes");
    let copiers = |tag: &str| -> BTreeMap<String, f64> {
        let line = profile.tagged(&script, tag);
        let told = line.copiers.values().sum::<f64>();
        assert!((told - line.copied).abs() < 1.0, "every copy has a copier: {line:?}");
        line.copiers
    };
    let of = |copiers: &BTreeMap<String, f64>, name| copiers.get(name).copied().unwrap_or(0.0);
    for (tag, copier) in [("CPYTHON", "CPython"), ("NUMPY", "numpy"), ("LIBRARY", "libcopier")] {
        let all = copiers(tag);
        let own = of(&all, copier);
        assert!((0.8..1.2).contains(&(own / truth)), "{tag}: {own} of {truth}, {all:?}");
        assert!(own > 0.95 * all.values().sum::<f64>(), "{tag} is {copier}'s alone: {all:?}");
    }
    // zlib reads all that it is given; since 3.10 CPython puts the pieces that come of it together.
    let mut all = copiers("ZLIB");
    let zlib = of(&all, "libz") / truth;
    assert!(
        (0.8..1.6).contains(&zlib),
        "zlib copied {zlib} times as much as it was given: {all:?}"
    );
    all.retain(|name, _| name != "libz" && name != "CPython");
    assert!(all.values().sum::<f64>() < 0.05 * truth, "nobody else: {all:?}");

    let report = recording.report_with(&["--sort", "copies"]);
    for copier in ["by: CPython ", "by: numpy ", "by: libcopier ", "libz "] {
        assert!(report.contains(copier), "{copier} in:\n{report}");
    }
}
