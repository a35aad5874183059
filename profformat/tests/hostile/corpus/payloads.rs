//! Payloads with right checksums that say impossible things.

use super::Corpus;
use crate::example;
use crate::forge::{Forge, chunks, columns, head, kind_at, payload, span, varints, zigzag};

const KINDS: std::ops::RangeInclusive<u16> = 0..=19;

/// A good payload of every type that the writer makes, with its version and flags.
fn good() -> Vec<(u16, (u8, u8), Vec<u8>)> {
    let (_, bytes) = example::trace(example::PLAIN, 3);
    let version = |at: usize| (bytes[at + 6], bytes[at + 7]);
    let all = chunks(&bytes).into_iter();
    all.map(|at| (kind_at(&bytes, at.0), version(at.0), payload(&bytes, at).to_vec())).collect()
}

/// Changed forms of every good payload, one chunk each, behind the definitions that they need.
fn changed(change: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<u8> {
    let mut file = Forge::with_definitions();
    for (kind, version, payload) in good() {
        for payload in change(&payload) {
            file = file.plain_as(kind, version, &payload);
        }
    }
    file.note().finished()
}

/// A payload with every eight bytes replaced by a number, one place at a time: some of them are lengths.
fn with_number(payload: &[u8], number: u64) -> Vec<Vec<u8>> {
    let places = payload.len().saturating_sub(7);
    let put = |at: usize| {
        let mut payload = payload.to_vec();
        payload[at..at + 8].copy_from_slice(&number.to_le_bytes());
        payload
    };
    (0..places).map(put).collect()
}

/// A samples block of one row whose columns are these.
fn sample(threads: &[u8], row: &[u8], stack: &[u8], weight: &[u8], time: &[u8]) -> Vec<u8> {
    columns(&head(1, 5), &[threads, row, stack, weight, time])
}

/// Chunks of version 2, append-only.
const TWO: (u8, u8) = (2, 4);

/// Ids of binaries that are not there, and a build id that is too long; strings 2 to 5 are there.
fn bad_binaries() -> Vec<(u16, (u8, u8), Vec<u8>)> {
    let mut all = vec![
        (2, (1, 0), columns(&span(6, 1), &[&varints([65]), &[7; 65]])),
        (19, (1, 0), columns(&span(1, 1), &[b"\x02", b"\x06"])),
    ];
    for bad in [7, 1 << 14, 1 << 20, 1 << 32, u64::MAX] {
        let [z, bad] = [&b"\0"[..], &varints([bad])];
        all.extend([
            (19, (1, 0), columns(&span(1, 1), &[bad, z])),
            (19, (1, 0), columns(&span(1, 1), &[z, bad])),
            (3, TWO, columns(&span(3, 1), &[z, z, z, z, bad])),
            (4, TWO, columns(&span(3, 1), &[z, z, bad])),
        ]);
    }
    all
}

/// Ids and codes that are not there, one chunk each.
fn out_of_range() -> Vec<(u16, Vec<u8>)> {
    let mut all = Vec::new();
    for bad in [6, 7, 100, 1 << 20, 1 << 24, 1 << 31, 1 << 32, 1 << 56, u64::MAX] {
        let bad_column = varints([bad]);
        let [z, bad] = [&b"\0"[..], &bad_column];
        all.extend([
            (3, columns(&span(3, 1), &[bad, z, z, z])),
            (3, columns(&span(3, 1), &[z, bad, z, z])),
            (3, columns(&span(3, 1), &[z, z, bad, z])),
            (3, columns(&span(3, 1), &[z, z, z, bad])),
            (4, columns(&span(3, 1), &[bad, z])),
            (4, columns(&span(3, 1), &[z, bad])),
            (5, columns(&span(2, 1), &[bad, z])),
            (5, columns(&span(2, 1), &[z, bad])),
            (7, columns(&span(2, 1), &[bad, z, z, z, b""])),
            (7, columns(&span(2, 1), &[z, bad, z, z, b""])),
            (7, columns(&span(2, 1), &[z, z, z, bad, b""])),
            (8, sample(bad, z, z, z, z)),
            (8, sample(z, bad, z, z, z)),
            (8, sample(z, z, bad, z, z)),
            (8, sample(z, z, z, bad, bad)),
            (9, columns(&head(1, 5), &[z, bad, z, z, z, z, z])),
            (9, columns(&head(1, 5), &[z, z, z, bad, z, z, z])),
            (9, columns(&head(1, 5), &[z, z, z, z, bad, bad, bad])),
            (10, columns(&head(1, 5), &[z, bad, z, z, z, z])),
            (10, columns(&head(1, 5), &[z, z, z, bad, z, z])),
            (11, columns(&1_u32.to_le_bytes(), &[bad, z, z, z])),
            (12, columns(&1_u32.to_le_bytes(), &[bad, z, z, z])),
            (12, columns(&1_u32.to_le_bytes(), &[z, z, bad, z])),
            (13, columns(&1_u32.to_le_bytes(), &[bad, z, z])),
            (14, columns(&1_u32.to_le_bytes(), &[bad, z, b"\0\0", z])),
            (14, columns(&1_u32.to_le_bytes(), &[z, z, &[bad, bad].concat(), z])),
            (15, columns(&1_u32.to_le_bytes(), &[bad, b"x"])),
        ]);
    }
    all
}

fn stacks(first: u32, parents: &[u64]) -> Vec<u8> {
    let frames = vec![0; parents.len()];
    let parents = varints(parents.iter().copied());
    columns(&span(first, frames.len() as u32), &[&parents, &frames])
}

pub(super) fn add(corpus: &mut Corpus) {
    corpus.small("every payload empty", || {
        KINDS.fold(Forge::new(), |file, kind| file.plain(kind, b"")).note().finished()
    });
    for count in [1, 65_536, 65_537, u32::MAX] {
        corpus.small(format!("{count} entries without bytes"), move || {
            let payload = [count.to_le_bytes(), count.to_le_bytes()].concat();
            KINDS.fold(Forge::new(), |file, kind| file.plain(kind, &payload)).note().finished()
        });
        corpus.small(format!("{count} entries in empty columns"), move || {
            let payload = columns(&span(0, count), &[&b""[..]; 7]);
            KINDS.fold(Forge::new(), |file, kind| file.plain(kind, &payload)).note().finished()
        });
    }
    for byte in [0x00, 0x01, 0x7f, 0x80, 0xff] {
        corpus.small(format!("payloads of {byte:#x} only"), move || {
            KINDS.fold(Forge::new(), |f, kind| f.plain(kind, &[byte; 300])).note().finished()
        });
    }
    corpus.small("every prefix of every payload", || {
        changed(|payload| (0..payload.len()).map(|n| payload[..n].to_vec()).collect())
    });
    corpus.small("payloads with bytes behind", || {
        changed(|payload| [1, 8, 100].map(|n| [payload, &vec![0xa5; n]].concat()).to_vec())
    });
    for number in [0, 1, 1 << 31, 1 << 32, 1 << 42, 1 << 60, i64::MAX as u64, u64::MAX] {
        corpus.small(format!("{number} at every place"), move || {
            changed(|payload| with_number(payload, number))
        });
    }
    let wrong: [&[u8]; 8] = [
        b"\x80",
        b"\xff\xff",
        b"\x80\x80\x00",
        b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
        b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ];
    for varint in wrong {
        corpus.small(format!("varint {varint:x?}"), move || {
            let z: &[u8] = b"\0";
            Forge::with_definitions()
                .plain(8, &sample(varint, z, z, z, z))
                .plain(8, &sample(z, varint, z, z, z))
                .plain(8, &sample(z, z, varint, z, z))
                .plain(8, &sample(z, z, z, varint, z))
                .plain(8, &sample(z, z, z, z, varint))
                .plain(2, &columns(&span(6, 1), &[varint, b"abc"]))
                .note()
                .finished()
        });
    }
    corpus.small("columns too short and too long", || {
        changed(|payload| {
            // Every length of a column is one less and one more than it is.
            let lengths = (0..payload.len().saturating_sub(7)).filter(|&at| payload[at + 1] == 0);
            let put = |(at, by): (usize, u8)| {
                let mut payload = payload.to_vec();
                payload[at] = payload[at].wrapping_add(by);
                payload
            };
            lengths.flat_map(|at| [(at, 1), (at, 255)]).map(put).collect()
        })
    });
    corpus.small("ids out of range", || {
        let bad = out_of_range().into_iter();
        bad.fold(Forge::with_definitions(), |f, (kind, payload)| f.plain(kind, &payload)).finished()
    });
    corpus.small("binaries out of range", || {
        let bad = bad_binaries().into_iter();
        bad.fold(Forge::with_definitions(), |f, (kind, version, payload)| {
            f.plain_as(kind, version, &payload)
        })
        .note()
        .finished()
    });
    for (kind, payload) in out_of_range().into_iter().step_by(7) {
        corpus.small(format!("one id out of range in {kind}: {payload:x?}"), move || {
            Forge::with_definitions().plain(kind, &payload).note().finished()
        });
    }
    corpus.small("a stack that is its own parent", || {
        Forge::new().plain(5, &stacks(0, &[1, 1, 1])).note().finished()
    });
    corpus.small("parents that are not yet there", || {
        Forge::new().plain(5, &stacks(0, &[u64::from(u32::MAX), 0, 3])).note().finished()
    });
    for depth in [4_095, 4_096, 4_097, 65_536] {
        corpus.small(format!("a stack of {depth} frames"), move || {
            let parents: Vec<u64> = (0..depth).map(|at| u64::from(at > 0)).collect();
            let last = varints([zigzag(depth)]);
            Forge::with_definitions()
                .plain(5, &stacks(2, &parents))
                .plain(8, &sample(b"\0", b"\0", &last, b"\x02", b"\0"))
                .finished()
        });
    }
}
