//! Short files that ask for much memory: what a reader or a profile keeps follows what they say, and
//! compression lets them say much.

use super::Corpus;
use crate::forge::{Forge, columns, head, span, varints};

const EVENTS: u32 = 65_536;

/// A column of as many numbers as a chunk may have entries.
fn column(number: u8) -> Vec<u8> {
    vec![number; EVENTS as usize]
}

/// As many stacks as the file has, each a root.
fn with_stacks(chunks: u32) -> Forge {
    (0..chunks).fold(Forge::with_definitions(), |file, n| {
        file.packed(5, &columns(&span(2 + n * EVENTS, EVENTS), &[&column(0), &column(0)]))
    })
}

/// A column of differences that goes through all stacks, or strings, from the one of this number on.
fn each_stack(from: u32) -> Vec<u8> {
    [varints([u64::from(from) * 2]), vec![2; EVENTS as usize - 1]].concat()
}

/// Numbers that go up by one, as many as a chunk may have entries.
fn rising(first: u32) -> Vec<u8> {
    varints((first..first + EVENTS).map(u64::from))
}

/// Different strings, functions, frames and stacks: so many chunks of each, and of stacks twice as many.
fn dictionaries(mut file: Forge, chunks: u32) -> Forge {
    let [zeros, ones] = [column(0), column(1)];
    // What every trace begins with stands before.
    for first in (0..chunks).map(|n| n * EVENTS) {
        let text = |n: u32| [&n.to_le_bytes()[..], &[0x1b; 55]].concat();
        let texts: Vec<u8> = (first..first + EVENTS).flat_map(text).collect();
        file = file
            .packed(2, &columns(&span(first + 2, EVENTS), &[&column(59), &texts]))
            .packed(
                3,
                &columns(
                    &span(first + 1, EVENTS),
                    &[&rising(first), &rising(first), &zeros, &ones],
                ),
            )
            .packed(4, &columns(&span(first + 1, EVENTS), &[&rising(first), &ones]));
    }
    for first in (0..chunks).map(|n| n * EVENTS) {
        file = file.packed(5, &columns(&span(first, EVENTS), &[&zeros, &rising(first)]));
    }
    // Each of the others is called by one of the first.
    let back = varints([u64::from(chunks * EVENTS); EVENTS as usize]);
    for first in (0..chunks).map(|n| n * EVENTS) {
        let stacks = columns(&span(chunks * EVENTS + first, EVENTS), &[&back, &rising(first / 2)]);
        file = file.packed(5, &stacks);
    }
    file
}

/// As many of everything as a reader takes, and a little more of most.
fn everything() -> Vec<u8> {
    let [zeros, ones, twos] = [column(0), column(1), column(2)];
    let mut file = dictionaries(Forge::new(), 16);
    for n in 0..3 {
        let first = n * EVENTS;
        let mut delta = first.to_le_bytes().to_vec();
        // Parent, pid, time, profiled; no Python, one argument.
        let process =
            [&[0; 8 + 4 + 8][..], &[1], &[0; 8], &1_u64.to_le_bytes(), &columns(b"", &[b"x"])]
                .concat();
        delta.extend(u64::from(EVENTS).to_le_bytes());
        delta.extend(process.repeat(EVENTS as usize));
        let threads = [&rising(first), &zeros, &zeros, &ones, &zeros];
        file = file
            .packed(6, &delta)
            .packed(7, &columns(&span(first, EVENTS), &threads.map(|column| &column[..])));
    }
    for n in 0..32 {
        let stacks = each_stack(1 + n * EVENTS);
        let blocks =
            [varints([u64::from(n * EVENTS) * 2 + 2]), vec![2; EVENTS as usize - 1]].concat();
        let samples = [&b"\0"[..], &zeros, &stacks, &ones, &zeros];
        let allocs = [&b"\0"[..], &zeros, &zeros, &stacks, &twos, &ones, &blocks];
        let copies = [&b"\0"[..], &zeros, &zeros, &stacks, &twos, &ones];
        let counters = [&rising(n % 2 * EVENTS), &zeros, &rising(n * EVENTS / 2), &ones];
        file = file
            .packed(8, &columns(&head(EVENTS, 5), &samples))
            .packed(9, &columns(&head(EVENTS, 5), &allocs))
            .packed(10, &columns(&head(EVENTS, 5), &copies))
            .packed(12, &columns(&EVENTS.to_le_bytes(), &counters.map(|column| &column[..])));
    }
    file.finished()
}

