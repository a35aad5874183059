//! The one walker of Python frames: a loop over a layout, reading only through guarded loads.
//!
//! Only the thread itself changes its chain of frames, so a walk never races with another thread; but it may
//! interrupt its own thread anywhere, and then finds updates half done. Whatever does not look like a frame
//! with a code object ends the walk.

use crate::codes::{self, Code};
use crate::cpython::layout::{Entered, FrameChain, Layout, Position};
use crate::event::{ENTERED, frame_word, stack_flag};
use crate::session::Session;
use crate::sync::{AtomicU64, Ordering};
use crate::sys::probe::{self, Memory};

/// What a walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    /// Frames written.
    pub(crate) depth: usize,
    /// The byte at the innermost frame's instruction; 0 if it has not begun.
    pub(crate) opcode: u8,
    /// [`stack_flag`] bits.
    pub(crate) flags: u8,
    /// Whether the innermost frame had a code object; `None` if there was no frame at all.
    pub(crate) found_code: Option<bool>,
}

/// One frame, read and checked.
struct Frame {
    previous: usize,
    /// [`stack_flag`] bits, if the chain ends at this frame.
    if_last: u8,
    at: At,
}

/// What a frame runs.
enum At {
    /// The program's code at an instruction; whether the interpreter was entered from C here.
    Code { code: Code, id: u32, offset: i32, entered: bool },
    /// Code of the interpreter's own, which is passed over.
    Internal,
    /// Nothing: it marks that the frame inside it was entered from C.
    Entry,
}

/// A code object that a walk has met.
#[derive(Clone, Copy)]
struct Known {
    code: Code,
    /// `None`: the interpreter's own.
    id: Option<u32>,
}

/// What one walk reads from and by.
struct Walker<'a, M> {
    memory: &'a M,
    session: Session,
    layout: &'a Layout,
    code_type: usize,
    /// The code object of the frame before: the one code object that a recursion is made of.
    last: Option<Known>,
}

/// Walks from the thread state's innermost frame outwards, writing frame words into `into` until it is full.
/// `code_type` is the address of `PyCode_Type`. In a `memory` other than its own thread's, a walk is only good if
/// that thread did not run meanwhile.
pub(crate) fn walk(
    memory: &impl Memory,
    session: Session,
    layout: &Layout,
    code_type: usize,
    thread_state: usize,
    into: &[AtomicU64],
) -> Walk {
    let mut walk = Walk { depth: 0, opcode: 0, flags: 0, found_code: None };
    let Some(mut address) = innermost(memory, layout, thread_state) else {
        walk.flags = stack_flag::TORN;
        walk.found_code = Some(false);
        return walk;
    };
    let mut walker = Walker { memory, session, layout, code_type, last: None };
    let mut if_last = 0;
    // At most two frames that are passed over stand between two others; a longer chain is a circle.
    for _ in 0..3 * into.len() + 3 {
        if address == 0 {
            walk.flags |= if_last;
            return walk;
        }
        let Some(frame) = walker.frame(address) else {
            walk.flags |= stack_flag::TORN;
            walk.found_code.get_or_insert(false);
            return walk;
        };
        if let At::Entry = frame.at
            && let Some(entered) = walk.depth.checked_sub(1).and_then(|last| into.get(last))
        {
            entered.store(entered.load(Ordering::Relaxed) | ENTERED, Ordering::Relaxed);
        }
        if let At::Code { code, id, offset, entered } = &frame.at {
            let Some(cell) = into.get(walk.depth) else {
                walk.flags |= stack_flag::CUT;
                return walk;
            };
            if walk.depth == 0 {
                walk.found_code = Some(true);
                if let Ok(offset) = usize::try_from(*offset) {
                    walk.opcode = memory.byte(code.start.wrapping_add(offset)).unwrap_or(0);
                }
            }
            let flag = if *entered { ENTERED } else { 0 };
            cell.store(frame_word(*id, *offset) | flag, Ordering::Relaxed);
            walk.depth += 1;
        }
        if_last = frame.if_last;
        address = frame.previous;
    }
    walk.flags |= stack_flag::TORN;
    walk
}

