//! What a line's leak looks like in JSON.

use std::borrow::Cow;

use serde::Serialize;

use super::seconds;
use crate::analysis::leaks::Leak;
use crate::analysis::sites::places::text;
use crate::tables::Tables;

/// Frames that are told at most.
const FRAMES: usize = 32;

#[derive(Serialize)]
pub(super) struct LeakOf<'a> {
    bytes_per_s: u64,
    low_bytes_per_s: u64,
    high_bytes_per_s: u64,
    blocks: u64,
    oldest_s: f64,
    stack: Vec<FrameOf<'a>>,
}

#[derive(Serialize)]
struct FrameOf<'a> {
    file: Cow<'a, str>,
    line: u32,
    function: Cow<'a, str>,
}

impl<'a> LeakOf<'a> {
    pub(super) fn of(tables: &'a Tables, leak: &Leak) -> Self {
        let stack = leak.frames(tables).take(FRAMES).map(|(function, line)| FrameOf {
            file: text(tables.string(function.file)),
            line,
            function: text(tables.string(function.name)),
        });
        Self {
            bytes_per_s: leak.bytes_per_s,
            low_bytes_per_s: leak.low,
            high_bytes_per_s: leak.high,
            blocks: leak.blocks,
            oldest_s: seconds(leak.oldest.as_nanos()),
            stack: stack.collect(),
        }
    }
}
