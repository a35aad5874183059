//! Deltas of the dictionaries. Each takes entries from `first` on as far as one chunk holds them and says
//! how many it took.

use super::Scratch;
use crate::codec;
use crate::ids::{FrameId, FunctionId, StringId};
use crate::limit;
use crate::payload::{
    BinariesV1, FramesV1, FramesV2, FunctionsV1, FunctionsV2, StacksV1, StringsV1,
};
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

pub(crate) fn binaries(tables: &Tables, first: usize, scratch: &mut Scratch) -> usize {
    let ([paths, build_ids, ..], _, payload) = scratch.begin();
    let rows = rows(tables.binaries(), first);
    for binary in rows {
        paths.put(binary.path.number().into());
        build_ids.put(binary.build_id.number().into());
    }
    let value = BinariesV1 {
        first: first as u32,
        count: rows.len() as u32,
        paths: paths.bytes(),
        build_ids: build_ids.bytes(),
    };
    codec::encode(&value, payload);
    rows.len()
}

pub(crate) fn functions(tables: &Tables, first: usize, scratch: &mut Scratch) -> usize {
    let ([names, files, lines, langs, binaries, ..], _, payload) = scratch.begin();
    let rows = rows(tables.functions(), first);
    for (id, function) in (first as u32..).zip(rows) {
        binaries.put(tables.binary_of(FunctionId::new(id)).number().into());
        names.put(function.name.number().into());
        files.put(function.file.number().into());
        lines.put(function.first_line.into());
        langs.put(match function.lang {
            Lang::Python => 0,
            Lang::Native => 1,
            Lang::Other => 2,
        });
    }
    let functions = FunctionsV1 {
        first: first as u32,
        count: rows.len() as u32,
        names: names.bytes(),
        files: files.bytes(),
        lines: lines.bytes(),
        langs: langs.bytes(),
    };
    let value = FunctionsV2 { functions, binaries: binaries.bytes() };
    codec::encode(&value, payload);
    rows.len()
}

pub(crate) fn frames(tables: &Tables, first: usize, scratch: &mut Scratch) -> usize {
    let ([functions, lines, inlined, ..], _, payload) = scratch.begin();
    let rows = rows(tables.frames(), first);
    for (id, frame) in (first as u32..).zip(rows) {
        inlined.put(tables.is_inlined(FrameId::new(id)).into());
        functions.put(frame.function.number().into());
        lines.put(frame.line.into());
    }
    let frames = FramesV1 {
        first: first as u32,
        count: rows.len() as u32,
        functions: functions.bytes(),
        lines: lines.bytes(),
    };
    let value = FramesV2 { frames, inlined: inlined.bytes() };
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
