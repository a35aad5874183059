//! Scalene: it samples when what is held has grown or shrunk by a MiB, and takes the line that did the last of it for
//! all.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Asked;
use crate::truth::memory::told::{Bytes, Leak, Told};

const OUTPUT: &str = "scalene.json";
const MIB: f64 = 1_048_576.0;

#[derive(Debug, Deserialize)]
struct Document {
    elapsed_time_sec: f64,
    max_footprint_mb: f64,
    files: BTreeMap<String, File>,
}

#[derive(Debug, Deserialize)]
struct File {
    lines: Vec<Line>,
    leaks: BTreeMap<String, Velocity>,
}

#[derive(Debug, Deserialize)]
struct Line {
    lineno: u32,
    n_malloc_mb: f64,
    n_copy_mb_s: f64,
}

#[derive(Debug, Deserialize)]
struct Velocity {
    velocity_mb_s: f64,
}

pub(super) fn command(asked: &Asked<'_>) -> Command {
    let mut command = Command::new(asked.python);
    // With stacks, as by default, it counts no copies.
    command.args(["-m", "scalene", "run", "--no-stacks", "--outfile"]);
    command.arg(asked.folder.join(OUTPUT)).arg(&asked.words[0]).arg("---").args(&asked.words[1..]);
    command
}

/// What it calls a line's peak is that of one turn of the line, not what is live when the program holds most.
pub(super) fn told(asked: &Asked<'_>, program: &Path) -> Result<Told, String> {
    let text = std::fs::read(asked.folder.join(OUTPUT));
    let text = text.map_err(|error| format!("Scalene wrote nothing: {error}"))?;
    let document: Document = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let [mut allocated, mut copied] = [Bytes::new(), Bytes::new()];
    let mut leaks = Vec::new();
    for (path, file) in &document.files {
        let own = Path::new(path).file_name() == program.file_name();
        for (line, leak) in &file.leaks {
            let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
            let (place, rate) =
                (format!("{name}:{line}"), Some(leak.velocity_mb_s.max(1e-9) * MIB));
            leaks.push(Leak { line: line.parse().ok().filter(|_| own), place, rate });
        }
        for line in file.lines.iter().filter(|_| own) {
            *allocated.entry(line.lineno).or_default() += line.n_malloc_mb * MIB;
            let bytes = line.n_copy_mb_s * document.elapsed_time_sec * MIB;
            *copied.entry(line.lineno).or_default() += bytes;
        }
    }
    Ok(Told {
        peak: Some(document.max_footprint_mb * MIB),
        allocated: Some(allocated),
        copied: Some(copied),
        leaks: Some(leaks),
        ..Told::default()
    })
}
