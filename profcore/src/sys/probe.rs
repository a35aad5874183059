//! Guarded reads of memory that may be gone, or never was there.
//!
//! Each routine faults at one known instruction, its very first. The SIGSEGV/SIGBUS handler asks
//! [`recover`] where to go on, and the routine then returns "no". No system call, no stack use, no state:
//! safe in a signal handler and in a hook (rule R4). Without that handler a bad address is a crash, so
//! nothing here may be called with an untrusted address before it is installed.

/// What `load` returns, in rax and rdx.
#[repr(C)]
struct Loaded {
    value: u64,
    ok: u64,
}

/// Loads the word at `address`. The first instruction is the one that may fault.
///
/// # Safety
/// The fix-up of [`recover`] must be in place, or `address` readable.
#[unsafe(naked)]
unsafe extern "C" fn load(address: usize) -> Loaded {
    core::arch::naked_asm!("mov rax, [rdi]", "mov edx, 1", "ret")
}

/// Copies `pairs` times two words, at least once.
///
/// # Safety
/// `into` must be writable for so much; the fix-up of [`recover`] must be in place, or `from` readable.
#[unsafe(naked)]
unsafe extern "C" fn load_words(from: usize, into: *mut u64, pairs: usize) -> Loaded {
    core::arch::naked_asm!(
        "2:",
        "movups xmm0, [rdi]",
        "movups [rsi], xmm0",
        "add rdi, 16",
        "add rsi, 16",
        "dec rdx",
        "jnz 2b",
        "mov edx, 1",
        "ret",
    )
}

/// Copies `len` bytes; the arguments lie where `rep movsb` wants them, so that it can come first.
///
/// # Safety
/// `into` must be writable for `len` bytes; the fix-up of [`recover`] must be in place, or `from` readable.
#[unsafe(naked)]
unsafe extern "C" fn load_bytes(into: *mut u8, from: usize, _unused: usize, len: usize) -> Loaded {
    core::arch::naked_asm!("rep movsb", "mov edx, 1", "ret")
}

/// Where a faulting routine goes on: it returns "no" to that routine's caller.
///
/// # Safety
/// To be jumped to with the stack as it is on entry to one of the routines above.
#[unsafe(naked)]
unsafe extern "C" fn failed() -> Loaded {
    core::arch::naked_asm!("xor eax, eax", "xor edx, edx", "ret")
}

/// The eight bytes at `address`, aligned or not; `None` if they cannot be read.
#[inline]
pub(crate) fn word(address: usize) -> Option<u64> {
    // SAFETY: R4: a fault at the routine's first instruction is turned into "no" by `recover`; it writes
    // no memory and keeps to the System V ABI.
    let loaded = unsafe { load(address) };
    (loaded.ok != 0).then_some(loaded.value)
}

/// The `2 * PAIRS` words at `address`, aligned or not; `None` if not all of them can be read.
#[inline]
pub(crate) fn words<const PAIRS: usize>(address: usize) -> Option<[[u64; 2]; PAIRS]> {
    const { assert!(PAIRS > 0) };
    let mut into = [[0; 2]; PAIRS];
    // SAFETY: R4: as in `word`; `into` has room for so many pairs, and a write there cannot fault.
    let loaded = unsafe { load_words(address, into.as_mut_ptr().cast(), PAIRS) };
    (loaded.ok != 0).then_some(into)
}

/// Fills `into` from `address`; false if that cannot be read whole (then `into` holds part of it).
#[inline]
pub(crate) fn copy(address: usize, into: &mut [u8]) -> bool {
    // SAFETY: R4: as in `word`; `into` is writable for its length, and a write there cannot fault.
    unsafe { load_bytes(into.as_mut_ptr(), address, 0, into.len()).ok != 0 }
}

/// Memory that may not be there: this process's, or another one's.
pub(crate) trait Memory {
    /// The eight bytes at `address`, aligned or not; `None` if they cannot be read.
    fn word(&self, address: usize) -> Option<u64>;

    /// Fills `into` from `address`; false if that cannot be read whole.
    fn copy(&self, address: usize, into: &mut [u8]) -> bool;

    /// The `2 * PAIRS` words at `address`, aligned or not; `None` if not all of them can be read.
    #[inline]
    fn words<const PAIRS: usize>(&self, address: usize) -> Option<[[u64; 2]; PAIRS]> {
        let mut into = [[0; 2]; PAIRS];
        for (i, word) in into.as_flattened_mut().iter_mut().enumerate() {
            *word = self.word(address.wrapping_add(8 * i))?;
        }
        Some(into)
    }

