//! Tachyon, Python's own profiler from 3.15 on: it reads the stacks from outside, without a stop.

use std::path::Path;
use std::process::Command;

use super::stacks::{self, Frame};
use super::{Asked, files};
use crate::truth::claim::Claim;
use crate::truth::told::Told;

const OUTPUT: &str = "tachyon";

pub(super) fn command(python: &Path, asked: &Asked<'_>) -> Command {
    let mut command = Command::new(python);
    command.args([
        "-m",
        "profiling.sampling",
        "run",
        "--all-threads",
        "--native",
        "--subprocesses",
    ]);
    command.args(["--mode", if asked.program.waits { "wall" } else { "cpu" }, "--collapsed"]);
    command.arg("--output").arg(asked.folder.join(OUTPUT));
    command.args(asked.program.words(asked.seconds));
    command
}

pub(super) fn told(asked: &Asked<'_>, claim: &Claim) -> Result<Told, String> {
    let mut text = String::new();
    for path in files(asked.folder, OUTPUT) {
        let part = std::fs::read(path).map_err(|error| error.to_string())?;
        text.push_str(&String::from_utf8_lossy(&part));
    }
    if text.is_empty() {
        return Err("Tachyon wrote nothing".to_owned());
    }
    let program = asked.program.path();
    let mut told = stacks::told(&text, claim, &program, asked.program.waits, frame);
    // Its native frames stand where C code called Python. Where C code works at the end of a stack there is none, so
    // that it does not tell Python's time from native time.
    told.classes.retain(|class, _| class == "gc");
    if !asked.program.waits {
        told.classes.entry("gc".to_owned()).or_default();
    }
    Ok(told)
}

/// `file:name:line`, or one of the artificial frames.
fn frame(text: &str) -> Frame<'_> {
    match text {
        "<native>" => return Frame::Native,
        "<GC>" => return Frame::Gc,
        _ => {}
    }
    let parts = text.rsplit_once(':').and_then(|(rest, line)| {
        let (file, name) = rest.split_once(':')?;
        Some(Frame::Python { file, name, line: line.parse().ok()? })
    });
    parts.unwrap_or(Frame::Heading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_files_names_and_lines() {
        let python = Frame::Python { file: "loop.py", name: "more", line: 8 };
        assert_eq!(frame("loop.py:more:8"), python);
        assert_eq!(frame("<GC>"), Frame::Gc);
        assert_eq!(frame("<native>"), Frame::Native);
        assert_eq!(frame("tid:123"), Frame::Heading);
    }
}
