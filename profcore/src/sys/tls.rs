//! One block of thread-local words, at a fixed distance from the thread pointer.
//!
//! Initial-exec: the block lies in the static TLS area, which a program and its preloaded libraries have
//! from each thread's first instruction on, so reaching it calls nothing and allocates nothing. The compiler's
//! own thread-locals would go through `__tls_get_addr` in a shared library, which may allocate.

use crate::session::{SLOT_WORDS, Slot};
use crate::sync::AtomicU64;
use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering, compiler_fence};

// Hidden: each object that links profcore has a block of its own. The size is `Block`'s.
global_asm!(
    ".pushsection .tbss,\"awT\",@nobits",
    ".balign 64",
    ".globl prof_thread_block",
    ".hidden prof_thread_block",
    ".type prof_thread_block,@object",
    ".size prof_thread_block,64",
    "prof_thread_block:",
    ".zero 64",
    ".popsection",
);

/// What a thread knows about itself. All zero at birth. Atomic, because the thread's own signal handler
/// reads and writes it between any two instructions (rule R3).
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Block {
    slot: AtomicUsize,
    /// `UNBORN`, `LIVE` or `DEAD`.
    pub(crate) state: AtomicU32,
    /// Not 0 while a hook's slow path or the handler works on this thread's slot.
    pub(crate) busy: AtomicU32,
    /// How deep the thread is in Python's allocators.
    python_depth: AtomicU32,
    /// How many reasons there are to pass the thread's allocations by.
    ignored: AtomicU32,
    /// Address of the slot while what `malloc` hands out is counted there: not inside Python's allocators, and the
    /// thread is not ignored. Else 0.
    counting: AtomicUsize,
    /// Address of the session's live filter while there is a slot.
    filter: AtomicUsize,
    /// Number of the alternate signal stack that the thread was lent, from 1 on; 0: none.
    #[cfg(feature = "embed")]
    pub(crate) lent: AtomicU32,
}

const _: () = assert!(size_of::<Block>() == 64);

/// Distances from `prof_thread_block`, for assembly.
pub(crate) const SLOT_AT: usize = offset_of!(Block, slot);
pub(crate) const COUNTING_AT: usize = offset_of!(Block, counting);
pub(crate) const FILTER_AT: usize = offset_of!(Block, filter);

/// No slot yet; the state every thread is born with.
pub(crate) const UNBORN: u32 = 0;
/// Has a slot.
pub(crate) const LIVE: u32 = 1;
/// Past its own end, or there was no slot for it: never gets one again.
pub(crate) const DEAD: u32 = 2;

/// The calling thread's block. The reference is good as long as the thread; it cannot leave it, because no
/// caller stores it.
#[inline(always)]
pub(crate) fn block() -> &'static Block {
    let address: *const Block;
    // SAFETY: on x86_64 the word at fs:0 is the thread pointer itself, and the GOT holds the block's
    // distance from it. Neither changes during a thread's life, hence pure and nomem.
    unsafe {
        asm!(
            "mov {0}, qword ptr fs:[0]",
            "add {0}, qword ptr [rip + prof_thread_block@GOTTPOFF]",
            out(reg) address,
            options(pure, nomem, nostack),
        );
        // SAFETY: 64 zeroed, 64-aligned bytes of the static TLS area; `Block` is valid with zeros and
        // is only changed through atomics.
        &*address
    }
}