/// Whether the thread's interpreter is collecting garbage.
pub(super) fn is_collecting(layout: &Layout, thread_state: usize) -> bool {
    let interpreter = probe::word(thread_state.wrapping_add(layout.collecting.interpreter));
    let interpreter = interpreter.map(|at| at as usize).filter(|&at| probe::plausible(at));
    let flag = interpreter.and_then(|at| probe::word(at.wrapping_add(layout.collecting.flag)));
    flag.is_some_and(|flag| flag as u32 != 0)
}

/// Address of the innermost frame, 0 if none runs; `None` if the way there cannot be read.
fn innermost(memory: &impl Memory, layout: &Layout, thread_state: usize) -> Option<usize> {
    if !probe::plausible(thread_state) {
        return None;
    }
    let frame = match layout.chain {
        FrameChain::FrameObject { frame } | FrameChain::CurrentFrame { frame } => {
            memory.word(thread_state + frame)?
        }
        FrameChain::CFrame { cframe, current } => {
            let cframe = memory.word(thread_state + cframe)? as usize;
            if !probe::plausible(cframe) {
                return None;
            }
            memory.word(cframe + current)?
        }
    };
    Some(frame as usize)
}

impl<M: Memory> Walker<'_, M> {
    /// Reads the frame at `address`; `None` if it is not one.
    #[inline]
    fn frame(&mut self, address: usize) -> Option<Frame> {
        const OBJECT: usize = 7;
        const PLAIN: usize = 5;
        if !probe::plausible(address) {
            return None;
        }
        match self.layout.chain {
            FrameChain::FrameObject { .. } => {
                let words = self.memory.words::<OBJECT>(address)?;
                self.parse(words.as_flattened())
            }
            _ => self.parse(self.memory.words::<PLAIN>(address)?.as_flattened()),
        }
    }

    #[inline(always)]
    fn parse(&mut self, words: &[u64]) -> Option<Frame> {
        let fields = &self.layout.frame;
        // The field at byte `at`, in the low bits.
        let field = |at: usize| Some(words.get(at / 8)? >> (at % 8 * 8));
        let mut if_last = 0;
        let previous = field(fields.previous)? as usize;
        if let Some(owner) = fields.owner {
            let value = field(owner.at)? as u8;
            if value > owner.highest {
                return None;
            }
            if value >= owner.entry_from {
                return Some(Frame { previous, if_last, at: At::Entry });
            }
            if value == owner.generator {
                // A generator is always run by somebody: its caller has not been linked yet.
                if_last = stack_flag::UNLINKED;
            } else if owner.has_entries() {
                if_last = stack_flag::TORN;
            }
        }
        let Known { code, id } = self.known(field(fields.code)? as usize & !fields.tag_mask)?;
        let Some(id) = id else {
            return Some(Frame { previous, if_last, at: At::Internal });
        };
        let entered = match fields.entered {
            Entered::Always => true,
            Entered::Flag { at } => field(at)? as u8 != 0,
            Entered::ByEntryFrame => false,
        };
        let offset = match fields.position {
            Position::Index { at, unit } => i64::from(field(at)? as u32 as i32) * i64::from(unit),
            Position::Pointer { at } => (field(at)? as usize).wrapping_sub(code.start) as i64,
        };
        let in_bounds = offset >= -2 && offset < code.size as i64;
        let offset = i32::try_from(offset).ok().filter(|_| in_bounds)?;
        Some(Frame { previous, if_last, at: At::Code { code, id, offset, entered } })
    }

    /// The code object at `address`; `None` if it is not one.
    #[inline]
    fn known(&mut self, address: usize) -> Option<Known> {
        if let Some(last) = self.last
            && last.code.address == address
        {
            return Some(last);
        }
        let Self { memory, session, layout, code_type, .. } = *self;
        if !probe::plausible(address)
            || memory.word(address + layout.object_type)? as usize != code_type
        {
            return None;
        }
        let code = Code::read(memory, layout, address)?;
        let id = codes::intern(memory, session, layout, &code);
        Some(*self.last.insert(Known { code, id }))
    }
}
