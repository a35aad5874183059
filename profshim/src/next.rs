//! The next functions: what each hook would have been, had the shim not been there.
//!
//! Looked up by `dlsym(RTLD_NEXT, ..)`, so that another allocator after us keeps its work. All are looked up
//! at once, by the constructor or by the first hook before it. Whoever needs one meanwhile (the lookup itself
//! may allocate) is told that there is none yet and makes do without.

mod linker;
mod sizes;

pub(crate) use linker::{forget_error, look_up};
pub(crate) use sizes::{FLAGS, MAPPED, usable};

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use linker::{look_up_version, same_library};
use profcore::memory;
use sizes::{SIZE_IN_FRONT, SIZES_KNOWN, is_under_valgrind, sizes_agree};

type Size = usize;
type Block = *mut c_void;
type Action = libc::sigaction;
type Text = *const c_char;
type Texts = *const Text;
type Routine = unsafe extern "C" fn(Block) -> Block;

macro_rules! next {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)? $(, since $version:literal)?;)*) => {
        #[allow(non_camel_case_types, reason = "the functions' own names")]
        enum Index { $($name,)* Count }

        static ADDRESSES: [AtomicUsize; Index::Count as usize] =
            [const { AtomicUsize::new(0) }; Index::Count as usize];

        /// Their names, and the versions by which a program asks for those that another library may stand in for.
        fn names() -> [(&'static CStr, Option<&'static CStr>); Index::Count as usize] {
            const fn text(bytes: &'static [u8]) -> &'static CStr {
                match CStr::from_bytes_with_nul(bytes) {
                    Ok(text) => text,
                    Err(_) => panic!(),
                }
            }
            [$(const {
                #[allow(unused_mut, unused_assignments, reason = "for those with a version")]
                let mut version = None;
                $(version = Some(text(concat!($version, "\0").as_bytes()));)?
                (text(concat!(stringify!($name), "\0").as_bytes()), version)
            }),*]
        }

        $(
            #[inline(always)]
            pub(crate) fn $name() -> Option<unsafe extern "C" fn($($argument),*) $(-> $result)?> {
                let address = ADDRESSES[Index::$name as usize].load(Ordering::Relaxed);
                let pointer = core::ptr::with_exposed_provenance::<c_void>(address);
                // SAFETY: 0 is `None`; anything else is the address that the dynamic linker has for this
                // name, and the type is the one that the C standard or the manual gives it.
                unsafe { core::mem::transmute(pointer) }
            }
        )*
    };
}

