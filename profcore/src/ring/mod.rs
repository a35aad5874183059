//! Rings and the registry that hands them to threads.
//!
//! ```text
//!   words   [ . . . | event | event | event | . . . . . ]
//!                    ^ tail                  ^ head
//!   collector reads here, then moves tail    its thread writes here, then moves head
//! ```
//!
//! `head` and `tail` count words since the ring was made and never wrap; a position's index is the count
//! modulo the number of words. Only the owning thread stores `head`, only the collector stores `tail`.
//! Every word is a relaxed atomic, so the ring is safe code even when the other side is another process.
//!
//! Ordering: the producer's Release store of `head` publishes the words of an event to the consumer's
//! Acquire load; the consumer's Release store of `tail` gives the space back to the producer's Acquire
//! load, after its last read of those words.

pub(crate) mod registry;
pub(crate) mod spsc;
