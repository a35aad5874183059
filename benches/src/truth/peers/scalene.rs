//! Scalene: it interrupts the main thread and takes late delivery for time in native code.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Asked;
use crate::truth::claim::Claim;
use crate::truth::told::Told;

const OUTPUT: &str = "scalene.json";
/// Samples in a second, by default.
const RATE: f64 = 100.0;

#[derive(Debug, Deserialize)]
struct Document {
    elapsed_time_sec: f64,
    files: BTreeMap<String, File>,
}

#[derive(Debug, Deserialize)]
struct File {
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    lineno: u32,
    n_cpu_percent_python: f64,
    n_cpu_percent_c: f64,
    n_sys_percent: f64,
}

pub(super) fn command(python: &Path, asked: &Asked<'_>) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "scalene", "run", "--cpu-only", "--outfile"]);
    command.arg(asked.folder.join(OUTPUT));
    let words = asked.program.words(asked.seconds);
    command.arg(&words[0]).arg("---").args(&words[1..]);
    command
}

/// Its columns are Python, native, and system: all that is not user time, the kernel's and waiting alike. They are per
/// cent of the time that passed. So parts of CPU time are parts of the first two, unless the program works in the
/// kernel.
pub(super) fn told(asked: &Asked<'_>, claim: &Claim) -> Result<Told, String> {
    let text = std::fs::read(asked.folder.join(OUTPUT));
    let text = text.map_err(|error| format!("Scalene wrote nothing: {error}"))?;
    let document: Document = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let in_kernel = claim.classes.contains_key("kernel");
    let program = asked.program.path();
    let (mut python, mut native, mut system) = (0.0, 0.0, 0.0);
    let (mut lines, mut waits) = (BTreeMap::new(), BTreeMap::new());
    for (path, file) in &document.files {
        let own = Path::new(path).file_name() == program.file_name();
        for line in &file.lines {
            python += line.n_cpu_percent_python;
            native += line.n_cpu_percent_c;
            system += line.n_sys_percent;
            if own {
                let busy = line.n_cpu_percent_python + line.n_cpu_percent_c;
                let kernel = if in_kernel { line.n_sys_percent } else { 0.0 };
                *lines.entry(line.lineno).or_default() += busy + kernel;
                *waits.entry(line.lineno).or_default() += line.n_sys_percent;
            }
        }
    }
    let mut classes =
        BTreeMap::from([("python".to_owned(), python), ("native".to_owned(), native)]);
    if in_kernel {
        classes.insert("kernel".to_owned(), system);
    }
    if asked.program.waits {
        classes.insert("wait".to_owned(), system);
    }
    Ok(Told {
        cpu: python + native + if in_kernel { system } else { 0.0 },
        wall: python + native + system,
        samples: (RATE * document.elapsed_time_sec) as u64,
        classes,
        lines: Some(lines),
        waits: Some(waits),
        ..Told::default()
    })
}
