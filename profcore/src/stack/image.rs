//! Tests only: thread states, frames and code objects built in plain memory after a layout.

use crate::cpython::Python;
use crate::cpython::layout::{Bytecode, FrameChain, Layout, Position};
use crate::session::{BYTES, Session};
use crate::sys::probe::tests::zeroed;

/// A session of its own, never freed.
pub(crate) fn session() -> Session {
    Session::new(zeroed(BYTES / 8)).unwrap()
}

/// An object of `words` words at a fixed, aligned address.
pub(crate) struct Object(Box<[u64]>);

impl Object {
    pub(crate) fn new(words: usize) -> Self {
        Self(vec![0; words].into())
    }

    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// Stores the low `len` bytes of `value` at byte `at`.
    pub(crate) fn set(&mut self, at: usize, len: usize, value: usize) -> &mut Self {
        for (i, byte) in value.to_le_bytes().into_iter().take(len).enumerate() {
            let shift = 8 * ((at + i) % 8);
            let word = &mut self.0[(at + i) / 8];
            *word = *word & !(0xff << shift) | u64::from(byte) << shift;
        }
        self
    }

    pub(crate) fn bytes(&mut self, at: usize, bytes: &[u8]) {
        for (i, &byte) in bytes.iter().enumerate() {
            self.set(at + i, 1, usize::from(byte));
        }
    }
}

/// A `str` object; `kind` bytes for each character, or ASCII.
pub(crate) fn text(layout: &Layout, kind: u8, ascii: bool, bytes: &[u8]) -> Object {
    let mut object = Object::new(16 + bytes.len() / 8);
    object.set(layout.text.hash, 8, usize::MAX);
    object.set(layout.text.length, 8, bytes.len() / usize::from(kind));
    let state = 1 << 5 | usize::from(ascii) << 6 | usize::from(kind) << 2;
    object.set(layout.text.state, 4, state);
    let data = if ascii { layout.text.ascii_data } else { layout.text.compact_data };
    object.bytes(data, bytes);
    object
}

/// A `bytes` object.
pub(crate) fn bytes(layout: &Layout, content: &[u8]) -> Object {
    let mut object = Object::new(8 + content.len() / 8);
    object.set(layout.bytes.length, 8, content.len());
    object.bytes(layout.bytes.data, content);
    object
}

/// A code object with all that it refers to.
pub(crate) struct CodeImage {
    pub(crate) object: Object,
    pub(crate) start: usize,
    /// File name, name.
    pub(crate) texts: [Object; 2],
    _parts: Vec<Object>,
}

pub(crate) fn code(
    python: &Python,
    file: Object,
    name: Object,
    first_line: usize,
    table: &[u8],
    instructions: &[u8],
) -> CodeImage {
    let layout = &python.layout;
    let lines = bytes(layout, table);
    let mut object = Object::new(40 + instructions.len() / 8);
    object.set(layout.object_type, 8, python.code_type);
    object.set(layout.code.file, 8, file.address()).set(layout.code.name, 8, name.address());
    object.set(layout.code.first_line, 4, first_line).set(layout.code.lines, 8, lines.address());
    let mut parts = vec![lines];
    let start = match layout.code.bytecode {
        Bytecode::Inline { at, units } => {
            object.set(units, 8, instructions.len() / 2).bytes(at, instructions);
            object.address() + at
        }
        Bytecode::Object { at } => {
            let code = bytes(layout, instructions);
            object.set(at, 8, code.address());
            parts.push(code);
            parts[1].address() + layout.bytes.data
        }
    };
    CodeImage { object, start, texts: [file, name], _parts: parts }
}

/// A frame at byte `offset` of `code`, with `owner` where frames have one.
pub(crate) fn frame(
    layout: &Layout,
    code: &CodeImage,
    offset: isize,
    owner: u8,
    previous: usize,
) -> Object {
    let mut object = Object::new(16);
    let fields = &layout.frame;
    let tagged = code.object.address() | fields.tag_mask;
    object.set(fields.code, 8, tagged).set(fields.previous, 8, previous);
    match fields.position {
        Position::Index { at, unit } => {
            object.set(at, 4, offset.div_euclid(unit as isize) as usize);
        }
        Position::Pointer { at } => {
            object.set(at, 8, code.start.wrapping_add_signed(offset));
        }
    }
    if let Some(fields) = fields.owner {
        object.set(fields.at, 1, usize::from(owner));
    }
    object
}

/// A thread state whose innermost frame is at `frame`: itself, and what it points through.
pub(crate) fn thread_state(layout: &Layout, frame: usize) -> (Object, Object) {
    let (mut state, mut through) = (Object::new(40), Object::new(4));
    match layout.chain {
        FrameChain::FrameObject { frame: at } | FrameChain::CurrentFrame { frame: at } => {
            state.set(at, 8, frame);
        }
        FrameChain::CFrame { cframe, current } => {
            through.set(current, 8, frame);
            state.set(cframe, 8, through.address());
        }
    }
    (state, through)
}
