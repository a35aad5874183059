//! Events: what a thread tells the collector, as words in its ring.
//!
//! ```text
//!   word 0   length in words (16) | kind (8) | flags (8) | extra (32)
//!   word 1   CLOCK_MONOTONIC in nanoseconds
//!   then     the kind's own words, and for kinds with a stack:
//!            common (16) | new (16) | opcode (8) | stack flags (8) | native (16), then `new` frame words,
//!            then `native` addresses
//! ```
//!
//! A stack is told as a difference: `common` frames at the root are those of the previous event with a
//! stack in the same ring, then come `new` frame words, innermost first. A frame word is the code object's
//! entry in the code table (high 32 bits), a flag ([`ENTERED`]), and the byte offset of its instruction (low
//! 31 bits, signed; negative: before the first instruction). Native frames are told whole, innermost first:
//! the interrupted instruction, then return addresses.

/// Kinds of events; the number is stored.
pub(crate) mod kind {
    /// weight_ns, pc, stack; extra: overruns
    pub(crate) const TICK: u8 = 1;
    /// size, weight, block, pc, stack; flags: [`super::flag::PYTHON`]
    pub(crate) const ALLOC: u8 = 2;
    /// block
    pub(crate) const FREE: u8 = 3;
    /// block, old size, new size
    pub(crate) const RESIZE: u8 = 4;
    /// size, weight, pc, stack
    pub(crate) const COPY: u8 = 5;
    /// thread CPU clock; the last event of a thread
    pub(crate) const THREAD_END: u8 = 6;
    /// the process passes its own exit path
    pub(crate) const EXIT: u8 = 7;
    /// the thread's labels ([`super::LABELS`] words; 0: not set), those of all samples of the
    /// slot's owner that follow in the ring. It begins with none
    pub(crate) const LABELS: u8 = 8;
}

/// Keys that labels can have.
pub(crate) const LABELS: usize = 8;

/// Flags of an event.
pub(crate) mod flag {
    /// ALLOC: came through Python's allocators.
    pub(crate) const PYTHON: u8 = 1;
    /// TICK: the interrupted instruction stands right behind a system call.
    pub(crate) const KERNEL: u8 = 2;
    /// TICK: not a timer's tick but the rest of the clock at the thread's end.
    pub(crate) const REST: u8 = 4;
}

/// Flags of a stack.
pub(crate) mod stack_flag {
    /// There is a Python thread state.
    pub(crate) const PYTHON: u8 = 1;
    /// Cut at the deepest depth; outer frames are missing.
    pub(crate) const CUT: u8 = 2;
    /// A frame could not be read; outer frames are missing.
    pub(crate) const TORN: u8 = 4;
    /// Ends at a generator whose caller was not linked yet; outer frames are missing.
    pub(crate) const UNLINKED: u8 = 8;
    /// The outermost native frame was not reached.
    pub(crate) const NATIVE_CUT: u8 = 16;
    /// The interpreter is collecting garbage.
    pub(crate) const COLLECTING: u8 = 32;
}

/// A frame of a code object that found the code table full.
pub(crate) const UNKNOWN_CODE: u32 = u32::MAX;

/// In a frame word: the interpreter was entered from C here, so this frame and those below it (up to the next
/// one entered) have one native frame of the evaluation function.
pub(crate) const ENTERED: u64 = 1 << 31;

/// Makes a frame word. An offset has 31 bits.
#[inline]
pub(crate) const fn frame_word(code: u32, offset: i32) -> u64 {
    (code as u64) << 32 | (offset as u32 as u64) & (ENTERED - 1)
}

/// Takes a frame word apart: code entry and instruction offset.
pub(crate) const fn frame_parts(word: u64) -> (u32, i32) {
    ((word >> 32) as u32, (word << 1) as u32 as i32 >> 1)
}

/// Makes word 0 of an event.
#[inline]
pub(crate) const fn head_word(len: usize, kind: u8, flags: u8, extra: u32) -> u64 {
    len as u64 | (kind as u64) << 16 | (flags as u64) << 24 | (extra as u64) << 32
}

/// Makes the word in front of the frames.
#[inline]
pub(crate) const fn stack_word(
    common: usize,
    new: usize,
    opcode: u8,
    flags: u8,
    native: usize,
) -> u64 {
    common as u64
        | (new as u64) << 16
        | (opcode as u64) << 32
        | (flags as u64) << 40
        | (native as u64) << 48
}

/// A stack as it stands in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StackDelta<'a> {
    /// Frames at the root taken over from the ring's previous stack.
    pub(crate) common: usize,
    /// New frame words, innermost first.
    pub(crate) new: &'a [u64],
    /// The byte at the innermost frame's instruction.
    pub(crate) opcode: u8,
    /// [`stack_flag`] bits.
    pub(crate) flags: u8,
    /// Addresses in native frames, innermost first: the interrupted instruction, then return addresses.
    pub(crate) native: &'a [u64],
}

