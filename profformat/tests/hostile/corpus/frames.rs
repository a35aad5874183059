//! Chunks in the wrong places: swapped, doubled, removed, from other traces, inside each other.

use super::Corpus;
use crate::example;
use crate::forge::{Forge, chunk, chunks, columns, end_record, varints, zigzag};
use profformat::Options;

/// A trace cut into its file header, its chunks and its end record.
fn parts(compress: bool, rounds: u64) -> (Vec<u8>, Vec<Vec<u8>>, Vec<u8>) {
    let (_, bytes) = example::trace(Options { compress, ..example::PLAIN }, rounds);
    let chunks = chunks(&bytes);
    let cut = |&(begin, end): &(usize, usize)| bytes[begin..end].to_vec();
    let last = chunks[chunks.len() - 1].1;
    (bytes[..88].to_vec(), chunks.iter().map(cut).collect(), bytes[last..].to_vec())
}

/// The same trace with its chunks in another arrangement.
fn arranged(arrange: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let (header, mut chunks, end) = parts(false, 3);
    arrange(&mut chunks);
    [header, chunks.concat(), end].concat()
}

/// A chunk that goes on beyond the end of the file, wherever that is.
fn endless(sequence: u64) -> Vec<u8> {
    let mut bytes = chunk(2, 1, 0, sequence, 1 << 22, b"");
    bytes[16..20].copy_from_slice(&(1_u32 << 22).to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..32].copy_from_slice(&crc.to_le_bytes());
    bytes
}

pub(super) fn add(corpus: &mut Corpus) {
    let count = parts(false, 3).1.len();
    for at in 0..count {
        corpus.small(format!("without chunk {at}"), move || {
            arranged(|chunks| drop(chunks.remove(at)))
        });
        corpus.small(format!("chunk {at} twice"), move || {
            arranged(|chunks| chunks.insert(at, chunks[at].clone()))
        });
        corpus.small(format!("chunk {at} again at the end"), move || {
            arranged(|chunks| chunks.push(chunks[at].clone()))
        });
        corpus.small(format!("chunk {at} of another trace"), move || {
            let other = parts(true, 10).1;
            arranged(|chunks| chunks[at] = other[at % other.len()].clone())
        });
        corpus.small(format!("chunk {at} cut in half"), move || {
            arranged(|chunks| {
                let half = chunks[at].len() / 2;
                chunks[at].truncate(half);
            })
        });
        for other in at + 1..count {
            corpus.small(format!("chunks {at} and {other} swapped"), move || {
                arranged(|chunks| chunks.swap(at, other))
            });
        }
    }
    corpus.small("chunks in reverse", || arranged(|chunks| chunks.reverse()));
    corpus.small("two traces, chunk by chunk", || {
        let other = parts(false, 1).1;
        arranged(|chunks| {
            *chunks = chunks.iter().zip(other).flat_map(|(a, b)| [a.clone(), b]).collect();
        })
    });
    corpus.small("one byte more before the chunks", || {
        let (header, chunks, end) = parts(false, 3);
        [header, vec![0], chunks.concat(), end].concat()
    });
    corpus.small("a whole trace in a note", || {
        let (_, bytes) = example::trace(example::PLAIN, 3);
        let lengths = varints([bytes.len() as u64]);
        let payload = columns(&[1, 0, 0, 0], &[&lengths, &bytes]);
        // One of them begins at a multiple of 8, as chunks do.
        let shifted = (0..8).map(|n| [&[0; 8][..n], &payload].concat());
        shifted.fold(Forge::new(), |file, payload| file.plain(15, &payload)).cut()
    });
    corpus.small("the same, and the header before it is damaged", || {
        let (_, bytes) = example::trace(example::PLAIN, 3);
        let mut file = Forge::new().plain(0x8001, &bytes).note().finished();
        let second = chunks(&file)[1].0;
        file[second + 8] ^= 1;
        file
    });
    corpus.small("an end record in the middle", || {
        Forge::new().raw(&end_record(0, 1)).note().raw(&end_record(88, 2)).note().finished()
    });
    corpus.small("end records only", || Forge::new().raw(&end_record(88, 1).repeat(50)).cut());
    for chunks in [0, 1, 2, 3, 4, 1 << 32, u64::MAX] {
        corpus.small(format!("an end record that counts {chunks} chunks"), move || {
            Forge::new().note().raw(&end_record(0, chunks)).cut()
        });
    }
    for offset in [0, 1, 8, 80, 88, 96, 120, 160, 200, 1 << 32, i64::MAX as u64, u64::MAX] {
        corpus.small(format!("an index said to be at {offset}"), move || {
            let (_, mut bytes) = example::trace(example::PLAIN, 3);
            let (at, count) = (bytes.len() - 32, chunks(&bytes).len() as u64);
            bytes.truncate(at);
            [bytes, end_record(offset, count)].concat()
        });
        corpus.small(format!("an index that points at {offset}"), move || {
            let index = columns(&[1, 0, 0, 0], &[&varints([offset]), b"\x08", b"\x01"]);
            let file = Forge::with_definitions().note().plain(16, &[0; 8]);
            let (at, count) = (file.length(), file.sequence() + 1);
            file.plain(17, &index).raw(&end_record(at, count)).cut()
        });
    }
    corpus.small("an index that points at itself and at End", || {
        let (_, bytes) = example::trace(example::PLAIN, 3);
        let all = chunks(&bytes);
        let (index, end) = (all[all.len() - 1].0 as u64, all[all.len() - 2].0 as u64);
        let offsets =
            [varints([index / 4]), varints([zigzag((end as i64 - index as i64) / 8)])].concat();
        let payload = columns(&[2, 0, 0, 0], &[&offsets, b"\x11\x10", b"\x01\x01"]);
        let chunk = chunk(17, 1, 0, all.len() as u64 - 1, payload.len() as u32, &payload);
        let count = all.len() as u64;
        [&bytes[..index as usize], &chunk, &end_record(index, count)].concat()
    });
    corpus.small("a chunk that never ends before each chunk", || {
        arranged(|chunks| {
            let with = |(n, chunk): (usize, &Vec<u8>)| [endless(n as u64), chunk.clone()].concat();
            *chunks = chunks.iter().enumerate().map(with).collect();
        })
    });
    corpus.large("300,000 chunks that never end", || {
        (0..300_000).fold(Forge::new(), |file, n| file.raw(&endless(n))).cut()
    });
}
