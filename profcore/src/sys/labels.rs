//! A thread's labels: a second block of thread-local words, reached as the one in [`super::tls`].
//!
//! Without a count of changes: what is set is compared with what was told. So a label costs one store when it is set
//! and one when it is restored, a region that came and went between two samples is not told, and a handler of the
//! program's that sets labels amid a change leaves nothing wrong.

use crate::event::LABELS;
use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU64, Ordering, compiler_fence};

// Hidden: each object that links profcore has a block of its own. The size is `Block`'s.
global_asm!(
    ".pushsection .tbss,\"awT\",@nobits",
    ".balign 64",
    ".globl prof_thread_labels",
    ".hidden prof_thread_labels",
    ".type prof_thread_labels,@object",
    ".size prof_thread_labels,128",
    "prof_thread_labels:",
    ".zero 128",
    ".popsection",
);

/// A thread's labels. All zero at birth. Atomic, because the thread's own signal handler reads them between any two
/// instructions (rule R3).
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Block {
    /// By key; 0: not set.
    set: [AtomicU64; LABELS],
    /// What the ring of the thread's slot was told last. Only with the busy flag.
    told: [AtomicU64; LABELS],
}

const _: () = assert!(size_of::<Block>() == 128);

/// Labels compile to nothing.
pub(crate) const OFF: bool = cfg!(feature = "off");

/// The calling thread's labels. The reference is good as long as the thread; it cannot leave it, because no caller stores
/// it.
#[inline(always)]
pub(crate) fn block() -> &'static Block {
    let address: *const Block;
    // SAFETY: rule R3; on x86_64 the word at fs:0 is the thread pointer itself, and the GOT holds the block's distance
    // from it. Neither changes during a thread's life, hence pure and nomem.
    unsafe {
        asm!(
            "mov {0}, qword ptr fs:[0]",
            "add {0}, qword ptr [rip + prof_thread_labels@GOTTPOFF]",
            out(reg) address,
            options(pure, nomem, nostack),
        );
        // SAFETY: rule R3; 128 zeroed, 64-aligned bytes of the static TLS area; `Block` is valid with zeros and is only
        // changed through atomics.
        &*address
    }
}

impl Block {
    /// Sets a key's word and gives the one before. A key that there is not has none.
    #[inline(always)]
    pub(crate) fn enter(&self, key: usize, word: u64) -> u64 {
        let before = self.get(key);
        self.put(key, word);
        compiler_fence(Ordering::SeqCst); // rule R3: what follows has the label
        before
    }

    /// Sets a key's word to what it was before.
    #[inline(always)]
    pub(crate) fn leave(&self, key: usize, before: u64) {
        compiler_fence(Ordering::SeqCst); // rule R3: what came so far had the label
        self.put(key, before);
    }

    #[inline(always)]
    pub(crate) fn get(&self, key: usize) -> u64 {
        match self.set.get(key) {
            Some(cell) if !OFF => cell.load(Ordering::Relaxed),
            _ => 0,
        }
    }

    #[inline(always)]
    fn put(&self, key: usize, word: u64) {
        if !OFF && let Some(cell) = self.set.get(key) {
            cell.store(word, Ordering::Relaxed);
        }
    }

    /// All words.
    #[inline(always)]
    pub(crate) fn words(&self) -> [u64; LABELS] {
        std::array::from_fn(|key| self.get(key))
    }

    /// Whether these words are what was told last.
    pub(crate) fn is_told(&self, words: &[u64; LABELS]) -> bool {
        self.told.iter().zip(words).all(|(told, &word)| told.load(Ordering::Relaxed) == word)
    }

    /// Notes what was told.
    pub(crate) fn note_told(&self, words: &[u64; LABELS]) {
        self.told.iter().zip(words).for_each(|(told, &word)| told.store(word, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_a_zeroed_block_of_its_own() {
        let mine = block();
        let before = mine.enter(LABELS - 1, 7);
        mine.note_told(&[9; LABELS]);
        let address = std::ptr::from_ref(mine).addr();
        assert_eq!(address % 64, 0);
        std::thread::spawn(move || {
            let other = block();
            assert_ne!(std::ptr::from_ref(other).addr(), address);
            assert_eq!(other.words(), [0; LABELS]);
            assert!(other.is_told(&[0; LABELS]));
        })
        .join()
        .expect("the thread's own assertions hold");
        assert_eq!(mine.get(LABELS - 1), if OFF { 0 } else { 7 });
        mine.leave(LABELS - 1, before);
        mine.note_told(&[0; LABELS]);
    }

    #[test]
    fn a_key_that_there_is_not_changes_nothing() {
        let words = block().words();
        assert_eq!(block().enter(LABELS, 7), 0);
        assert_eq!(block().get(LABELS), 0);
        assert_eq!(block().words(), words);
        block().leave(LABELS, 7);
        assert_eq!(block().words(), words);
    }
}
