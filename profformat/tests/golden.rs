//! Traces of released versions. They are never rewritten: every release reads all files of its major version.

mod example;

use std::path::{Path, PathBuf};

use profformat::Options;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Every version that was released, with its minor number.
const VERSIONS: [(&str, u16); 5] =
    [("v1.0", 0), ("v1.1", 1), ("v1.2", 2), ("v1.3", 3), ("v1.4", 4)];

#[test]
fn every_version_is_read_as_on_the_day_it_was_written() {
    for (name, minor) in VERSIONS {
        let wanted = std::fs::read_to_string(golden(&format!("{name}.txt"))).unwrap();
        let bytes = std::fs::read(golden(&format!("{name}.proftrace"))).unwrap();
        assert_eq!(example::dump(&bytes), wanted);
        assert_eq!(TraceInfo::of(&bytes), TraceInfo { version: (1, minor), sound: true });
    }
}

#[cfg(feature = "zstd")]
#[test]
fn compressed_they_say_the_same() {
    for (name, _) in VERSIONS {
        let wanted = std::fs::read_to_string(golden(&format!("{name}.txt"))).unwrap();
        let bytes = std::fs::read(golden(&format!("{name}-zstd.proftrace"))).unwrap();
        assert_eq!(example::dump(&bytes), wanted);
        let plain = std::fs::read(golden(&format!("{name}.proftrace"))).unwrap();
        assert!(bytes.len() < plain.len());
    }
}

#[cfg(not(feature = "zstd"))]
#[test]
fn compressed_chunks_are_counted_without_zstd() {
    for (name, _) in VERSIONS {
        let bytes = std::fs::read(golden(&format!("{name}-zstd.proftrace"))).unwrap();
        let report = profformat::recover::check(&bytes).unwrap();
        assert!(report.damage.unsupported > 0 && report.damage.chunks == 0, "{report:?}");
    }
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
    for (name, compress) in [("v1.4.proftrace", false), ("v1.4-zstd.proftrace", true)] {
        let (_, bytes) = example::trace(Options { compress, ..example::PLAIN }, 10);
        if !golden(name).exists() {
            std::fs::write(golden(name), &bytes).unwrap();
        }
    }
    let bytes = std::fs::read(golden("v1.4.proftrace")).unwrap();
    if !golden("v1.4.txt").exists() {
        std::fs::write(golden("v1.4.txt"), example::dump(&bytes)).unwrap();
    }
}
