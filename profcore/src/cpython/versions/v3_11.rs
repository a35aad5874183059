//! CPython 3.11.

use super::Version;
use crate::cpython::layout::*;

pub(super) const VERSION: Version = Version {
    minor: 11,
    layout: Layout {
        chain: FrameChain::CFrame { cframe: 56, current: 8 },
        frame: FrameFields {
            previous: 48,
            code: 32,
            tag_mask: 0,
            position: Position::Pointer { at: 56 },
            // No entry frames yet: thread, generator, frame object.
            owner: Some(Owner { at: 69, generator: 1, entry_from: 3, highest: 2 }),
            entered: Entered::Flag { at: 68 },
        },
        code: CodeFields {
            file: 112,
            name: 128,
            first_line: 72,
            lines: 136,
            bytecode: Bytecode::Inline { at: 184, units: 16 },
            version: None,
        },
        lines: LineTable::Locations,
        text: TextFields { length: 16, hash: 24, state: 32, ascii_data: 48, compact_data: 72 },
        bytes: BytesFields { length: 16, data: 32 },
        object_type: 8,
        collecting: Collecting { interpreter: 16, flag: 848 },
        threads: ThreadList { head: 16, next: 8, thread_id: 152 },
        init_cleanup: None,
    },
    debug_offsets: None,
    thread_key: Some(592),
    holder: Some(576),
    // A call is PRECALL, then CALL. A specialised PRECALL calls the C function itself and skips the CALL;
    // the plain PRECALL, PRECALL_BOUND_METHOD and PRECALL_PYFUNC only prepare, and the CALL does it.
    calls: &[
        ("CALL", 171),
        ("CALL_ADAPTIVE", 22),
        ("CALL_FUNCTION_EX", 142),
        ("PRECALL_BUILTIN_CLASS", 66),
        ("PRECALL_BUILTIN_FAST_WITH_KEYWORDS", 67),
        ("PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS", 72),
        ("PRECALL_NO_KW_BUILTIN_FAST", 73),
        ("PRECALL_NO_KW_BUILTIN_O", 76),
        ("PRECALL_NO_KW_ISINSTANCE", 77),
        ("PRECALL_NO_KW_LEN", 78),
        ("PRECALL_NO_KW_LIST_APPEND", 79),
        ("PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST", 80),
        ("PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS", 81),
        ("PRECALL_NO_KW_METHOD_DESCRIPTOR_O", 113),
        ("PRECALL_NO_KW_STR_1", 121),
        ("PRECALL_NO_KW_TUPLE_1", 127),
        ("PRECALL_NO_KW_TYPE_1", 141),
    ],
};
