//! Stacks of one slot: from differences to interned stacks.

use profformat::ids::StackId;
use profformat::record::{Alloc, Copied, Lang};

use super::code_lines::CodeLines;
use super::interleave::{Item, Kind, interleave};
use super::natives::Spot;
use super::trace::Trace;
use crate::event::{ENTERED, StackDelta, UNKNOWN_CODE, frame_parts, frame_word, stack_flag};
use crate::session::{MAX_FRAMES, Session};

/// Flags that say that outer frames are missing.
pub(crate) const PARTIAL: u8 = stack_flag::CUT | stack_flag::TORN | stack_flag::UNLINKED;

/// A code object is named by a thread before another one has finished telling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotReady;

/// The stack of frame words, root first; `partial`: outer frames are missing.
pub(crate) fn whole(
    words: impl Iterator<Item = u64>,
    partial: bool,
    session: Session,
    lines: &mut CodeLines,
    trace: &mut Trace,
) -> Option<StackId> {
    let mut stack = SlotStack { partial, ..SlotStack::default() };
    for word in words {
        stack.push(word, session, lines, trace);
    }
    stack.frames.last().map(|&(_, stack)| stack)
}

/// The stack of a slot's previous event.
#[derive(Debug, Default)]
pub(crate) struct SlotStack {
    /// Frame words and the stack that ends with each, root first.
    frames: Vec<(u64, StackId)>,
    /// Outer frames are missing.
    partial: bool,
    /// The owner has been in the interpreter.
    python: bool,
    /// The owner's last samples of bytes.
    pub(crate) last_alloc: Option<Alloc>,
    pub(crate) last_copied: Option<Copied>,
    /// The block whose end it told last, 0 for none.
    pub(crate) last_free: u64,
}

impl SlotStack {
    /// Applies a difference and returns the stack of Python frames it tells. [`NotReady`] leaves everything as it was;
    /// with `insist` it never happens, unknown code is named as such.
    pub(crate) fn apply(
        &mut self,
        delta: StackDelta<'_>,
        session: Session,
        lines: &mut CodeLines,
        trace: &mut Trace,
        insist: bool,
    ) -> Result<Option<StackId>, NotReady> {
        self.python |= delta.flags & stack_flag::PYTHON != 0;
        if delta.common == 0 && delta.new.is_empty() {
            self.frames.clear();
            return Ok(None);
        }
        if !insist && delta.new.iter().any(|&word| !lines.ready(session, frame_parts(word).0)) {
            return Err(NotReady);
        }
        let common = delta.common.min(MAX_FRAMES);
        let partial = delta.flags & PARTIAL != 0;
        if partial != self.partial || common > self.frames.len() {
            self.rebuild(common, partial, session, lines, trace);
        }
        self.frames.truncate(common);
        for &word in delta.new.iter().rev().take(MAX_FRAMES - common) {
            self.push(word, session, lines, trace);
        }
        Ok(self.frames.last().map(|&(_, stack)| stack))
    }

    /// The stack of the event applied last, with these native frames (innermost first) in it.
    pub(crate) fn with_native(
        &self,
        native: &[Spot],
        session: Session,
        lines: &mut CodeLines,
        trace: &mut Trace,
    ) -> Option<StackId> {
        let kinds: Vec<Kind> = native.iter().map(|spot| spot.kind).collect();
        let entered: Vec<bool> =
            self.frames.iter().rev().map(|&(word, _)| word & ENTERED != 0).collect();
        let mut stack = None;
        // Stacks of Python frames alone are known already.
        let mut pure = true;
        for item in interleave(&kinds, &entered).into_iter().rev() {
            match item {
                Item::Python(position) => {
                    let (word, known) = self.frames[self.frames.len() - 1 - position];
                    stack = Some(if pure {
                        known
                    } else {
                        let frame = lines.frame(session, word, trace);
                        trace.stack(stack, frame)
                    });
                }
                Item::Native(position) => {
                    pure = false;
                    for &frame in native[position].frames.iter().rev() {
                        stack = Some(trace.stack(stack, frame));
                    }
                }
            }
        }
        stack
    }

    /// The slot has another owner. The stack stays: the first difference may still refer to it.
    pub(crate) fn change_owner(&mut self) {
        self.python = false;
        (self.last_alloc, self.last_copied) = (None, None);
    }

    /// True if any event of the owner so far came from a thread with a Python thread state.
    pub(crate) fn is_python(&self) -> bool {
        self.python
    }

    /// Forgets the stack: its ring lost events.
    pub(crate) fn forget(&mut self) {
        self.frames.clear();
    }

    /// Makes the stack `depth` deep with known frames at the root, under the right root. Frames that we
    /// should know and do not (a ring was given up) are unknown ones.
    fn rebuild(
        &mut self,
        depth: usize,
        partial: bool,
        session: Session,
        lines: &mut CodeLines,
        trace: &mut Trace,
    ) {
        let mut words: Vec<u64> = self.frames.drain(..).map(|(word, _)| word).take(depth).collect();
        words.resize(depth, frame_word(UNKNOWN_CODE, 0));
        self.partial = partial;
        for word in words {
            self.push(word, session, lines, trace);
        }
    }

    fn push(&mut self, word: u64, session: Session, lines: &mut CodeLines, trace: &mut Trace) {
        let parent = match self.frames.last() {
            Some(&(_, stack)) => Some(stack),
            None if self.partial => {
                let root = trace.frame(b"[outer frames missing]", b"", 0, Lang::Other, 0);
                Some(trace.stack(None, root))
            }
            None => None,
        };
        let frame = lines.frame(session, word, trace);
        self.frames.push((word, trace.stack(parent, frame)));
    }
}
