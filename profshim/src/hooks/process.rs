//! Birth and end of threads, forks, and the exit that runs no destructor.

use crate::next;
use core::ffi::{c_int, c_void};
use core::ptr::{null, null_mut, without_provenance};
use core::sync::atomic::{AtomicU32, Ordering};
use profcore::{process, thread};

type Block = *mut c_void;
type Routine = unsafe extern "C" fn(Block) -> Block;

/// Key whose destructor sees the end of each thread, plus one; 0: none.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Rounds in which libc calls destructors of keys as long as values are set (PTHREAD_DESTRUCTOR_ITERATIONS).
const ROUNDS: usize = 4;

/// Constructor, active processes only: sees forks, and the ends of threads.
pub(crate) fn follow_forks_and_threads() {
    let mut key = 0;
    if let Some(create) = next::pthread_key_create()
        // SAFETY: a place for the key and a destructor of the right type.
        && unsafe { create(&raw mut key, Some(leaving)) } == 0
    {
        KEY.store(key + 1, Ordering::Relaxed);
        // The main thread may leave by `pthread_exit` and the program go on.
        watch_end(1);
    }
    if let Some(register) = next::__register_atfork() {
        // SAFETY: the function lives as long as the process: nobody unloads a preloaded library.
        unsafe { register(None, None, Some(in_forked_child), null_mut()) };
    }
}

unsafe extern "C" fn in_forked_child() {
    process::forked_child();
}

/// Makes libc call [`leaving`] with `round` when the calling thread ends; false if it will not.
fn watch_end(round: usize) -> bool {
    let key = KEY.load(Ordering::Relaxed);
    let Some(set) = next::pthread_setspecific().filter(|_| key != 0) else { return false };
    // SAFETY: a key of ours; the value is a number.
    unsafe { set(key - 1, without_provenance(round)) == 0 }
}

/// Destructor of the key. Others may still allocate in theirs, so this asks to be called again until the
/// last round.
unsafe extern "C" fn leaving(round: Block) {
    if round.addr() >= ROUNDS || !watch_end(round.addr() + 1) {
        thread::ending();
    }
}

/// What the program wanted the new thread to run.
#[repr(C)]
struct Start {
    routine: Routine,
    argument: Block,
}

pub(super) unsafe extern "C" fn pthread_create(
    id: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    routine: Routine,
    argument: Block,
) -> c_int {
    let Some(create) = next::sure(next::pthread_create) else { return libc::EAGAIN };
    let start =
        if process::is_active() { new_start(Start { routine, argument }) } else { null_mut() };
    if start.is_null() {
        // SAFETY: the program's own arguments.
        return unsafe { create(id, attributes, routine, argument) };
    }
    // SAFETY: the program's own places; the thread takes the start over.
    let result = unsafe { create(id, attributes, thread_entry, start.cast()) };
    if result != 0 {
        // SAFETY: there is no thread, so it is still ours.
        unsafe { take(start) };
    }
    result
}

/// Puts a start where the new thread finds it; null if there is no memory or no use for it.
fn new_start(start: Start) -> *mut Start {
    if KEY.load(Ordering::Relaxed) == 0 {
        return null_mut();
    }
    let (Some(malloc), Some(_)) = (next::malloc(), next::free()) else { return null_mut() };
    // SAFETY: a block of our own.
    let place = unsafe { malloc(size_of::<Start>()) }.cast::<Start>();
    if !place.is_null() {
        // SAFETY: long enough and aligned, by malloc.
        unsafe { place.write(start) };
    }
    place
}

/// Takes a start and gives its place back.
///
/// # Safety
/// `place` must come from [`new_start`], and not have been taken.
unsafe fn take(place: *mut Start) -> Start {
    // SAFETY: by the caller.
    let start = unsafe { place.read() };
    if let Some(free) = next::free() {
        // SAFETY: came from the next malloc.
        unsafe { free(place.cast()) };
    }
    start
}

/// First function of a thread. It jumps to the program's own and leaves no frame of ours on the stack:
/// stacks look as without us, and the unwinding of `pthread_exit` and of cancellation meets nothing foreign.
#[unsafe(naked)]
unsafe extern "C" fn thread_entry(start: Block) -> Block {
    core::arch::naked_asm!(
        "sub rsp, 8",
        "call {begin}",
        "add rsp, 8",
        "mov rdi, rdx",
        "jmp rax",
        begin = sym begin,
    )
}

/// Begins a thread; returns the routine in `rax` and its argument in `rdx`.
unsafe extern "C" fn begin(start: *mut Start) -> Start {
    // SAFETY: `pthread_create` made it for this thread alone.
    let start = unsafe { take(start) };
    thread::born();
    watch_end(1);
    start
}

pub(super) unsafe extern "C" fn exit(status: c_int) -> ! {
    process::exiting();
    if let Some(next) = next::sure(next::_exit) {
        // SAFETY: the program's own argument.
        unsafe { next(status) }
    }
    loop {
        // SAFETY: ends the process.
        unsafe { libc::syscall(libc::SYS_exit_group, status, null::<c_void>()) };
    }
}
