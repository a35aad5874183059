//! CPython's own description of its layout (`_Py_DebugOffsets`), which must agree with our table.
//!
//! From 3.13 on the first bytes of `_PyRuntime` are a cookie, the version, a flag for free-threaded builds,
//! and then the offsets of many fields. The description has a layout of its own in each minor version.

use super::layout::{Bytecode, FrameChain, Layout, Position};
use crate::sys::probe;

const COOKIE: u64 = u64::from_le_bytes(*b"xdebugpy");
const VERSION_AT: usize = 8;
pub(super) const FREE_THREADED_AT: usize = 16;

/// Where in the description the offset of each field is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DebugOffsets {
    pub(crate) current_frame: usize,
    pub(crate) frame_previous: usize,
    pub(crate) frame_code: usize,
    pub(crate) frame_position: usize,
    pub(crate) frame_owner: usize,
    pub(crate) code_file: usize,
    pub(crate) code_name: usize,
    pub(crate) code_lines: usize,
    pub(crate) code_first_line: usize,
    pub(crate) code_bytecode: usize,
    pub(crate) object_type: usize,
    pub(crate) bytes_length: usize,
    pub(crate) bytes_data: usize,
    pub(crate) text_state: usize,
    pub(crate) text_length: usize,
    pub(crate) text_ascii_data: usize,
    /// Of the garbage collector in the interpreter's state, and of its flag there.
    pub(crate) garbage: usize,
    pub(crate) collecting: usize,
    /// Of the list of threads in the interpreter's state.
    pub(crate) threads_head: usize,
}

/// What the runtime at `runtime` says of the flag that garbage is being collected: its place in the interpreter's
/// state, which a patch release may move.
pub(crate) fn collecting(runtime: usize, at: &DebugOffsets) -> Option<usize> {
    let garbage = probe::word(runtime + at.garbage)? as usize;
    garbage.checked_add(probe::word(runtime + at.collecting)? as usize)
}

/// Whether the runtime at `runtime` describes itself as `version_hex`, not free-threaded, and laid out as
/// `layout` says. A field that the table has in another kind than the description can tell is a mismatch.
pub(crate) fn agree(runtime: usize, version_hex: u64, at: &DebugOffsets, layout: &Layout) -> bool {
    let FrameChain::CurrentFrame { frame: current_frame } = layout.chain else { return false };
    let Position::Pointer { at: position } = layout.frame.position else { return false };
    let Bytecode::Inline { at: bytecode, .. } = layout.code.bytecode else { return false };
    let Some(owner) = layout.frame.owner else { return false };
    let told = [
        (0, COOKIE as usize),
        (VERSION_AT, version_hex as usize),
        (FREE_THREADED_AT, 0),
        (at.current_frame, current_frame),
        (at.frame_previous, layout.frame.previous),
        (at.frame_code, layout.frame.code),
        (at.frame_position, position),
        (at.frame_owner, owner.at),
        (at.code_file, layout.code.file),
        (at.code_name, layout.code.name),
        (at.code_lines, layout.code.lines),
        (at.code_first_line, layout.code.first_line),
        (at.code_bytecode, bytecode),
        (at.object_type, layout.object_type),
        (at.bytes_length, layout.bytes.length),
        (at.bytes_data, layout.bytes.data),
        (at.text_state, layout.text.state),
        (at.text_length, layout.text.length),
        (at.text_ascii_data, layout.text.ascii_data),
    ];
    told.iter().all(|&(at, value)| probe::word(runtime + at) == Some(value as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpython::version_of;

    /// The start of `_PyRuntime` as words, (byte position, value): its version, the length of the description.
    type Sample = (u64, usize, [(usize, u64); 19]);

    const SAMPLES: [Sample; 3] = [
        (
            0x030d_00f0,
            584,
            [
                (0, COOKIE),
                (8, 0x030d_00f0),
                (16, 0),
                (184, 72),
                (232, 8),
                (240, 0),
                (248, 56),
                (264, 70),
                (280, 112),
                (296, 128),
                (304, 136),
                (312, 68),
                (344, 200),
                (360, 8),
                (520, 16),
                (528, 32),
                (544, 32),
                (552, 16),
                (560, 40),
            ],
        ),
        (
            0x030e_0af0,
            760,
            [
                (0, COOKIE),
                (8, 0x030e_0af0),
                (16, 0),
                (208, 72),
                (256, 8),
                (264, 0),
                (272, 56),
                (288, 74),
                (320, 112),
                (336, 128),
                (344, 136),
                (352, 68),
                (384, 208),
                (408, 8),
                (600, 16),
                (608, 32),
                (624, 32),
                (632, 16),
                (640, 40),
            ],
        ),
        (
            0x030f_02f0,
            888,
            [
                (0, COOKIE),
                (8, 0x030f_02f0),
                (16, 0),
                (208, 72),
                (320, 8),
                (328, 0),
                (336, 56),
                (352, 74),
                (384, 112),
                (400, 128),
                (408, 136),
                (416, 68),
                (448, 208),
                (472, 8),
                (696, 16),
                (704, 32),
                (720, 32),
                (728, 16),
                (736, 40),
            ],
        ),
    ];

    #[test]
    fn every_field_must_agree() {
        for (hex, len, fields) in SAMPLES {
            let version = version_of(hex).unwrap();
            let at = version.debug_offsets.unwrap();
            let mut words = vec![u64::MAX; len / 8];
            for (at, value) in fields {
                words[at / 8] = value;
            }
            let check =
                |words: &[u64], hex| agree(words.as_ptr() as usize, hex, &at, &version.layout);
            assert!(check(&words, hex), "{hex:#x}");
            assert!(!check(&words, hex + 0x100), "another patch level than the library says");
            for (at, value) in fields {
                words[at / 8] = value + 1;
                assert!(!check(&words, hex), "{hex:#x}: field at {at}");
                words[at / 8] = value;
            }
        }
    }
}
