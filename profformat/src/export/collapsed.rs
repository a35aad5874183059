//! Collapsed stacks: `root;caller;leaf WEIGHT`, one line for each stack, for flame graph tools.

use std::io::{self, Write};

use super::names::{Name, depth_first, root_first};
use super::{ExportError, Metric};
use crate::analysis::Profile;
use crate::ids::StackId;
use crate::tables::Tables;

/// Writes the weights of all threads together, stacks with the same callers side by side. Weights are
/// nanoseconds or bytes. In names, `;` and control characters are written `\xNN`.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    let positions = depth_first(&profile.tables);
    let place = |stack: Option<StackId>| stack.and_then(|s| positions.get(s.index())).copied();
    let mut weights = metric.weights(profile);
    weights.sort_by_key(|weight| (place(weight.stack), weight.stack));
    for weights in weights.chunk_by(|a, b| a.stack == b.stack) {
        let stack = weights[0].stack;
        let weight = weights.iter().map(|weight| weight.weight).fold(0, u64::saturating_add);
        write_stack(&profile.tables, stack, out)?;
        writeln!(out, " {weight}")?;
    }
    Ok(())
}

/// Writes `root;caller;leaf`.
pub(super) fn write_stack(
    tables: &Tables,
    stack: Option<StackId>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let frames = root_first(tables, stack);
    if frames.is_empty() {
        out.write_all(label(&Name::no_stack()).as_bytes())?;
    }
    for (at, frame) in frames.into_iter().enumerate() {
        if at > 0 {
            out.write_all(b";")?;
        }
        out.write_all(label(&Name::of(tables, frame)).as_bytes())?;
    }
    Ok(())
}

/// `function (file:line)`, as much of it as is known.
fn label(name: &Name) -> String {
    let text = match (name.file.is_empty(), name.line) {
        (true, _) => name.function.clone(),
        (false, 0) => format!("{} ({})", name.function, name.file),
        (false, line) => format!("{} ({}:{line})", name.function, name.file),
    };
    text.replace(';', "\\x3b")
}
