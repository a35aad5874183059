//! Fil: it records every allocation, and shows those of the peak.

use std::path::Path;
use std::process::Command;

use super::Asked;
use crate::truth::memory::told::{Bytes, Told};

const OUTPUT: &str = "fil";

pub(super) fn command(asked: &Asked<'_>) -> Command {
    let mut command = Command::new(asked.python);
    command.args(["-m", "filprofiler", "--no-browser", "-o"]).arg(asked.folder.join(OUTPUT));
    command.arg("run").args(asked.words);
    command
}

/// Its stacks of the peak, outermost frame first: `FILE:LINE (FUNCTION);… BYTES`.
pub(super) fn told(asked: &Asked<'_>, program: &Path) -> Result<Told, String> {
    let runs = std::fs::read_dir(asked.folder.join(OUTPUT));
    let runs = runs.map_err(|error| format!("Fil wrote nothing: {error}"))?;
    let mut stacks = runs.flatten().map(|run| run.path().join("peak-memory.prof"));
    let stacks = stacks.next().ok_or("Fil wrote nothing")?;
    let text = std::fs::read(&stacks).map_err(|error| format!("{}: {error}", stacks.display()))?;
    let (peak, live) = at_peak(&String::from_utf8_lossy(&text), program);
    Ok(Told { peak: Some(peak), live: Some(live), ..Told::default() })
}

fn at_peak(stacks: &str, program: &Path) -> (f64, Bytes) {
    let (mut peak, mut live) = (0.0, Bytes::new());
    for (stack, bytes) in stacks.lines().filter_map(|line| line.rsplit_once(' ')) {
        let Ok(bytes) = bytes.parse::<f64>() else { continue };
        peak += bytes;
        let innermost = stack.rsplit(';').next().unwrap_or_default();
        let place = innermost.split_once(" (").map_or(innermost, |(place, _)| place);
        let Some((file, line)) = place.rsplit_once(':') else { continue };
        if let Ok(line) = line.parse()
            && Path::new(file).file_name() == program.file_name()
        {
            *live.entry(line).or_default() += bytes;
        }
    }
    (peak, live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_count_for_their_innermost_line() {
        let text = "/a/p.py:3 (main);/a/p.py:9 (f) 100\n/a/p.py:3 (main) 20\n<frozen x>:7 (y) 1\n";
        let (peak, live) = at_peak(text, Path::new("/b/p.py"));
        assert_eq!((peak, live), (121.0, [(9, 100.0), (3, 20.0)].into()));
    }
}