next! {
    malloc(Size) -> Block, since "GLIBC_2.2.5";
    calloc(Size, Size) -> Block, since "GLIBC_2.2.5";
    realloc(Block, Size) -> Block, since "GLIBC_2.2.5";
    free(Block), since "GLIBC_2.2.5";
    posix_memalign(*mut Block, Size, Size) -> c_int, since "GLIBC_2.2.5";
    aligned_alloc(Size, Size) -> Block, since "GLIBC_2.16";
    memalign(Size, Size) -> Block, since "GLIBC_2.2.5";
    valloc(Size) -> Block, since "GLIBC_2.2.5";
    pvalloc(Size) -> Block, since "GLIBC_2.2.5";
    malloc_usable_size(Block) -> Size, since "GLIBC_2.2.5";
    reallocarray(Block, Size, Size) -> Block;
    memmove(Block, *const c_void, Size) -> Block;
    mempcpy(Block, *const c_void, Size) -> Block;
    __memcpy_chk(Block, *const c_void, Size, Size) -> Block;
    __memmove_chk(Block, *const c_void, Size, Size) -> Block;
    __mempcpy_chk(Block, *const c_void, Size, Size) -> Block;
    mmap(Block, Size, c_int, c_int, c_int, i64) -> Block;
    munmap(Block, Size) -> c_int;
    mremap(Block, Size, Size, c_int, Block) -> Block;
    sbrk(isize) -> Block;
    brk(Block) -> c_int;
    pthread_create(*mut libc::pthread_t, *const libc::pthread_attr_t, Routine, Block) -> c_int;
    pthread_key_create(*mut libc::pthread_key_t, Option<unsafe extern "C" fn(Block)>) -> c_int;
    pthread_setspecific(libc::pthread_key_t, *const c_void) -> c_int;
    __register_atfork(
        Option<unsafe extern "C" fn()>, Option<unsafe extern "C" fn()>,
        Option<unsafe extern "C" fn()>, Block
    ) -> c_int;
    _exit(c_int) -> !;
    execve(Text, Texts, Texts) -> c_int;
    execv(Text, Texts) -> c_int;
    execvp(Text, Texts) -> c_int;
    execvpe(Text, Texts, Texts) -> c_int;
    fexecve(c_int, Texts, Texts) -> c_int;
    execveat(c_int, Text, Texts, Texts, c_int) -> c_int;
    posix_spawn(Block, Text, *const c_void, *const c_void, Texts, Texts) -> c_int;
    posix_spawnp(Block, Text, *const c_void, *const c_void, Texts, Texts) -> c_int;
    sigaction(c_int, *const Action, *mut Action) -> c_int;
    signal(c_int, libc::sighandler_t) -> libc::sighandler_t;
    sysv_signal(c_int, libc::sighandler_t) -> libc::sighandler_t;
    sigset(c_int, libc::sighandler_t) -> libc::sighandler_t;
    sigignore(c_int) -> c_int;
    siginterrupt(c_int, c_int) -> c_int;
    sigaltstack(*const libc::stack_t, *mut libc::stack_t) -> c_int;
    sigwait(*const libc::sigset_t, *mut c_int) -> c_int;
    sigwaitinfo(*const libc::sigset_t, *mut libc::siginfo_t) -> c_int;
    sigtimedwait(*const libc::sigset_t, *mut libc::siginfo_t, *const libc::timespec) -> c_int;
    sigpending(*mut libc::sigset_t) -> c_int;
    dlclose(Block) -> c_int;
}

/// Whether there are blocks of ours (see `bootstrap`), which the next `free` must not see.
static EARLY_BLOCKS: AtomicBool = AtomicBool::new(false);

/// Some next functions once more, for the hot paths of `hooks::hot`; 0 unless there is something to count and the
/// block, or for `free` every block there is, has its size in front.
pub(crate) static HOT_MALLOC: AtomicUsize = AtomicUsize::new(0);
pub(crate) static HOT_FREE: AtomicUsize = AtomicUsize::new(0);
pub(crate) static HOT_MEMMOVE: AtomicUsize = AtomicUsize::new(0);
/// And for those in which there is nothing to count; 0 if there is, or for `free` if there are early blocks.
pub(crate) static PASSED_MALLOC: AtomicUsize = AtomicUsize::new(0);
pub(crate) static PASSED_FREE: AtomicUsize = AtomicUsize::new(0);
pub(crate) static PASSED_MEMMOVE: AtomicUsize = AtomicUsize::new(0);

/// What the program calls by the name of `free`: our hook, unless the program has a `malloc` family of its own.
static PROGRAMS_FREE: AtomicUsize = AtomicUsize::new(0);

/// See [`PROGRAMS_FREE`]; `None` before `resolve`.
pub(crate) fn programs_free() -> Option<unsafe extern "C" fn(Block)> {
    let pointer =
        core::ptr::with_exposed_provenance::<c_void>(PROGRAMS_FREE.load(Ordering::Relaxed));
    // SAFETY: 0 is `None`; anything else is the address of a `free`.
    unsafe { core::mem::transmute(pointer) }
}

/// From now on not every block is the next allocator's.
pub(crate) fn note_early_block() {
    // Sequentially consistent with `choose_hot_paths`: whichever comes second sees the other.
    EARLY_BLOCKS.store(true, Ordering::SeqCst);
    HOT_FREE.store(0, Ordering::SeqCst);
    PASSED_FREE.store(0, Ordering::SeqCst);
}

