//! Blocks in the hands of a thread that is ignored: nothing is counted, no event is told and no slot claimed.
//!
//! What other threads were told of such a block must stay true, though: one that is followed ends, or moves, whoever does
//! it. The words of the live table are enough for that, and the collector finds the mark of an end there.

use super::Resizing;
use super::{followed, nobody_frees, resize_failed};
use crate::live::{Followed, Live};
use crate::process;
use crate::sys::syscall;

/// The native block at `address` is about to be given back.
#[inline]
pub(crate) fn freeing(address: usize) {
    if followed(address) {
        nobody_frees(address);
    }
}

/// The native block at `address` is about to be resized; then [`resized`] or [`super::resize_failed`] must be called.
#[inline]
pub(crate) fn resizing(address: usize) -> Resizing {
    if followed(address) { lift(address) } else { Resizing::not_followed(address) }
}

#[cold]
fn lift(address: usize) -> Resizing {
    let not_followed = Resizing::not_followed(address);
    let Some(session) = process::session() else { return not_followed };
    let live = Live::of(session);
    match live.find(address as u64) {
        Some(Followed { id, has_ended: false }) if live.remove(address as u64).is_some() => {
            Resizing { block: id, time: syscall::monotonic(), ..not_followed }
        }
        // One that has ended keeps its mark until the collector has seen it.
        _ => not_followed,
    }
}

/// The block is at `address` from now on. Its growth is nobody's.
#[inline]
pub(crate) fn resized(resizing: Resizing, address: usize) {
    resize_failed(Resizing { address: address as u64, ..resizing });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{alone, join};
    use crate::session::word;
    use crate::sync::Ordering::Relaxed;
    use crate::thread;

    #[test]
    fn a_followed_block_ends_by_a_mark() {
        alone(|| {
            let session = join();
            let live = Live::of(session);
            live.insert(0x1000, 7);
            thread::ignore();
            freeing(0x1008); // same byte of the filter, another address
            assert_eq!(session.word(word::ENDS_MARKED).load(Relaxed), 0);
            freeing(0x1000);
            assert_eq!(session.word(word::ENDS_MARKED).load(Relaxed), 1);
            assert_eq!(live.ended().collect::<Vec<_>>(), [7]);
            freeing(0x1000);
            assert_eq!(session.word(word::ENDS_MARKED).load(Relaxed), 1);
            // Another block has the address now: it is not the one that is followed.
            let resizing = resizing(0x1000);
            assert!(!resizing.is_followed());
            resized(resizing, 0x3000);
            assert_eq!(live.ended().collect::<Vec<_>>(), [7]);
        });
    }

    #[test]
    fn a_followed_block_moves() {
        alone(|| {
            let session = join();
            let live = Live::of(session);
            let id = |address| live.find(address).map(|block| block.id);
            live.insert(0x1000, 7);
            let first = resizing(0x1000);
            assert_eq!(id(0x1000), None, "its address can be another's by now");
            resized(first, 0x2000);
            assert_eq!((id(0x1000), id(0x2000)), (None, Some(7)));
            resize_failed(resizing(0x2000));
            assert_eq!(id(0x2000), Some(7));
        });
    }
}
