//! CPython 3.12.

use super::Version;
use crate::cpython::layout::*;

pub(super) const VERSION: Version = Version {
    minor: 12,
    layout: Layout {
        chain: FrameChain::CFrame { cframe: 56, current: 0 },
        frame: FrameFields {
            previous: 8,
            code: 0,
            tag_mask: 0,
            position: Position::Pointer { at: 56 },
            owner: Some(Owner { at: 70, generator: 1, entry_from: 3, highest: 3 }),
            entered: Entered::ByEntryFrame,
        },
        code: CodeFields {
            file: 112,
            name: 128,
            first_line: 68,
            lines: 136,
            bytecode: Bytecode::Inline { at: 192, units: 16 },
            version: Some(92),
        },
        lines: LineTable::Locations,
        text: TextFields { length: 16, hash: 24, state: 32, ascii_data: 40, compact_data: 56 },
        bytes: BytesFields { length: 16, data: 32 },
        object_type: 8,
        collecting: Collecting { interpreter: 16, flag: 312 },
        threads: ThreadList { head: 72, next: 8, thread_id: 136 },
        init_cleanup: None,
    },
    debug_offsets: None,
    thread_key: Some(1544),
    holder: None,
    calls: &[
        ("CALL", 171),
        ("CALL_FUNCTION_EX", 142),
        ("CALL_BUILTIN_CLASS", 29),
        ("CALL_BUILTIN_FAST_WITH_KEYWORDS", 34),
        ("CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS", 38),
        ("CALL_NO_KW_BUILTIN_FAST", 39),
        ("CALL_NO_KW_BUILTIN_O", 40),
        ("CALL_NO_KW_ISINSTANCE", 41),
        ("CALL_NO_KW_LEN", 42),
        ("CALL_NO_KW_LIST_APPEND", 43),
        ("CALL_NO_KW_METHOD_DESCRIPTOR_FAST", 44),
        ("CALL_NO_KW_METHOD_DESCRIPTOR_NOARGS", 45),
        ("CALL_NO_KW_METHOD_DESCRIPTOR_O", 46),
        ("CALL_NO_KW_STR_1", 47),
        ("CALL_NO_KW_TUPLE_1", 48),
        ("CALL_NO_KW_TYPE_1", 56),
        ("INSTRUMENTED_CALL", 241),
        ("INSTRUMENTED_CALL_FUNCTION_EX", 244),
    ],
};