pub(super) fn add(corpus: &mut Corpus) {
    corpus.greedy("all strings that the limit allows", || {
        let lengths = varints([65_535; 64]);
        let lengths = [&lengths[..lengths.len() - 3], &varints([64_535])[..]].concat();
        (0..68)
            .fold(Forge::new(), |file, n| {
                let mut bytes = vec![b'x'; 65_535 * 64 - 1_000];
                for (at, string) in bytes.chunks_mut(65_535).enumerate() {
                    string[..4].copy_from_slice(&(n * 64 + at as u32).to_le_bytes());
                }
                file.packed(2, &columns(&span(2 + n * 64, 64), &[&lengths, &bytes]))
            })
            .finished()
    });
    corpus.greedy("all functions, frames and stacks that the limit allows", || {
        dictionaries(Forge::new(), 33).finished()
    });
    corpus.greedy("everything that the limits allow", everything);
    corpus.large("four million blocks that are never freed", || {
        let [zeros, twos] = [column(0), column(2)];
        let mut file = Forge::with_definitions();
        for n in 0..64 {
            let blocks = [varints([u64::from(n * EVENTS) * 2 + 2]), vec![2; EVENTS as usize - 1]];
            file = file.packed(
                9,
                &columns(
                    &head(EVENTS, 5),
                    &[b"\0", &zeros, &zeros, &zeros, &twos, &zeros, &blocks.concat()],
                ),
            );
        }
        file.finished()
    });
    corpus.greedy("more sums of time than are kept", || {
        let zeros = column(0);
        (0..40)
            .fold(with_stacks(31), |file, n| {
                let block = [&b"\0"[..], &zeros, &each_stack(3 + n * EVENTS), &zeros, &zeros];
                file.packed(8, &columns(&head(EVENTS, 5), &block))
            })
            .finished()
    });
    corpus.greedy("more sums of allocations and of copies than are kept", || {
        let [zeros, twos] = [column(0), column(2)];
        (0..40)
            .fold(with_stacks(31), |file, n| {
                let stacks = each_stack(3 + n * EVENTS);
                let allocs = [&b"\0"[..], &zeros, &zeros, &stacks, &twos, &zeros, &zeros];
                let copies = [&b"\0"[..], &zeros, &zeros, &stacks, &twos, &zeros];
                file.packed(9, &columns(&head(EVENTS, 5), &allocs))
                    .packed(10, &columns(&head(EVENTS, 5), &copies))
            })
            .finished()
    });
    corpus.greedy("more copiers than are kept", || {
        const APPEND_ONLY: u8 = 4;
        // What the definitions of the example have, and the strings that stand before.
        const STRINGS: u32 = 6;
        let [zeros, twos] = [column(0), column(2)];
        let file = (0..15).fold(Forge::with_definitions(), |file, n| {
            let texts: Vec<u8> =
                (0..EVENTS).flat_map(|at| (n * EVENTS + at).to_le_bytes()).collect();
            file.packed(2, &columns(&span(STRINGS + n * EVENTS, EVENTS), &[&column(4), &texts]))
        });
        (0..15)
            .fold(file, |file, n| {
                let copiers = each_stack(STRINGS + n * EVENTS);
                let block = [&b"\0"[..], &zeros, &zeros, &twos, &twos, &zeros, &copiers];
                let payload = columns(&head(EVENTS, 5), &block);
                file.packed_as(10, (2, APPEND_ONLY), &payload)
            })
            .finished()
    });
    corpus.greedy("all binaries that the limit allows, and stacks of inlined frames", || {
        const TWO: (u8, u8) = (2, 4);
        const BINARIES: u32 = (1 << 14) - 1;
        // Two strings more: a long path and a build id, for all of them.
        let texts = [vec![b'/'; 65_535], vec![0xab; 64]].concat();
        let ids = |number: u8| vec![number; BINARIES as usize];
        let [zeros, ones] = [column(0), column(1)];
        let of: Vec<u8> = varints((0..EVENTS).map(|n| u64::from(n % (BINARIES + 1))));
        let mut file = Forge::with_definitions()
            .packed(2, &columns(&span(6, 2), &[&varints([65_535, 64]), &texts]))
            .packed(19, &columns(&span(1, BINARIES), &[&ids(6), &ids(7)]))
            .packed_as(3, TWO, &columns(&span(3, EVENTS), &[&zeros, &zeros, &zeros, &ones, &of]))
            .packed_as(4, TWO, &columns(&span(3, EVENTS), &[&rising(3), &ones, &ones]));
        // Calls of one function by itself, 256 deep, again and again.
        let parents: Vec<u8> = (0..EVENTS).map(|n| u8::from(n % 256 > 0)).collect();
        for n in 0..4 {
            let frames = varints((0..EVENTS).map(|at| u64::from(3 + (at / 256 + n * 256) % 999)));
            file = file.packed(5, &columns(&span(2 + n * EVENTS, EVENTS), &[&parents, &frames]));
        }
        let block = [&b"\0"[..], &zeros, &each_stack(3), &ones, &zeros];
        file.packed(8, &columns(&head(EVENTS, 5), &block)).finished()
    });
    corpus.large("a million different notes", || {
        (0..16)
            .fold(Forge::new(), |file, n| {
                let number = |at| n * EVENTS + at;
                let bytes: Vec<u8> = (0..EVENTS).flat_map(|at| number(at).to_le_bytes()).collect();
                file.packed(15, &columns(&EVENTS.to_le_bytes(), &[&column(4), &bytes]))
            })
            .finished()
    });
    corpus.large("200 notes of 4 MiB", || {
        let length = (4 << 20) - 100;
        let note = columns(&1_u32.to_le_bytes(), &[&varints([length]), &vec![7; length as usize]]);
        (0..200).fold(Forge::new(), |file, _| file.packed(15, &note)).finished()
    });
    corpus.greedy("20,000 threads with names of 64 KiB", || {
        let (count, length) = (64, 65_535 - 100);
        let (lengths, names) = (varints([length; 64]), vec![7; length as usize * count]);
        let zeros = vec![0; count];
        (0..300)
            .fold(Forge::with_definitions(), |file, n| {
                let columns_of = [&zeros[..], &zeros, &zeros, &lengths, &names];
                file.packed(7, &columns(&span(2 + n * 64, 64), &columns_of))
            })
            .finished()
    });
    corpus.large("300 threads with names of 4 MiB", || {
        let length = (4 << 20) - 200;
        let (lengths, name) = (varints([length]), vec![7; length as usize]);
        (0..300)
            .fold(Forge::with_definitions(), |file, n| {
                file.packed(7, &columns(&span(2 + n, 1), &[b"\0", b"\0", b"\0", &lengths, &name]))
            })
            .finished()
    });
    corpus.large("50 processes with half a million empty arguments each", || {
        let arguments = 500_000_u64;
        (0..50)
            .fold(Forge::with_definitions(), |file, n| {
                let mut delta = (2 + n as u32).to_le_bytes().to_vec();
                delta.extend(1_u64.to_le_bytes());
                // Parent, pid, time, profiled; no Python.
                delta.extend([0; 8 + 4 + 8 + 1 + 8]);
                delta.extend(arguments.to_le_bytes());
                delta.resize(delta.len() + arguments as usize * 8, 0);
                file.packed(6, &delta)
            })
            .finished()
    });
    corpus.large("a million counters' names of one process", || {
        let [zeros, ones] = [column(0), column(4)];
        let mut file = Forge::new().plain(6, &{
            let mut delta = 0_u32.to_le_bytes().to_vec();
            delta.extend(1_u64.to_le_bytes());
            delta.extend([0; 8 + 4 + 8 + 1 + 8 + 8]);
            delta
        });
        for n in 0..16 {
            let first = 2 + n * EVENTS;
            let names: Vec<u8> = (first..first + EVENTS).flat_map(u32::to_le_bytes).collect();
            let ids = varints((first..first + EVENTS).map(u64::from));
            file = file
                .packed(2, &columns(&span(first, EVENTS), &[&ones, &names]))
                .packed(12, &columns(&EVENTS.to_le_bytes(), &[&zeros, &zeros, &ids, &zeros]));
        }
        file.finished()
    });
    corpus.large("a block with 65,536 parts, shrunk 65,536 times", || {
        let count = 65_536;
        let zeros = vec![0; count];
        let ones = vec![2; count];
        let stacks = columns(&span(2, count as u32), &[&zeros, &zeros]);
        // Each allocation in another stack: 2, 3, 4 and on.
        let first = [&[6][..], &ones[1..]].concat();
        let blocks = [&[2][..], &zeros[1..]].concat();
        let rows: &[u8] = b"\0";
        let allocs =
            columns(&head(count as u32, 5), &[rows, &zeros, &zeros, &first, &ones, &ones, &blocks]);
        // Resizes name the block by its difference to that of the last allocation: none in this chunk.
        let halves = [9, 8].repeat(count);
        let resizes = columns(
            &head(count as u32, 6),
            &[rows, &vec![3; count], &zeros, b"", &halves, b"", &ones],
        );
        Forge::with_definitions()
            .packed(5, &stacks)
            .packed(9, &allocs)
            .packed(9, &resizes)
            .finished()
    });
}
