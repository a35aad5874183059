//! Tells labels to the consumer of a thread's ring. Handlers call this: no allocation, no lock, no libc.

use crate::event::{LABELS, head_word, kind};
use crate::ring::spsc::Share;
use crate::session::Slot;
use crate::sys::labels::{self, OFF};

/// Words of a LABELS event.
const WORDS: usize = 2 + LABELS;

/// Tells the calling thread's labels if they are not what its slot's ring was told last; to be called with the busy flag
/// taken, right before a sample of this time and share is written. False: there is no room, and so none for the sample.
///
/// The sample's share, not all of the ring: samples that are thinned out because their share is full must not fill the
/// rest with their labels.
pub(crate) fn tell(slot: Slot, time: u64, share: Share) -> bool {
    if OFF {
        return true;
    }
    let block = labels::block();
    // Read once: a handler of the program's may change them meanwhile.
    let words = block.words();
    if block.is_told(&words) {
        return true;
    }
    let Some(mut event) = slot.ring().reserve(WORDS, share) else { return false };
    event.word(head_word(WORDS, kind::LABELS, 0, 0));
    event.word(time);
    words.iter().for_each(|&word| event.word(word));
    event.commit();
    block.note_told(&words);
    true
}

/// The calling thread gets a slot: its consumer takes it for a thread without labels.
pub(crate) fn begin_owner() {
    labels::block().note_told(&[0; LABELS]);
}
