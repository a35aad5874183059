//! The next functions: what each hook would have been, had the shim not been there.
//!
//! Looked up by `dlsym(RTLD_NEXT, ..)`, so that another allocator after us keeps its work. All are looked up
//! at once, by the constructor or by the first hook before it. Whoever needs one meanwhile (the lookup itself
//! may allocate) is told that there is none yet and makes do without.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

type Size = usize;
type Block = *mut c_void;
type Action = libc::sigaction;
type Text = *const c_char;
type Texts = *const Text;
type Routine = unsafe extern "C" fn(Block) -> Block;

macro_rules! next {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        #[allow(non_camel_case_types, reason = "the functions' own names")]
        enum Index { $($name,)* Count }

        static ADDRESSES: [AtomicUsize; Index::Count as usize] =
            [const { AtomicUsize::new(0) }; Index::Count as usize];

        fn names() -> [&'static CStr; Index::Count as usize] {
            [$(const {
                match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!(),
                }
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
    malloc(Size) -> Block;
    calloc(Size, Size) -> Block;
    realloc(Block, Size) -> Block;
    free(Block);
    posix_memalign(*mut Block, Size, Size) -> c_int;
    aligned_alloc(Size, Size) -> Block;
    memalign(Size, Size) -> Block;
    valloc(Size) -> Block;
    pvalloc(Size) -> Block;
    malloc_usable_size(Block) -> Size;
    memmove(Block, *const c_void, Size) -> Block;
    mempcpy(Block, *const c_void, Size) -> Block;
    __memcpy_chk(Block, *const c_void, Size, Size) -> Block;
    __memmove_chk(Block, *const c_void, Size, Size) -> Block;
    __mempcpy_chk(Block, *const c_void, Size, Size) -> Block;
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
    execl();
    execlp();
    execle();
    sigaction(c_int, *const Action, *mut Action) -> c_int;
    signal(c_int, libc::sighandler_t) -> libc::sighandler_t;
    sysv_signal(c_int, libc::sighandler_t) -> libc::sighandler_t;
}

/// Whether the next `malloc` is glibc's own, whose blocks have their size in front.
static SIZE_IN_FRONT: AtomicBool = AtomicBool::new(false);
/// Whether there are blocks of ours (see `bootstrap`), which the next `free` must not see.
static EARLY_BLOCKS: AtomicBool = AtomicBool::new(false);

/// The next `malloc` and `free` once more, for the hot paths; 0 unless blocks have their size in front and,
/// for `free`, all of them do.
static PLAIN_MALLOC: AtomicUsize = AtomicUsize::new(0);
static PLAIN_FREE: AtomicUsize = AtomicUsize::new(0);

/// The next `malloc` if [`heap_size`] is good for its blocks.
#[inline(always)]
pub(crate) fn plain_malloc() -> Option<unsafe extern "C" fn(Size) -> Block> {
    let pointer =
        core::ptr::with_exposed_provenance::<c_void>(PLAIN_MALLOC.load(Ordering::Relaxed));
    // SAFETY: 0 is `None`; anything else is the next function's address.
    unsafe { core::mem::transmute(pointer) }
}

/// The next `free` if [`heap_size`] is good for all blocks there are.
#[inline(always)]
pub(crate) fn plain_free() -> Option<unsafe extern "C" fn(Block)> {
    let pointer = core::ptr::with_exposed_provenance::<c_void>(PLAIN_FREE.load(Ordering::Relaxed));
    // SAFETY: 0 is `None`; anything else is the next function's address.
    unsafe { core::mem::transmute(pointer) }
}

/// From now on not every block is the next allocator's.
pub(crate) fn note_early_block() {
    // Sequentially consistent with `resolve`: whichever comes second sees the other.
    EARLY_BLOCKS.store(true, Ordering::SeqCst);
    PLAIN_FREE.store(0, Ordering::SeqCst);
}

/// After `resolve`: blocks of the next allocator have their size in front.
fn use_plain() {
    SIZE_IN_FRONT.store(true, Ordering::Relaxed);
    let address = |index: Index| ADDRESSES[index as usize].load(Ordering::Relaxed);
    PLAIN_MALLOC.store(address(Index::malloc), Ordering::Relaxed);
    PLAIN_FREE.store(address(Index::free), Ordering::SeqCst);
    // Sequentially consistent with `note_early_block`.
    if EARLY_BLOCKS.load(Ordering::SeqCst) {
        PLAIN_FREE.store(0, Ordering::SeqCst);
    }
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
    let mut missing = false;
    for (address, name) in ADDRESSES.iter().zip(names()) {
        let found = look_up(libc::RTLD_NEXT, name);
        missing |= found == 0;
        address.store(found, Ordering::Relaxed);
    }
    let original = look_up(libc::RTLD_NEXT, c"__libc_malloc");
    let next = ADDRESSES[Index::malloc as usize].load(Ordering::Relaxed);
    STATE.store(KNOWN, Ordering::Release);
    if missing || original == 0 {
        forget_error();
    }
    if original != 0 && original == next && sizes_agree() {
        use_plain();
    }
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

/// Address of a symbol, 0 if there is none.
pub(crate) fn look_up(handle: *mut c_void, name: &CStr) -> usize {
    // SAFETY: a name that ends with NUL and one of the two handles that need no `dlopen`.
    unsafe { libc::dlsym(handle, name.as_ptr()) }.expose_provenance()
}

/// Takes a failed lookup's message away, which the program could take for its own.
pub(crate) fn forget_error() {
    // SAFETY: returns the message and frees it at the next call.
    unsafe {
        libc::dlerror();
        libc::dlerror();
    }
}

// The versions that every glibc has: the linker would choose GLIBC_2.34, and the shim would not load before.
// It is told (`build.rs`) to bind all uses of these functions to the `__wrap_` names, profcore's too. They
// jump and do not call, because RTLD_NEXT looks at the return address to learn after whom to search.
core::arch::global_asm!(
    ".symver prof_dlsym, dlsym@GLIBC_2.2.5",
    ".symver prof_dlerror, dlerror@GLIBC_2.2.5",
    ".pushsection .text.prof_linker,\"ax\",@progbits",
    ".globl __wrap_dlsym, __wrap_dlerror",
    ".hidden __wrap_dlsym, __wrap_dlerror",
    ".type __wrap_dlsym, @function",
    ".type __wrap_dlerror, @function",
    "__wrap_dlsym: jmp prof_dlsym@PLT",
    "__wrap_dlerror: jmp prof_dlerror@PLT",
    ".popsection",
);

/// Usable size of a block of the next allocator.
///
/// # Safety
/// `block` must be a live block of it.
pub(crate) unsafe fn usable(block: *mut c_void) -> usize {
    if SIZE_IN_FRONT.load(Ordering::Relaxed) {
        // SAFETY: glibc's own block, by `resolve`.
        return unsafe { size_in_front(block) };
    }
    // SAFETY: a live block, by the caller.
    malloc_usable_size().map_or(0, |next| unsafe { next(block) })
}

/// Bits in the word in front of a glibc block, which is its chunk's size otherwise.
const MAPPED: usize = 2;
const FLAGS: usize = 7;

/// Usable size of a block of glibc's heap; `None` if the block is a mapping of its own.
///
/// # Safety
/// `block` must be a live block of glibc's.
#[inline(always)]
pub(crate) unsafe fn heap_size(block: *mut c_void) -> Option<usize> {
    // SAFETY: every block has that word in front.
    let size = unsafe { block.cast::<usize>().sub(1).read() };
    // Of its chunk it has all but that word: the next one's is its own.
    (size & MAPPED == 0).then(|| (size & !FLAGS).wrapping_sub(8))
}

/// What `malloc_usable_size` of glibc says.
///
/// # Safety
/// `block` must be a live block of glibc's.
unsafe fn size_in_front(block: *mut c_void) -> usize {
    // SAFETY: by the caller.
    unsafe { heap_size(block) }.unwrap_or_else(|| {
        // SAFETY: as in `heap_size`. Nothing follows a mapped chunk.
        (unsafe { block.cast::<usize>().sub(1).read() } & !FLAGS).wrapping_sub(16)
    })
}

/// Tries blocks of both kinds: a debugging or future glibc may lay them out in another way.
fn sizes_agree() -> bool {
    let (Some(malloc), Some(free), Some(usable)) = (malloc(), free(), malloc_usable_size()) else {
        return false;
    };
    [1, 24, 1000, 1 << 20].into_iter().all(|bytes| {
        // SAFETY: a block of our own, looked at while it lives and given back once.
        unsafe {
            let block = malloc(bytes);
            let agrees = !block.is_null() && size_in_front(block) == usable(block);
            free(block);
            agrees
        }
    })
}
