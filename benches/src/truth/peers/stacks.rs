//! Stacks with a number of samples each, as tools write them for flame graphs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::truth::claim::{Claim, Seconds};
use crate::truth::told::Told;

/// A frame of such a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A Python function at a line.
    Python { file: &'a str, name: &'a str, line: u32 },
    /// Native code.
    Native,
    /// The collector of garbage.
    Gc,
    /// What is no frame, such as the name of a process.
    Heading,
}

/// Adds up what stacks tell: each line `FRAME;FRAME;… COUNT`, outermost first. `frame` reads a frame. `wall`: samples
/// are of the time that passed, not of CPU time.
pub(super) fn told(
    text: &str,
    claim: &Claim,
    program: &Path,
    wall: bool,
    frame: impl Fn(&str) -> Frame<'_>,
) -> Told {
    let program = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut told = Told::default();
    let (mut lines, mut functions) = (BTreeMap::new(), Seconds::new());
    for line in text.lines() {
        let Some((stack, count)) = line.rsplit_once(' ') else { continue };
        let Ok(count) = count.parse::<u64>() else { continue };
        let frames: Vec<Frame<'_>> = stack.split(';').map(&frame).collect();
        let is_root = |frame: &Frame<'_>| matches!(frame, Frame::Python { name, .. } if last_part(name) == claim.root);
        if !frames.iter().any(is_root) {
            continue;
        }
        let weight = count as f64;
        told.samples += count;
        let class = match frames.last() {
            Some(Frame::Native) => "native",
            Some(Frame::Gc) => "gc",
            _ => "python",
        };
        *told.classes.entry(class.to_owned()).or_default() += weight;
        let python: Vec<_> = frames
            .iter()
            .filter_map(|frame| match *frame {
                Frame::Python { file, name, line } => Some((file, name, line)),
                _ => None,
            })
            .collect();
        if let Some(&(file, _, line)) = python.last()
            && is_file(file, program)
        {
            *lines.entry(line).or_default() += weight;
        }
        let mut names: Vec<&str> = python.iter().map(|(_, name, _)| last_part(name)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *functions.entry(name.to_owned()).or_default() += weight;
        }
    }
    let samples = told.samples as f64;
    if wall {
        (told.wall, told.waits) = (samples, Some(lines));
        told.classes.clear();
    } else {
        (told.cpu, told.lines, told.functions) = (samples, Some(lines), Some(functions));
    }
    told
}

/// `f` of `C.f`.
fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn is_file(path: &str, name: &str) -> bool {
    path.rsplit('/').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Frame<'_> {
        match text.split(':').collect::<Vec<_>>()[..] {
            [file, name, line] => Frame::Python { file, name, line: line.parse().unwrap() },
            _ => Frame::Native,
        }
    }

    #[test]
    fn stacks_count_for_their_innermost_line_and_each_function_once() {
        let claim = Claim { root: "work".to_owned(), ..Claim::default() };
        let text =
            "a.py:work:1;a.py:f:2;a.py:f:3 5\na.py:work:1;a.py:f:2;memcpy 2\nb.py:idle:9 7\n";
        let found = told(text, &claim, Path::new("/x/a.py"), false, frame);
        assert_eq!((found.cpu, found.samples), (7.0, 7));
        assert_eq!(found.lines, Some([(3, 5.0), (2, 2.0)].into()));
        assert_eq!(found.functions.unwrap()["f"], 7.0);
        assert_eq!((found.classes["python"], found.classes["native"]), (5.0, 2.0));
        let found = told(text, &claim, Path::new("/x/a.py"), true, frame);
        assert_eq!((found.cpu, found.wall, found.lines), (0.0, 7.0, None));
    }
}