/// A decoded event. Times are CLOCK_MONOTONIC nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Tick {
        time: u64,
        weight_ns: u64,
        pc: u64,
        flags: u8,
        overruns: u32,
        stack: StackDelta<'a>,
    },
    Alloc {
        time: u64,
        size: u64,
        weight: u64,
        block: u64,
        pc: u64,
        python: bool,
        stack: StackDelta<'a>,
    },
    Free {
        time: u64,
        block: u64,
    },
    Resize {
        time: u64,
        block: u64,
        old_size: u64,
        new_size: u64,
    },
    Copy {
        time: u64,
        size: u64,
        weight: u64,
        pc: u64,
        stack: StackDelta<'a>,
    },
    ThreadEnd {
        time: u64,
        cpu_ns: u64,
    },
    Exit {
        time: u64,
    },
    Labels {
        time: u64,
        words: &'a [u64; LABELS],
    },
}

impl Event<'_> {
    /// When it happened.
    #[cfg(any(test, feature = "record"))]
    pub(crate) fn time(&self) -> u64 {
        match *self {
            Event::Tick { time, .. }
            | Event::Alloc { time, .. }
            | Event::Free { time, .. }
            | Event::Resize { time, .. }
            | Event::Copy { time, .. }
            | Event::ThreadEnd { time, .. }
            | Event::Exit { time }
            | Event::Labels { time, .. } => time,
        }
    }
}

/// Decodes an event; `None` if it is not one. Total: the words may be anything.
pub(crate) fn decode(words: &[u64]) -> Option<Event<'_>> {
    let (&head, rest) = words.split_first()?;
    let (&time, rest) = rest.split_first()?;
    let kind = (head >> 16) as u8;
    let flags = (head >> 24) as u8;
    match (kind, rest) {
        (kind::TICK, &[weight_ns, pc, ref stack @ ..]) => Some(Event::Tick {
            time,
            weight_ns,
            pc,
            flags,
            overruns: (head >> 32) as u32,
            stack: decode_stack(stack)?,
        }),
        (kind::ALLOC, &[size, weight, block, pc, ref stack @ ..]) => Some(Event::Alloc {
            time,
            size,
            weight,
            block,
            pc,
            python: flags & flag::PYTHON != 0,
            stack: decode_stack(stack)?,
        }),
        (kind::FREE, &[block]) => Some(Event::Free { time, block }),
        (kind::RESIZE, &[block, old_size, new_size]) => {
            Some(Event::Resize { time, block, old_size, new_size })
        }
        (kind::COPY, &[size, weight, pc, ref stack @ ..]) => {
            Some(Event::Copy { time, size, weight, pc, stack: decode_stack(stack)? })
        }
        (kind::THREAD_END, &[cpu_ns]) => Some(Event::ThreadEnd { time, cpu_ns }),
        (kind::EXIT, []) => Some(Event::Exit { time }),
        (kind::LABELS, words) => Some(Event::Labels { time, words: words.try_into().ok()? }),
        _ => None,
    }
}

fn decode_stack(words: &[u64]) -> Option<StackDelta<'_>> {
    let (&head, frames) = words.split_first()?;
    let (new, native) = frames.split_at_checked((head >> 16) as u16 as usize)?;
    (native.len() == (head >> 48) as usize).then_some(StackDelta {
        common: head as u16 as usize,
        new,
        opcode: (head >> 32) as u8,
        flags: (head >> 40) as u8,
        native,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_comes_back_as_it_went_in() {
        let frames = [frame_word(7, -2), frame_word(3, 40)];
        let mut words =
            vec![head_word(8, kind::TICK, flag::KERNEL, 2), 11, 12, 13, stack_word(5, 2, 99, 1, 1)];
        words.extend(frames);
        words.push(13);
        let stack = StackDelta { common: 5, new: &frames, opcode: 99, flags: 1, native: &[13] };
        assert_eq!(
            decode(&words),
            Some(Event::Tick {
                time: 11,
                weight_ns: 12,
                pc: 13,
                flags: flag::KERNEL,
                overruns: 2,
                stack
            })
        );
        for (code, offset) in [(7, -2), (3, 40), (u32::MAX, (1 << 30) - 1), (0, -1 << 30)] {
            let word = frame_word(code, offset);
            assert_eq!(frame_parts(word), (code, offset));
            assert_eq!(frame_parts(word | ENTERED), (code, offset));
            assert_eq!(word & ENTERED, 0);
        }
        words.pop();
        assert_eq!(decode(&words), None, "a missing frame word makes it no event");
    }
}
