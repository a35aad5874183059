//! CPython 3.10.

use super::Version;
use crate::cpython::layout::*;

pub(super) const VERSION: Version = Version {
    minor: 10,
    layout: Layout {
        chain: FrameChain::FrameObject { frame: 24 },
        frame: FrameFields {
            previous: 24,
            code: 32,
            tag_mask: 0,
            position: Position::Index { at: 96, unit: 2 },
            owner: None,
            entered: Entered::Always,
        },
        code: CodeFields {
            file: 104,
            name: 112,
            first_line: 40,
            lines: 120,
            bytecode: Bytecode::Object { at: 48 },
            version: None,
        },
        lines: LineTable::Linetable,
        text: TextFields { length: 16, hash: 24, state: 32, ascii_data: 48, compact_data: 72 },
        bytes: BytesFields { length: 16, data: 32 },
        object_type: 8,
        collecting: Collecting { interpreter: 16, flag: 816 },
        threads: ThreadList { head: 8, next: 8, thread_id: 176 },
        init_cleanup: None,
    },
    debug_offsets: None,
    thread_key: Some(584),
    holder: Some(568),
    calls: &[
        ("CALL_FUNCTION", 131),
        ("CALL_FUNCTION_KW", 141),
        ("CALL_FUNCTION_EX", 142),
        ("CALL_METHOD", 161),
    ],
};
