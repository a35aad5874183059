//! The next functions: what each hook would have been, had the shim not been there.
//!
//! Looked up by `dlsym(RTLD_NEXT, ..)`, so that another allocator after us keeps its work. All are looked up
//! at once, by the constructor or by the first hook before it. Whoever needs one meanwhile (the lookup itself
//! may allocate) is told that there is none yet and makes do without.

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

type Size = usize;
type Block = *mut c_void;
type Action = libc::sigaction;
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
    sigaction(c_int, *const Action, *mut Action) -> c_int;
    signal(c_int, libc::sighandler_t) -> libc::sighandler_t;
    sysv_signal(c_int, libc::sighandler_t) -> libc::sighandler_t;
}

/// Whether the next `malloc` is glibc's own, whose blocks have their size in front.
static SIZE_IN_FRONT: AtomicBool = AtomicBool::new(false);

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
    if original != 0 && original == next {
        SIZE_IN_FRONT.store(sizes_agree(), Ordering::Relaxed);
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
#[inline(always)]
pub(crate) unsafe fn usable(block: *mut c_void) -> usize {
    if SIZE_IN_FRONT.load(Ordering::Relaxed) {
        // SAFETY: glibc's own block, by `resolve`.
        return unsafe { size_in_front(block) };
    }
    // SAFETY: a live block, by the caller.
    malloc_usable_size().map_or(0, |next| unsafe { next(block) })
}

/// What `malloc_usable_size` of glibc says.
///
/// # Safety
/// `block` must be a live block of glibc's.
#[inline(always)]
unsafe fn size_in_front(block: *mut c_void) -> usize {
    const MAPPED: usize = 2;
    const FLAGS: usize = 7;
    // SAFETY: the word in front of each block is its chunk's size, with flags in the low bits.
    let size = unsafe { block.cast::<usize>().sub(1).read() };
    // A mapped chunk cannot lend the next one's first word.
    let overhead = if size & MAPPED == 0 { 8 } else { 16 };
    (size & !FLAGS).wrapping_sub(overhead)
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
