//! memray: it records every allocation, those of Python's small objects too if it is asked to.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Asked;
use crate::truth::memory::told::{Bytes, Told};
use crate::truth::run::output;

const OUTPUT: &str = "memray.bin";
/// Reads all recordings by memray's own library: peak, and for each line bytes allocated and bytes at the peak. Its
/// statistics have the former, its records of the high watermark the latter.
const READ: &str = r#"
import json, sys
from memray import FileReader
from memray._memray import compute_statistics
files = []
for name in sys.argv[1:]:
    statistics = compute_statistics(name, num_largest=1 << 20)
    with FileReader(name) as reader:
        at_peak = [(record.stack_trace(1), record.size) for record in reader.get_high_watermark_allocation_records(merge_threads=True)]
        peak = reader.metadata.peak_memory
    files.append({
        "peak": peak,
        "allocated": [[file, line, size] for (_, file, line), size in statistics.top_locations_by_size],
        "live": [[stack[0][1], stack[0][2], size] for stack, size in at_peak if stack],
    })
print(json.dumps(files))
"#;

#[derive(Debug, Deserialize)]
struct File {
    peak: f64,
    allocated: Vec<(String, u32, f64)>,
    live: Vec<(String, u32, f64)>,
}

pub(super) fn command(asked: &Asked<'_>) -> Command {
    let mut command = Command::new(asked.python);
    command.args(["-m", "memray", "run", "--quiet", "--trace-python-allocators", "--follow-fork"]);
    command.arg("--output").arg(asked.folder.join(OUTPUT)).args(asked.words);
    command
}

pub(super) fn told(asked: &Asked<'_>, program: &Path) -> Result<Told, String> {
    let recordings = crate::truth::peers::files(asked.folder, OUTPUT);
    let mut read = Command::new(asked.python);
    let printed = output(read.args(["-c", READ]).args(recordings), asked.folder)?;
    let files: Vec<File> = serde_json::from_str(&printed).map_err(|error| error.to_string())?;
    let sum = |lines: fn(&File) -> &[(String, u32, f64)]| {
        let mut sums = Bytes::new();
        for (path, line, bytes) in files.iter().flat_map(lines) {
            if Path::new(path).file_name() == program.file_name() {
                *sums.entry(*line).or_default() += bytes;
            }
        }
        sums
    };
    Ok(Told {
        // Of several processes each has its own.
        peak: Some(files.iter().map(|file| file.peak).sum()),
        allocated: Some(sum(|file| &file.allocated)),
        live: Some(sum(|file| &file.live)),
        ..Told::default()
    })
}