/// The calling thread's pointer, which glibc's `pthread_self` returns.
pub(crate) fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: on x86_64 the word at fs:0 is the thread pointer itself.
    unsafe {
        asm!("mov {0}, qword ptr fs:[0]", out(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}

/// An address above all of the calling thread's stack. The C library keeps a thread's block at the top of its stack; above
/// the stack of the first one the kernel has put 16 random bytes.
pub(crate) fn stack_top(is_first: bool) -> u64 {
    // SAFETY: reads what the kernel told the process at its start, which the C library keeps.
    if is_first { unsafe { libc::getauxval(libc::AT_RANDOM) } } else { thread_pointer() }
}

/// Makes a key whose destructor calls `at_end` on each thread that has asked for it, after those of its thread-locals.
#[cfg(feature = "embed")]
pub(crate) fn end_key(at_end: fn()) -> Option<u32> {
    /// What is called: a destructor has an argument, which says nothing here.
    static AT_END: std::sync::OnceLock<fn()> = std::sync::OnceLock::new();
    unsafe extern "C" fn end(_: *mut core::ffi::c_void) {
        if let Some(at_end) = AT_END.get() {
            at_end();
        }
    }
    let _ = AT_END.set(at_end);
    let mut key = 0;
    // SAFETY: writes a key into our local; `end` has a destructor's form.
    let result = unsafe { libc::pthread_key_create(&raw mut key, Some(end)) };
    (result == 0).then_some(key)
}

/// Has a key's destructor called at the calling thread's end; false if it won't be.
///
/// In a handler, too: this is the one call of libc there (rule R1). Values of the first 32 keys have their place in the
/// thread's own block, where this stores one and does nothing else; a key above them would allocate, and is not used.
pub(crate) fn ask_for_end(key: u32) -> bool {
    const IN_BLOCK: u32 = 32;
    // SAFETY: the key is ours and never deleted; its value is not used.
    key < IN_BLOCK && unsafe { libc::pthread_setspecific(key, core::ptr::dangling()) } == 0
}

impl Block {
    /// The thread's slot; `None` before [`Block::set_slot`].
    #[inline(always)]
    pub(crate) fn slot(&self) -> Option<Slot> {
        Self::slot_at(&self.slot)
    }

    /// The thread's slot while what `malloc` hands out is counted there.
    #[cfg(any(test, feature = "embed"))]
    #[inline(always)]
    pub(crate) fn counting(&self) -> Option<Slot> {
        Self::slot_at(&self.counting)
    }

    /// The slot whose address is in `word`, one of the two above.
    #[inline(always)]
    fn slot_at(word: &AtomicUsize) -> Option<Slot> {
        let first = core::ptr::with_exposed_provenance::<AtomicU64>(word.load(Ordering::Relaxed));
        if first.is_null() {
            return None;
        }
        // SAFETY: not null means that `set_slot` stored the address of a whole slot of a session, and a
        // session's mapping outlives all use of it (`process::forked_child` forgets the slot first).
        Slot::new(unsafe { core::slice::from_raw_parts(first, SLOT_WORDS) })
    }

    /// Gives the thread a slot of a session with this live filter, or takes it away.
    pub(crate) fn set_slot(&self, slot: Option<(Slot, &'static [AtomicU64])>) {
        let (address, filter) = slot.map_or((0, 0), |(slot, filter)| {
            (slot.words().as_ptr().expose_provenance(), filter.as_ptr().expose_provenance())
        });
        self.counting.store(0, Ordering::Relaxed);
        if slot.is_some() {
            self.filter.store(filter, Ordering::Relaxed);
        }
        compiler_fence(Ordering::SeqCst); // rule R3: whoever sees the slot sees its filter
        self.slot.store(address, Ordering::Relaxed);
        self.set_python_depth(self.python_depth());
    }

    /// How deep the thread is in Python's allocators.
    #[inline(always)]
    pub(crate) fn python_depth(&self) -> u32 {
        self.python_depth.load(Ordering::Relaxed)
    }

    /// Enters Python's allocators or leaves them.
    #[inline(always)]
    pub(crate) fn set_python_depth(&self, depth: u32) {
        self.python_depth.store(depth, Ordering::Relaxed);
        self.choose_counting();
    }

    /// How many reasons there are to pass the thread's allocations by.
    #[inline(always)]
    pub(crate) fn ignored(&self) -> u32 {
        self.ignored.load(Ordering::Relaxed)
    }

    /// Says how many there are from now on.
    #[cfg(any(test, feature = "embed"))]
    #[inline(always)]
    pub(crate) fn set_ignored(&self, reasons: u32) {
        self.ignored.store(reasons, Ordering::Relaxed);
        self.choose_counting();
    }

    #[inline(always)]
    fn choose_counting(&self) {
        let counts = self.python_depth() == 0 && self.ignored() == 0;
        let counting = if counts { self.slot.load(Ordering::Relaxed) } else { 0 };
        self.counting.store(counting, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_a_zeroed_block_of_its_own() {
        let mine = block();
        mine.set_python_depth(7);
        let address = std::ptr::from_ref(mine).addr();
        assert_eq!(address % 64, 0);
        std::thread::spawn(move || {
            let other = block();
            assert_ne!(std::ptr::from_ref(other).addr(), address);
            assert_eq!(other.python_depth(), 0);
            assert_eq!(other.state.load(Ordering::Relaxed), UNBORN);
            assert!(other.slot().is_none());
        })
        .join()
        .expect("the thread's own assertions hold");
        assert_eq!(block().python_depth(), 7);
        block().set_python_depth(0);
    }

    #[test]
    fn a_slot_comes_back_as_it_was_set() {
        let words: Vec<_> = (0..SLOT_WORDS).map(|_| AtomicU64::new(0)).collect();
        let slot = Slot::new(words.leak()).expect("has a slot's length");
        block().set_slot(Some((slot, slot.words())));
        let got = block().slot().expect("was just set");
        assert!(std::ptr::eq(got.words(), slot.words()));
        block().set_slot(None);
        assert!(block().slot().is_none());
    }

    #[test]
    fn what_malloc_hands_out_is_counted_outside_pythons_allocators_only() {
        let words: Vec<_> = (0..SLOT_WORDS).map(|_| AtomicU64::new(0)).collect();
        let slot = Slot::new(words.leak()).expect("has a slot's length");
        let address = slot.words().as_ptr().addr();
        let counting = || block().counting.load(Ordering::Relaxed);
        block().set_python_depth(1);
        // A thread may get its slot in there.
        block().set_slot(Some((slot, slot.words())));
        assert_eq!(counting(), 0);
        block().set_python_depth(0);
        assert_eq!(counting(), address);
        block().set_python_depth(1);
        assert_eq!(counting(), 0);
        block().set_slot(None);
        block().set_python_depth(0);
        assert_eq!(counting(), 0);
    }

    #[test]
    fn what_malloc_hands_out_is_not_counted_on_an_ignored_thread() {
        let words: Vec<_> = (0..SLOT_WORDS).map(|_| AtomicU64::new(0)).collect();
        let slot = Slot::new(words.leak()).expect("has a slot's length");
        let is_counting = || block().counting().is_some();
        block().set_ignored(1);
        // A thread may get its slot while it is ignored.
        block().set_slot(Some((slot, slot.words())));
        assert!(!is_counting() && block().slot().is_some());
        block().set_python_depth(1);
        block().set_ignored(0);
        assert!(!is_counting());
        block().set_ignored(1);
        block().set_python_depth(0);
        assert!(!is_counting());
        block().set_ignored(0);
        assert!(is_counting());
        block().set_slot(None);
        assert!(!is_counting());
    }
}
