//! Deltas of the dictionaries. Each takes entries from `first` on as far as one chunk holds them and says
//! how many it took.

use super::Scratch;
use crate::codec;
use crate::ids::StringId;
use crate::limit;
use crate::payload::{FramesV1, FunctionsV1, StacksV1, StringsV1};
use crate::record::Lang;
use crate::tables::Tables;

const ENTRIES: usize = limit::ENTRIES as usize;

pub(crate) fn strings(tables: &Tables, first: usize, scratch: &mut Scratch) -> usize {
    let ([lengths, bytes, ..], _, payload) = scratch.begin();
    let mut count = 0;
    let mut total = 0;
    while first + count < tables.counts()[0] && count < ENTRIES && total < limit::CHUNK_BYTES {
        let string = tables.string(StringId::new((first + count) as u32));
        lengths.put(string.len() as u64);
        bytes.put_bytes(string);
        count += 1;
        total += string.len();
    }
    let (lengths, bytes) = (lengths.bytes(), bytes.bytes());
    codec::encode(&StringsV1 { first: first as u32, count: count as u32, lengths, bytes }, payload);
    count
}

pub(crate) fn functions(tables: &Tables, first: usize, scratch: &mut Scratch) -> usize {
    let ([names, files, lines, langs, ..], _, payload) = scratch.begin();
    let rows = rows(tables.functions(), first);
    for function in rows {
        names.put(function.name.number().into());
        files.put(function.file.number().into());
        lines.put(function.first_line.into());
        langs.put(match function.lang {
            Lang::Python => 0,
            Lang::Native => 1,
            Lang::Other => 2,
        });
    }
    let value = FunctionsV1 {
        first: first as u32,
        count: rows.len() as u32,
        names: names.bytes(),
        files: files.bytes(),
        lines: lines.bytes(),
        langs: langs.bytes(),
    };
    codec::encode(&value, payload);
    rows.len()
}

pub(crate) fn frames(tables: &Tables, first: usize, scratch: &mut Scratch) -> usize {
    let ([functions, lines, ..], _, payload) = scratch.begin();
    let rows = rows(tables.frames(), first);
    for frame in rows {
        functions.put(frame.function.number().into());
        lines.put(frame.line.into());
    }
    let value = FramesV1 {
        first: first as u32,
        count: rows.len() as u32,
        functions: functions.bytes(),
        lines: lines.bytes(),
    };
    codec::encode(&value, payload);
    rows.len()
}

pub(crate) fn stacks(tables: &Tables, first: usize, scratch: &mut Scratch) -> usize {
    let ([parents, frames, ..], _, payload) = scratch.begin();
    let rows = rows(tables.stacks(), first);
    for (id, node) in (first as u64..).zip(rows) {
        // How far back the parent is, so that a new branch costs one byte; 0 is the root.
        parents.put(node.parent.map_or(0, |parent| id - u64::from(parent.number())));
        frames.put(node.frame.number().into());
    }
    let value = StacksV1 {
        first: first as u32,
        count: rows.len() as u32,
        parents: parents.bytes(),
        frames: frames.bytes(),
    };
    codec::encode(&value, payload);
    rows.len()
}

fn rows<T>(all: &[T], first: usize) -> &[T] {
    &all[first..all.len().min(first + ENTRIES)]
}