    /// The byte at `address`; `None` if it cannot be read.
    #[inline]
    fn byte(&self, address: usize) -> Option<u8> {
        // The aligned word around it never reaches into another page.
        let word = self.word(address & !7)?;
        Some((word >> ((address & 7) * 8)) as u8)
    }
}

/// This process's memory, by guarded reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own;

impl Memory for Own {
    #[inline]
    fn word(&self, address: usize) -> Option<u64> {
        word(address)
    }

    #[inline]
    fn copy(&self, address: usize, into: &mut [u8]) -> bool {
        copy(address, into)
    }

    #[inline]
    fn words<const PAIRS: usize>(&self, address: usize) -> Option<[[u64; 2]; PAIRS]> {
        words(address)
    }
}

/// For the SIGSEGV/SIGBUS handler: where to go on, if `pc` is the faulting instruction of a guarded read.
#[inline]
pub(crate) fn recover(pc: usize) -> Option<usize> {
    let routines = [load as *const (), load_words as *const (), load_bytes as *const ()];
    routines.map(|routine| routine as usize).contains(&pc).then_some(failed as *const () as usize)
}

/// Could `address` be an object of the process: aligned, not near zero, in the lower half?
#[inline]
pub(crate) fn plausible(address: usize) -> bool {
    address.is_multiple_of(8) && (4096..1 << 47).contains(&address)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Once;

    /// Zeroed words that cost memory only where they are touched; never freed.
    pub(crate) fn zeroed(words: usize) -> &'static [crate::sync::AtomicU64] {
        let (read_write, private) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh anonymous mapping, zeroed and page-aligned, that stays for ever; zero is a valid
        // AtomicU64.
        unsafe {
            let at = libc::mmap(core::ptr::null_mut(), words * 8, read_write, private, -1, 0);
            assert_ne!(at, libc::MAP_FAILED);
            core::slice::from_raw_parts(at.cast(), words)
        }
    }

    /// Installs the handlers that know of [`recover`].
    pub(crate) fn guard() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            crate::signal::install();
        });
    }

    #[test]
    fn mapped_memory_is_read() {
        let words = [0x0807_0605_0403_0201_u64, 0x1817_1615_1413_1211];
        let at = words.as_ptr() as usize;
        assert_eq!(word(at), Some(words[0]));
        assert_eq!(word(at + 3), Some(0x1312_1108_0706_0504), "unaligned");
        assert_eq!(Own.byte(at + 5), Some(6));
        let mut bytes = [0; 11];
        assert!(copy(at + 1, &mut bytes));
        assert_eq!(bytes, [2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14]);
        assert!(copy(at, &mut []));
        let more = [1, 2, 3, 4, 5, 6, 7_u64];
        let at = more.as_ptr() as usize;
        assert_eq!(super::words::<3>(at), Some([[1, 2], [3, 4], [5, 6]]));
        assert_eq!(super::words::<1>(at + 8), Some([[2, 3]]));
        assert_eq!(super::words::<1>(at + 4), Some([[2 << 32, 3 << 32]]), "unaligned");
        assert_eq!(Own.words::<3>(at), Some([[1, 2], [3, 4], [5, 6]]));
    }

    #[test]
    fn unmapped_memory_is_a_no() {
        guard();
        for address in [0, 8, 1 << 46, 1 << 63, usize::MAX - 3, usize::MAX] {
            assert_eq!(word(address), None, "{address:#x}");
            assert_eq!(words::<2>(address), None, "{address:#x}");
            assert!(!copy(address, &mut [0; 5]), "{address:#x}");
        }
        assert_eq!(recover(word as *const () as usize), None, "only the routines themselves");
    }

    #[test]
    fn a_read_that_runs_into_a_hole_fails_and_one_before_it_does_not() {
        guard();
        // SAFETY: a fresh anonymous mapping of two pages, the second made unreadable; unmapped below.
        let page = unsafe {
            let page = libc::mmap(
                core::ptr::null_mut(),
                8192,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(page, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(page.add(4096), 4096, libc::PROT_NONE), 0);
            page
        };
        let end = page as usize + 4096;
        assert_eq!(word(end - 8), Some(0));
        assert_eq!(word(end - 7), None);
        assert_eq!(Own.byte(end - 1), Some(0));
        assert_eq!(Own.byte(end), None);
        assert_eq!(words::<2>(end - 32), Some([[0; 2]; 2]));
        assert_eq!(words::<2>(end - 24), None);
        assert!(copy(end - 16, &mut [1; 16]));
        assert!(!copy(end - 16, &mut [1; 17]));
        // SAFETY: the mapping made above; nothing refers to it any more.
        assert_eq!(unsafe { libc::munmap(page, 8192) }, 0);
    }
}
