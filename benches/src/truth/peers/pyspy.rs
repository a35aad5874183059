//! py-spy: it stops the program and reads its stacks from outside. By default it leaves out threads that it takes for
//! idle.

use std::path::Path;
use std::process::Command;

use super::stacks::{self, Frame};
use super::{Asked, files};
use crate::truth::claim::Claim;
use crate::truth::told::Told;

const OUTPUT: &str = "pyspy";

pub(super) fn command(python: &Path, asked: &Asked<'_>) -> Command {
    let mut command = Command::new(python.with_file_name("py-spy"));
    command.args(["record", "--rate", "250", "--format", "raw", "--subprocesses"]);
    command.arg(if asked.program.waits { "--idle" } else { "--native" });
    command.arg("--output").arg(asked.folder.join(OUTPUT)).arg("--").arg(python);
    command.args(asked.program.words(asked.seconds));
    command
}

pub(super) fn told(asked: &Asked<'_>, claim: &Claim) -> Result<Told, String> {
    let path = files(asked.folder, OUTPUT).pop().ok_or("py-spy wrote nothing")?;
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&text);
    let program = asked.program.path();
    let mut told = stacks::told(&text, claim, &program, asked.program.waits, frame);
    if !asked.program.waits {
        // A system call is a native frame, too: it is not told apart.
        told.classes.remove("gc");
        if claim.classes.contains_key("kernel") {
            told.classes.remove("native");
        }
    }
    Ok(told)
}

/// `name (file:line)`, or `name (module)`.
fn frame(text: &str) -> Frame<'_> {
    if text.starts_with("process ") || text.starts_with("thread ") {
        return Frame::Heading;
    }
    let Some((name, place)) = text.rsplit_once(" (") else { return Frame::Native };
    let Some((file, line)) = place.trim_end_matches(')').rsplit_once(':') else {
        return Frame::Native;
    };
    match line.parse() {
        Ok(line) if file.ends_with(".py") || file.starts_with('<') => {
            Frame::Python { file, name, line }
        }
        _ => Frame::Native,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart_by_their_files() {
        let python = Frame::Python { file: "truth/loop.py", name: "more", line: 8 };
        assert_eq!(frame("more (truth/loop.py:8)"), python);
        assert_eq!(frame("sha256_block (libcrypto.so.3)"), Frame::Native);
        assert_eq!(frame("deflate (deflate.c:900)"), Frame::Native);
        assert_eq!(frame("process 12:\"python a.py\""), Frame::Heading);
    }
}
