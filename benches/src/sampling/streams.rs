//! Streams of allocations with one site that is asked for.

use crate::random::Random;

const KI: u64 = 1 << 10;
const MI: u64 = 1 << 20;
const GI: u64 = 1 << 30;

/// A stream: what is allocated, in which order, on which thread.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Blocks of one size, and as many bytes of small ones between them.
    Class(u64),
    /// Sites that take turns, with these sizes; the first is asked for.
    Turns(&'static [u64]),
    /// A thousand sites that take turns; one is asked for.
    Thousand,
    /// So many small blocks, which are asked for, and then a large one.
    Beside(u64, u64),
    /// A site of which one thread has an eighth, between large blocks, and another the rest, between small ones.
    TwoThreads,
}

/// All streams, easiest first.
pub fn streams() -> Vec<Stream> {
    let classes = [16, 256, 4 * KI, 64 * KI, 256 * KI, MI, 16 * MI, 256 * MI, GI];
    let mut all: Vec<_> = classes.map(Stream::Class).into();
    all.extend([
        Stream::Turns(&[4096, 4096]),
        Stream::Turns(&[128 * KI, 128 * KI]),
        Stream::Turns(&[16, 4080]),
        Stream::Turns(&[4080, 16]),
        Stream::Thousand,
        Stream::Beside(1000, MI),
        Stream::TwoThreads,
    ]);
    all
}

impl Stream {
    /// Threads that allocate.
    pub fn threads(self) -> usize {
        if matches!(self, Self::TwoThreads) { 2 } else { 1 }
    }

    /// Allocates: `allocate(thread, whether the site is asked for, size)`.
    pub fn play(self, random: &mut Random, mut allocate: impl FnMut(usize, bool, u64)) {
        const BYTES: u64 = 16 * MI;
        match self {
            Self::Class(size) => {
                let mut between = 0;
                for block in 1..=(BYTES / size).max(4) {
                    allocate(0, true, size);
                    // As many bytes, but not more than a few samples' worth: they only have to be there.
                    while between < (block * size).min(block * MI) {
                        let small = 16 + random.below(496);
                        allocate(0, false, small);
                        between += small;
                    }
                }
            }
            Self::Turns(sizes) => {
                for _ in 0..2 * BYTES / sizes.iter().sum::<u64>() {
                    for (site, &size) in sizes.iter().enumerate() {
                        allocate(0, site == 0, size);
                    }
                }
            }
            Self::Thousand => {
                for _ in 0..2000 {
                    for site in 0..1000_u64 {
                        // 16 to 1,024 bytes, always the same at a site.
                        allocate(0, site == 500, 16 * (1 + site % 64));
                    }
                }
            }
            Self::Beside(small, large) => {
                for _ in 0..200 {
                    (0..small).for_each(|_| allocate(0, true, 16));
                    allocate(0, false, large);
                }
            }
            Self::TwoThreads => {
                for block in 0..BYTES / 512 {
                    let thread = usize::from(block % 8 != 0);
                    allocate(thread, true, 512);
                    allocate(thread, false, if thread == 0 { 64 * KI } else { 16 });
                }
            }
        }
    }
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Class(size) => write!(f, "blocks of {}, small ones between", unit(size)),
            Self::Turns(sizes) => {
                let sizes: Vec<_> = sizes.iter().map(|&size| unit(size)).collect();
                write!(f, "sites in turn: {}", sizes.join(", "))
            }
            Self::Thousand => f.write_str("one site among a thousand"),
            Self::Beside(small, large) => {
                write!(f, "{small} of 16 B, then one of {}", unit(large))
            }
            Self::TwoThreads => f.write_str("two threads, 1/8 and 7/8 of the site"),
        }
    }
}

fn unit(bytes: u64) -> String {
    match bytes {
        GI.. => format!("{} GiB", bytes / GI),
        MI.. => format!("{} MiB", bytes / MI),
        KI.. if bytes.is_multiple_of(KI) => format!("{} KiB", bytes / KI),
        _ => format!("{bytes} B"),
    }
}
