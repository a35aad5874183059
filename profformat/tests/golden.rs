//! Traces of released versions. They are never rewritten: every release reads all files of its major version.

mod example;

use std::path::{Path, PathBuf};

use profformat::Options;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[test]
fn version_1_0_is_read_as_on_the_day_it_was_written() {
    let wanted = std::fs::read_to_string(golden("v1.0.txt")).unwrap();
    let bytes = std::fs::read(golden("v1.0.proftrace")).unwrap();
    assert_eq!(example::dump(&bytes), wanted);
    assert_eq!(TraceInfo::of(&bytes), TraceInfo { version: (1, 0), sound: true });
}

#[cfg(feature = "zstd")]
#[test]
fn version_1_0_compressed_says_the_same() {
    let wanted = std::fs::read_to_string(golden("v1.0.txt")).unwrap();
    let bytes = std::fs::read(golden("v1.0-zstd.proftrace")).unwrap();
    assert_eq!(example::dump(&bytes), wanted);
    assert!(bytes.len() < std::fs::read(golden("v1.0.proftrace")).unwrap().len());
}

#[cfg(not(feature = "zstd"))]
#[test]
fn compressed_chunks_are_counted_without_zstd() {
    let bytes = std::fs::read(golden("v1.0-zstd.proftrace")).unwrap();
    let report = profformat::recover::check(&bytes).unwrap();
    assert!(report.damage.unsupported > 0 && report.damage.chunks == 0, "{report:?}");
}

#[derive(Debug, PartialEq)]
struct TraceInfo {
    version: (u16, u16),
    sound: bool,
}

impl TraceInfo {
    fn of(bytes: &[u8]) -> Self {
        let mut reader = profformat::TraceReader::new(bytes).unwrap();
        assert!(reader.records().all(|record| record.is_ok()));
        Self { version: reader.version(), sound: reader.damage().is_sound() }
    }
}

/// Writes the golden files of a new version; files that exist stay as they are.
#[test]
#[ignore = "only for a new version"]
fn write_golden() {
    for (name, compress) in [("v1.0.proftrace", false), ("v1.0-zstd.proftrace", true)] {
        let (_, bytes) = example::trace(Options { compress, ..example::PLAIN }, 10);
        if !golden(name).exists() {
            std::fs::write(golden(name), &bytes).unwrap();
        }
    }
    let bytes = std::fs::read(golden("v1.0.proftrace")).unwrap();
    if !golden("v1.0.txt").exists() {
        std::fs::write(golden("v1.0.txt"), example::dump(&bytes)).unwrap();
    }
}
