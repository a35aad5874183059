//! Names that are long and used often, and many things with a name: what an output makes of them must not be
//! their product.

use super::Corpus;
use crate::forge::{Forge, columns, head, span, varints};

const MIB: usize = 1 << 20;
/// As many as a chunk may have.
const MANY: u32 = 65_536;

fn zeros() -> Vec<u8> {
    vec![0; MANY as usize]
}

/// Numbers that go up by one from a first one, `MANY` of them.
fn rising(first: u32) -> Vec<u8> {
    varints((first..first + MANY).map(u64::from))
}

/// One string of 64 KiB less one byte, number `id`.
fn long_string(file: Forge, id: u32, byte: u8) -> Forge {
    let length = 65_535;
    let bytes = vec![byte; length];
    file.packed(2, &columns(&span(id, 1), &[&varints([length as u64]), &bytes]))
}

/// `count` samples, each of the next stack, from stack 2 on.
fn samples(count: usize, thread: &[u8]) -> Vec<u8> {
    let zeros = vec![0; count];
    let stacks = [&[6][..], &vec![2; count - 1]].concat();
    let weights = [&[20][..], &zeros[1..]].concat();
    columns(&head(count as u32, 5), &[thread, &zeros, &stacks, &weights, &zeros])
}

/// `MANY` roots, from stack 2 on, of the frames from 3 on.
fn roots(file: Forge) -> Forge {
    file.packed(5, &columns(&span(2, MANY), &[&zeros(), &rising(3)]))
}

/// Processes 2 and on, each with a command of a program and one argument of its own.
fn processes(count: u32) -> Vec<u8> {
    let mut delta = 2_u32.to_le_bytes().to_vec();
    delta.extend(u64::from(count).to_le_bytes());
    for number in 0..count {
        delta.extend([0; 8 + 4 + 8]);
        delta.push(1);
        delta.extend(columns(b"", &[b""]));
        delta.extend(2_u64.to_le_bytes());
        delta.extend(columns(b"", &[b"python3", format!("{number:x}.py").as_bytes()]));
    }
    delta
}

pub(super) fn add(corpus: &mut Corpus) {
    corpus.large("50 names of 64 KiB on 2,000 deep stacks", || {
        let length = 65_535;
        let names =
            columns(&span(6, 50), &[&varints([length; 50]), &vec![0x1b; length as usize * 50]]);
        let zeros = [0; 50];
        let functions = [&varints(6..56)[..], &zeros, &zeros, &zeros];
        let frames = columns(&span(3, 50), &[&varints(3..53), &zeros]);
        // A chain of 30 frames, and 2,000 leaves that hang on its end.
        let parents = (0..30).map(|n| u64::from(n > 0)).chain((0..2_000).map(|n| n + 1));
        let leaves = varints((0..2_030).map(|n| n % 50 + 3));
        Forge::with_definitions()
            .packed(2, &names)
            .packed(3, &columns(&span(3, 50), &functions))
            .packed(4, &frames)
            .packed(5, &columns(&span(2, 2_030), &[&varints(parents), &leaves]))
            .packed(8, &samples(2_030, b"\0"))
            .finished()
    });
    corpus.large("65,536 lines of a function with a name of 64 KiB", || {
        let functions = columns(&span(3, 1), &[b"\x06", b"\x06", b"\0", b"\0"]);
        let frames = columns(&span(3, MANY), &[&vec![3; MANY as usize], &rising(1)]);
        let file = long_string(Forge::with_definitions(), 6, 0xe9);
        roots(file.packed(3, &functions).packed(4, &frames))
            .packed(8, &samples(MANY as usize, b"\0"))
            .finished()
    });
    corpus.large("65,536 functions on one line, which call each other", || {
        let lengths = vec![4; MANY as usize];
        let names: Vec<u8> = (0..MANY).flat_map(|n| n.to_le_bytes()).collect();
        let functions =
            columns(&span(3, MANY), &[&rising(6), &vec![2; MANY as usize], &zeros(), &zeros()]);
        let frames = columns(&span(3, MANY), &[&rising(3), &vec![7; MANY as usize]]);
        // Each is called by one that is anything but a neighbor.
        let parents = varints((0..u64::from(MANY)).map(|n| n.min(n * 7 % 4_000)));
        Forge::with_definitions()
            .packed(2, &columns(&span(6, MANY), &[&lengths, &names]))
            .packed(3, &functions)
            .packed(4, &frames)
            .packed(5, &columns(&span(2, MANY), &[&parents, &rising(3)]))
            .packed(8, &samples(MANY as usize, b"\0"))
            .finished()
    });
    corpus.large("65,536 files and 20,000 commands", || {
        let lengths = vec![4; MANY as usize];
        let names: Vec<u8> = (0..MANY).flat_map(|n| n.to_le_bytes()).collect();
        let functions = columns(&span(3, MANY), &[&rising(6), &rising(6), &zeros(), &zeros()]);
        let frames = columns(&span(3, MANY), &[&rising(3), &zeros()]);
        let file = Forge::with_definitions()
            .packed(6, &processes(20_000))
            .packed(2, &columns(&span(6, MANY), &[&lengths, &names]))
            .packed(3, &functions)
            .packed(4, &frames);
        roots(file).packed(8, &samples(MANY as usize, b"\0")).finished()
    });
    corpus.large("a command of ../ and 65,536 files", || {
        let mut delta = 2_u32.to_le_bytes().to_vec();
        delta.extend(1_u64.to_le_bytes());
        delta.extend([0; 8 + 4 + 8]);
        delta.extend([1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let steps = b"../".repeat(21_000);
        delta.extend(60_u64.to_le_bytes());
        delta.extend(columns(b"", &vec![&steps[..]; 60]));
        let file = Forge::with_definitions().packed(6, &delta);
        let strings =
            columns(&span(6, MANY), &[&vec![1; MANY as usize], &vec![b'/'; MANY as usize]]);
        let functions = columns(&span(3, MANY), &[&zeros(), &rising(6), &zeros(), &zeros()]);
        file.packed(2, &strings).packed(3, &functions).note().finished()
    });
    corpus.large("a thread's name of 4 MiB on 20,000 samples", || {
        let length = 4 * MIB - 200;
        let (lengths, name) = (varints([length as u64]), vec![0x9b; length]);
        let count = 20_000;
        let zeros = vec![0; count];
        Forge::with_definitions()
            .packed(7, &columns(&span(2, 1), &[b"\0", b"\x07", b"\x02", &lengths, &name]))
            .packed(5, &columns(&span(2, count as u32), &[&zeros, &zeros]))
            .packed(8, &samples(count, b"\x02"))
            .finished()
    });
    corpus.large("65,536 reasons of loss", || {
        let names: Vec<u8> = (0..MANY).flat_map(|n| format!("lost.{n:5x}").into_bytes()).collect();
        let strings = columns(&span(6, MANY), &[&vec![10; MANY as usize], &names]);
        let ones = vec![1; MANY as usize];
        let counters = columns(&MANY.to_le_bytes(), &[&zeros(), &zeros(), &rising(6), &ones]);
        Forge::with_definitions().packed(2, &strings).packed(12, &counters).finished()
    });
}
