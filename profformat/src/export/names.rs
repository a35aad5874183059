//! Names of frames, threads and processes in outputs.

use super::escape::escape;
use crate::analysis::Profile;
pub(super) use crate::analysis::sites::places::{NO_STACK, shown};
use crate::ids::{FrameId, StackId, ThreadId};
use crate::record::{Process, Thread};
use crate::tables::Tables;

/// A frame in words: function, file (empty when unknown), line (0 when unknown).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) function: String,
    pub(super) file: String,
    pub(super) line: u32,
}

impl Name {
    /// What stands for a stack that is not known.
    pub(super) fn no_stack() -> Self {
        Self { function: NO_STACK.to_owned(), file: String::new(), line: 0 }
    }

    /// The name of a frame. A damaged trace can lack its function.
    pub(super) fn of(tables: &Tables, frame: FrameId) -> Self {
        let known = tables.frame(frame).and_then(|f| Some((f, tables.function(f.function)?)));
        let Some((frame, function)) = known else { return Self::no_stack() };
        let name = escape(&shown(tables.string(function.name)));
        Self {
            function: if name.is_empty() { "[no name]".to_owned() } else { name },
            file: escape(&shown(tables.string(function.file))),
            line: frame.line,
        }
    }
}

/// A thread's name; its number when it has none.
pub(super) fn thread_name(thread: Option<&Thread>, id: ThreadId) -> String {
    match thread {
        Some(thread) if !thread.name.is_empty() => escape(&shown(&thread.name)),
        Some(thread) => format!("thread {}", thread.tid),
        None => format!("unknown thread {}", id.number()),
    }
}

/// A process as pid and program.
pub(super) fn process_name(process: &Process) -> String {
    match process.command.first() {
        Some(program) => format!("{} {}", process.pid, escape(&shown(program))),
        None => process.pid.to_string(),
    }
}

/// A process's program, without its folder.
pub(super) fn program_name(process: &Process) -> String {
    let program = process.command.first().and_then(|path| path.rsplit(|byte| *byte == b'/').next());
    match program.filter(|name| !name.is_empty()) {
        Some(name) => escape(&shown(name)),
        None => "process".to_owned(),
    }
}

/// The thread with this id, and its process.
pub(super) fn thread_of(profile: &Profile, id: ThreadId) -> (Option<&Thread>, Option<&Process>) {
    let found = profile.threads.binary_search_by_key(&id, |(t, _)| t.id);
    let thread = found.ok().map(|at| &profile.threads[at].0);
    let process = thread.and_then(|thread| {
        let found = profile.processes.binary_search_by_key(&thread.process, |(p, _)| p.id);
        found.ok().map(|at| &profile.processes[at].0)
    });
    (thread, process)
}

/// For each stack node, its position when the tree is walked depth first: in this order stacks with the
/// same callers are neighbors.
pub(super) fn depth_first(tables: &Tables) -> Vec<u32> {
    let nodes = tables.stacks();
    // Nodes below each node, itself included; a child's number is larger than its parent's.
    let mut below = vec![1u32; nodes.len()];
    for (at, node) in nodes.iter().enumerate().rev() {
        if let Some(parent) = node.parent.filter(|parent| parent.index() < at) {
            below[parent.index()] += below[at];
        }
    }
    let mut positions = vec![0u32; nodes.len()];
    let mut next: Vec<u32> = vec![0; nodes.len()];
    let mut root = 0;
    for (at, node) in nodes.iter().enumerate() {
        let slot = match node.parent.filter(|parent| parent.index() < at) {
            Some(parent) => &mut next[parent.index()],
            None => &mut root,
        };
        positions[at] = *slot;
        *slot += below[at];
        next[at] = positions[at] + 1;
    }
    positions
}

/// The frames of a stack, outermost first.
pub(super) fn root_first(tables: &Tables, stack: Option<StackId>) -> Vec<FrameId> {
    let mut frames: Vec<FrameId> = tables.walk(stack).collect();
    frames.reverse();
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::FunctionId;
    use crate::record::Frame;
    use crate::tables::Interner;

    #[test]
    fn depth_first_keeps_families_together() {
        let mut interner = Interner::default();
        let frames: Vec<FrameId> = (0..4)
            .map(|line| interner.frame(Frame { function: FunctionId::new(0), line }))
            .collect();
        let a = interner.stack(None, frames[0]);
        let b = interner.stack(None, frames[1]);
        let ac = interner.stack(Some(a), frames[2]);
        let bc = interner.stack(Some(b), frames[2]);
        let ad = interner.stack(Some(a), frames[3]);
        let positions = depth_first(interner.tables());
        let mut order = [a, b, ac, bc, ad];
        order.sort_by_key(|s| positions[s.index()]);
        assert_eq!(order, [a, ac, ad, b, bc]);
    }
}
