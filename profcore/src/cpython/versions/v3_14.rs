//! CPython 3.14.

use super::Version;
use crate::cpython::layout::*;
use crate::cpython::offsets::DebugOffsets;

pub(super) const VERSION: Version = Version {
    minor: 14,
    layout: Layout {
        chain: FrameChain::CurrentFrame { frame: 72 },
        frame: FrameFields {
            previous: 8,
            code: 0,
            // A tagged reference.
            tag_mask: 3,
            position: Position::Pointer { at: 56 },
            // 3 is the interpreter's own entry frame, 4 one on the C stack.
            owner: Some(Owner { at: 74, generator: 1, entry_from: 3, highest: 4 }),
            entered: Entered::ByEntryFrame,
        },
        code: CodeFields {
            file: 112,
            name: 128,
            first_line: 68,
            lines: 136,
            bytecode: Bytecode::Inline { at: 208, units: 16 },
            version: Some(92),
        },
        lines: LineTable::Locations,
        text: TextFields { length: 16, hash: 24, state: 32, ascii_data: 40, compact_data: 56 },
        bytes: BytesFields { length: 16, data: 32 },
        object_type: 8,
        init_cleanup: Some(("EXIT_INIT_CHECK", 11)),
    },
    debug_offsets: Some(DebugOffsets {
        current_frame: 208,
        frame_previous: 256,
        frame_code: 264,
        frame_position: 272,
        frame_owner: 288,
        code_file: 320,
        code_name: 336,
        code_lines: 344,
        code_first_line: 352,
        code_bytecode: 384,
        object_type: 408,
        bytes_length: 600,
        bytes_data: 608,
        text_state: 624,
        text_length: 632,
        text_ascii_data: 640,
    }),
    calls: &[
        ("CALL", 52),
        ("CALL_FUNCTION_EX", 4),
        ("CALL_KW", 55),
        ("CALL_BUILTIN_CLASS", 146),
        ("CALL_BUILTIN_FAST", 147),
        ("CALL_BUILTIN_FAST_WITH_KEYWORDS", 148),
        ("CALL_BUILTIN_O", 149),
        ("CALL_ISINSTANCE", 150),
        ("CALL_KW_NON_PY", 152),
        ("CALL_LEN", 154),
        ("CALL_LIST_APPEND", 155),
        ("CALL_METHOD_DESCRIPTOR_FAST", 156),
        ("CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS", 157),
        ("CALL_METHOD_DESCRIPTOR_NOARGS", 158),
        ("CALL_METHOD_DESCRIPTOR_O", 159),
        ("CALL_NON_PY_GENERAL", 160),
        ("CALL_STR_1", 163),
        ("CALL_TUPLE_1", 164),
        ("CALL_TYPE_1", 165),
        ("INSTRUMENTED_CALL", 250),
        ("INSTRUMENTED_CALL_KW", 251),
        ("INSTRUMENTED_CALL_FUNCTION_EX", 252),
    ],
};
