//! Compressed payloads that are more, less or other than they say.

use super::Corpus;
use crate::forge::{Forge, columns, head, pack, span};

const MIB: usize = 1 << 20;

/// A payload of 4 MiB that nobody can read: a column far too long.
fn nonsense() -> Vec<u8> {
    let mut payload = columns(&span(2, 1), &[b"\x01"]);
    payload.extend((4_u64 << 20).to_le_bytes());
    payload.resize(4 * MIB, 0);
    payload
}

/// A zstd frame by hand: header bytes, then one block of `length` equal bytes.
fn frame(header: &[u8], length: u32) -> Vec<u8> {
    // A last block (1) of one repeated byte (type 1), its length from bit 3 on.
    let block = (length << 3 | 1 << 1 | 1).to_le_bytes();
    [b"\x28\xb5\x2f\xfd", header, &block[..3], b"\0"].concat()
}

/// `count` notes of one byte.
fn notes(count: u32) -> Vec<u8> {
    let ones = vec![1; count as usize];
    columns(&count.to_le_bytes(), &[&ones, &ones])
}

/// As many samples of one stack as a chunk may have.
fn samples() -> Vec<u8> {
    let count = 65_536;
    let zeros = vec![0; count];
    let mut stacks = zeros.clone();
    stacks[0] = 4;
    let mut weights = zeros.clone();
    weights[0] = 20;
    columns(&head(count as u32, 5), &[b"\0", &zeros, &stacks, &weights, &zeros])
}

pub(super) fn add(corpus: &mut Corpus) {
    let sizes = [
        ("right", 0x60, vec![0, 1]),
        ("too small", 0x60, vec![0, 0]),
        ("too large", 0xa0, vec![0xff, 0xff, 0xff, 0x7f]),
        ("8 EiB", 0xe0, vec![0xff; 8]),
    ];
    for (name, descriptor, size) in sizes {
        // The two-byte form adds 256; a block of 512 bytes is thus right for 256.
        corpus.small(format!("zstd: content size {name}"), move || {
            let stored = frame(&[&[descriptor][..], &size].concat(), 512);
            [256, 511, 512, 513, 10_000]
                .iter()
                .fold(Forge::new(), |file, raw| file.stored(15, *raw, &stored))
                .note()
                .finished()
        });
    }
    for (name, window) in [("1 KiB", 0x00), ("1 MiB", 0x50), ("2 GiB", 0xa8), ("1.9 TiB", 0xff)] {
        corpus.small(format!("zstd: no content size, window of {name}"), move || {
            let stored = frame(&[0, window], 512);
            Forge::new().stored(15, 512, &stored).stored(15, 4 << 10, &stored).note().finished()
        });
    }
    corpus.small("zstd: cut at every length", || {
        let stored = pack(&notes(1_000));
        let cuts = 0..stored.len();
        cuts.fold(Forge::new(), |file, n| file.stored(15, 2_020, &stored[..n])).note().finished()
    });
    corpus.small("zstd: every byte changed", || {
        let payload = notes(200);
        let stored = pack(&payload);
        let change = |at: usize| {
            let mut stored = stored.clone();
            stored[at] ^= 1 << (at % 8);
            stored
        };
        let all = (0..stored.len()).map(change);
        all.fold(Forge::new(), |f, s| f.stored(15, payload.len() as u32, &s)).note().finished()
    });
    corpus.small("zstd: two frames, a skippable frame, bytes behind", || {
        let one = pack(&notes(50));
        let skippable = [&b"\x50\x2a\x4d\x18"[..], &[4, 0, 0, 0], b"skip"].concat();
        Forge::new()
            .stored(15, notes(50).len() as u32, &[&one[..], &one].concat())
            .stored(15, notes(50).len() as u32 * 2, &[&one[..], &one].concat())
            .stored(15, notes(50).len() as u32, &[&skippable[..], &one].concat())
            .stored(15, notes(50).len() as u32, &[&one[..], b"more"].concat())
            .stored(15, 4, &skippable)
            .stored(15, 0, b"")
            .note()
            .finished()
    });
    corpus.small("zstd: needs a dictionary", || {
        let stored = frame(&[0x63, 1, 2, 3, 4, 0, 1], 512);
        Forge::new().stored(15, 512, &stored).note().finished()
    });
    corpus.small("a bomb at the limit of 1,000 to 1", || {
        Forge::new().packed(2, &nonsense()).note().finished()
    });
    corpus.small("a bomb of 64 MiB", || {
        let stored = pack(&vec![0; 64 * MIB]);
        Forge::new().stored(2, 4 << 20, &stored).stored(2, 1 << 20, &stored).note().finished()
    });
    corpus.large("500 bombs", || {
        let payload = nonsense();
        (0..500).fold(Forge::new(), |file, _| file.packed(2, &payload)).note().finished()
    });
    corpus.large("200 chunks of 65,536 samples", || {
        let payload = samples();
        (0..200).fold(Forge::with_definitions(), |file, _| file.packed(8, &payload)).finished()
    });
    corpus.large("a chunk of 65,536 different notes", || {
        let lengths = vec![3; 65_536];
        let bytes: Vec<u8> = (0..65_536_u32).flat_map(|n| n.to_le_bytes()[..3].to_vec()).collect();
        Forge::new().packed(15, &columns(&65_536_u32.to_le_bytes(), &[&lengths, &bytes])).finished()
    });
}