/// Has the hot paths taken, or no longer: by what there is to count now. After `resolve`.
#[cold]
pub(crate) fn choose_hot_paths() {
    let address = |index: Index, wanted: bool| match wanted {
        true => ADDRESSES[index as usize].load(Ordering::Relaxed),
        false => 0,
    };
    let (blocks, copies) = (memory::watches_blocks(), memory::watches_copies());
    let counted = blocks && SIZE_IN_FRONT.load(Ordering::Relaxed);
    HOT_MALLOC.store(address(Index::malloc, counted), Ordering::Relaxed);
    PASSED_MALLOC.store(address(Index::malloc, !blocks), Ordering::Relaxed);
    HOT_FREE.store(address(Index::free, counted), Ordering::SeqCst);
    PASSED_FREE.store(address(Index::free, !blocks), Ordering::SeqCst);
    // Sequentially consistent with `note_early_block`.
    if EARLY_BLOCKS.load(Ordering::SeqCst) {
        HOT_FREE.store(0, Ordering::SeqCst);
        PASSED_FREE.store(0, Ordering::SeqCst);
    }
    HOT_MEMMOVE.store(address(Index::memmove, copies), Ordering::Relaxed);
    PASSED_MEMMOVE.store(address(Index::memmove, !copies), Ordering::Relaxed);
}

const UNKNOWN: u32 = 0;
const UNDER_WAY: u32 = 1;
const KNOWN: u32 = 2;
static STATE: AtomicU32 = AtomicU32::new(UNKNOWN);

/// Looks all functions up, unless that was done or is being done.
#[cold]
pub(crate) fn resolve() {
    // Acquire and Release: whoever sees KNOWN sees the addresses.
    if STATE.compare_exchange(UNKNOWN, UNDER_WAY, Ordering::Acquire, Ordering::Acquire).is_err() {
        return;
    }
    // SAFETY: errno is the calling thread's own int.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { errno.read() };
    let original = look_up(libc::RTLD_NEXT, c"__libc_malloc");
    // Other allocators have the name above, too.
    let c_library = look_up(libc::RTLD_NEXT, c"gnu_get_libc_version");
    PROGRAMS_FREE.store(look_up(libc::RTLD_DEFAULT, c"free"), Ordering::Relaxed);
    let mut missing = original == 0 || c_library == 0;
    for (address, (name, version)) in ADDRESSES.iter().zip(names()) {
        let mut found = look_up(libc::RTLD_NEXT, name);
        // The C library's is the last one: another may stand before it that a name alone does not find.
        if let Some(version) = version
            && same_library(found, c_library)
        {
            let versioned = look_up_version(libc::RTLD_NEXT, name, version);
            found = if versioned == 0 { found } else { versioned };
        }
        missing |= found == 0;
        address.store(found, Ordering::Relaxed);
    }
    let next = ADDRESSES[Index::malloc as usize].load(Ordering::Relaxed);
    STATE.store(KNOWN, Ordering::Release);
    if missing {
        forget_error();
    }
    let usable = ADDRESSES[Index::malloc_usable_size as usize].load(Ordering::Relaxed);
    SIZES_KNOWN.store(same_library(next, usable), Ordering::Relaxed);
    let is_glibc = original != 0 && original == next && same_library(next, c_library);
    let in_front = is_glibc && !is_under_valgrind() && sizes_agree();
    SIZE_IN_FRONT.store(in_front, Ordering::Relaxed);
    // SAFETY: as above.
    unsafe { errno.write(before) };
}

/// A next function, looked up if it is not known yet; `None` only while that is under way.
#[inline(always)]
pub(crate) fn sure<F>(known: impl Fn() -> Option<F>) -> Option<F> {
    #[cold]
    fn again<F>(known: impl Fn() -> Option<F>) -> Option<F> {
        resolve();
        known()
    }
    match known() {
        Some(next) => Some(next),
        None => again(known),
    }
}
