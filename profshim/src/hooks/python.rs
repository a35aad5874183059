//! Wrappers around Python's own allocators, so that its small objects are seen and Python's memory is told
//! from native memory. Pure pass-through: a block may be handed out before they are installed and given back
//! after, or the other way round.
//!
//! CPython takes a table of functions for each domain. Ours have the table they wrap as their context. Where the user
//! chooses allocators (`PYTHONMALLOC`, `-X dev`), CPython puts tables of its own in place of whatever is there when it
//! starts: those are wrapped in turn, as soon as it has.

use crate::next;
use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr::{null_mut, with_exposed_provenance};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use profcore::{memory, thread};

type Block = *mut c_void;

/// `PyMemAllocatorEx`.
#[repr(C)]
struct Allocator {
    context: Block,
    malloc: Option<unsafe extern "C" fn(Block, usize) -> Block>,
    calloc: Option<unsafe extern "C" fn(Block, usize, usize) -> Block>,
    realloc: Option<unsafe extern "C" fn(Block, Block, usize) -> Block>,
    free: Option<unsafe extern "C" fn(Block, Block)>,
}

/// `PyObjectArenaAllocator`.
#[repr(C)]
struct ArenaAllocator {
    context: Block,
    alloc: Option<unsafe extern "C" fn(Block, usize) -> Block>,
    free: Option<unsafe extern "C" fn(Block, Block, usize)>,
}

/// `PYMEM_DOMAIN_MEM` and `PYMEM_DOMAIN_OBJ`. The raw domain is `malloc` under another name.
const DOMAINS: [c_int; 2] = [1, 2];

const NO_ALLOCATOR: Allocator =
    Allocator { context: null_mut(), malloc: None, calloc: None, realloc: None, free: None };

// Written by the constructor, before there is a second thread; read by the wrappers installed after that.
static mut WRAPPED: [Allocator; DOMAINS.len()] = [NO_ALLOCATOR; DOMAINS.len()];
static mut WRAPPED_ARENAS: ArenaAllocator =
    ArenaAllocator { context: null_mut(), alloc: None, free: None };
// Written by [`wrap_again`], while there is one thread.
static mut REPLACED: [Allocator; DOMAINS.len()] = [NO_ALLOCATOR; DOMAINS.len()];

/// `PyMem_GetAllocator` and `PyMem_SetAllocator`; 0: not there.
static EXCHANGE: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
/// The tables were looked at after the start of Python, or there are none.
static LOOKED_AGAIN: AtomicBool = AtomicBool::new(true);

type Exchange<T> = unsafe extern "C" fn(c_int, *mut T);
type ExchangeArenas = unsafe extern "C" fn(*mut ArenaAllocator);

/// Constructor, active processes only: installs the wrappers if this is a Python.
pub(crate) fn wrap_allocators() {
    let [get, set, get_arenas, set_arenas] = [
        c"PyMem_GetAllocator",
        c"PyMem_SetAllocator",
        c"PyObject_GetArenaAllocator",
        c"PyObject_SetArenaAllocator",
    ]
    .map(|name| with_exposed_provenance::<c_void>(next::look_up(libc::RTLD_DEFAULT, name)));
    if [get, set, get_arenas, set_arenas].iter().any(|function| function.is_null()) {
        next::forget_error();
        return;
    }
    EXCHANGE[0].store(get.expose_provenance(), Ordering::Relaxed);
    EXCHANGE[1].store(set.expose_provenance(), Ordering::Relaxed);
    LOOKED_AGAIN.store(false, Ordering::Relaxed);
    // SAFETY: CPython's documented functions of these names, which may be called before it is initialized;
    // the tables are of the types they want. No other thread runs yet.
    unsafe {
        wrap_tables(&raw mut WRAPPED, malloc);
        let get: ExchangeArenas = transmute(get_arenas);
        let set: ExchangeArenas = transmute(set_arenas);
        let wrapped = &raw mut WRAPPED_ARENAS;
        get(wrapped);
        let mut wrapper = ArenaAllocator {
            context: wrapped.cast(),
            alloc: Some(allocate_arena),
            free: Some(free_arena),
        };
        if (*wrapped).alloc.is_some() && (*wrapped).free.is_some() {
            set(&raw mut wrapper);
        }
    }
}

/// Wraps the tables once more if Python has started and replaced them. To be called now and then by hooks of
/// allocation.
#[inline]
pub(crate) fn look_again() {
    if !LOOKED_AGAIN.load(Ordering::Relaxed) && memory::python_has_just_started() {
        wrap_again();
    }
}

#[cold]
fn wrap_again() {
    // Once; what is done here may allocate.
    if LOOKED_AGAIN.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: as in `wrap_allocators`. This is the only thread. It is on its way through Python's allocator at most, which
    // has read its table already, and takes back by any table what it gave out by another.
    unsafe { wrap_tables(&raw mut REPLACED, malloc_unusual) };
}

/// Wraps the table of each domain that is not ours, and keeps it in `into`. `malloc` is our function for it.
///
/// # Safety
/// [`EXCHANGE`] has CPython's functions. Nobody else reads or writes `into`, or calls Python's allocators.
unsafe fn wrap_tables(
    into: *mut [Allocator; DOMAINS.len()],
    malloc: unsafe extern "C" fn(Block, usize) -> Block,
) {
    let [get, set] = EXCHANGE
        .each_ref()
        .map(|function| with_exposed_provenance::<c_void>(function.load(Ordering::Relaxed)));
    // SAFETY: the caller's promise.
    unsafe {
        let get: Exchange<Allocator> = transmute(get);
        let set: Exchange<Allocator> = transmute(set);
        for (index, domain) in DOMAINS.into_iter().enumerate() {
            let wrapped = into.cast::<Allocator>().add(index);
            get(domain, wrapped);
            let mut wrapper = Allocator {
                context: wrapped.cast(),
                malloc: Some(malloc),
                calloc: Some(calloc),
                realloc: Some(realloc),
                free: Some(free),
            };
            if is_complete(&*wrapped) && !is_ours(&*wrapped) {
                set(domain, &raw mut wrapper);
            }
        }
    }
}

fn is_ours(table: &Allocator) -> bool {
    table.free.is_some_and(|of_table| of_table as usize == free as *const () as usize)
}

fn is_complete(table: &Allocator) -> bool {
    table.malloc.is_some()
        && table.calloc.is_some()
        && table.realloc.is_some()
        && table.free.is_some()
}

/// The table that a wrapper wraps.
///
/// # Safety
/// `context` must be the one that [`wrap_allocators`] gave the wrapper.
#[inline(always)]
unsafe fn wrapped<'a>(context: Block) -> &'a Allocator {
    // SAFETY: a static that is not written any more.
    unsafe { &*context.cast::<Allocator>() }
}

/// The hot path of all Python programs: a small block comes from pymalloc, which need not be told from
/// `malloc`, and the address only matters at a sample point. So the next function's call is the last act.
unsafe extern "C" fn malloc(context: Block, bytes: usize) -> Block {
    // SAFETY: called by CPython with the context of our table.
    let next = unsafe { wrapped(context) };
    if bytes <= memory::SMALL
        && let Some(malloc) = next.malloc
        && memory::usual_python_allocated(bytes)
    {
        // SAFETY: CPython's own arguments.
        return unsafe { malloc(next.context, bytes) };
    }
    // SAFETY: as above.
    unsafe { malloc_unusual(context, bytes) }
}

/// # Safety
/// As for `malloc`.
#[inline(never)]
unsafe extern "C" fn malloc_unusual(context: Block, bytes: usize) -> Block {
    // SAFETY: called by CPython with the context of our table.
    let next = unsafe { wrapped(context) };
    let Some(malloc) = next.malloc else { return null_mut() };
    thread::python_enter();
    // SAFETY: CPython's own arguments.
    let block = unsafe { malloc(next.context, bytes) };
    thread::python_leave();
    if !block.is_null() && !memory::usual_python_allocated(bytes) {
        memory::python_allocated(block.addr(), bytes);
    }
    block
}

unsafe extern "C" fn calloc(context: Block, count: usize, bytes: usize) -> Block {
    // SAFETY: called by CPython with the context of our table.
    let next = unsafe { wrapped(context) };
    let Some(calloc) = next.calloc else { return null_mut() };
    thread::python_enter();
    // SAFETY: CPython's own arguments.
    let block = unsafe { calloc(next.context, count, bytes) };
    thread::python_leave();
    if !block.is_null() {
        // Does not overflow: there is a block of that size.
        let bytes = count.wrapping_mul(bytes);
        if !memory::usual_python_allocated(bytes) {
            memory::python_allocated(block.addr(), bytes);
        }
    }
    block
}

unsafe extern "C" fn realloc(context: Block, block: Block, bytes: usize) -> Block {
    // SAFETY: called by CPython with the context of our table.
    let next = unsafe { wrapped(context) };
    let Some(realloc) = next.realloc else { return null_mut() };
    let resizing = memory::python_resizing(block.addr());
    thread::python_enter();
    // SAFETY: CPython's own arguments.
    let moved = unsafe { realloc(next.context, block, bytes) };
    thread::python_leave();
    if moved.is_null() {
        memory::resize_failed(resizing);
    } else {
        memory::python_resized(resizing, moved.addr(), bytes);
    }
    moved
}

unsafe extern "C" fn free(context: Block, block: Block) {
    // SAFETY: called by CPython with the context of our table.
    let next = unsafe { wrapped(context) };
    let Some(free) = next.free else { return };
    if !block.is_null() {
        memory::python_freeing(block.addr());
    }
    // SAFETY: CPython's own arguments.
    unsafe { free(next.context, block) };
}

unsafe extern "C" fn allocate_arena(context: Block, bytes: usize) -> Block {
    // SAFETY: called by CPython with the context of our table, a static that is not written any more.
    let next = unsafe { &*context.cast::<ArenaAllocator>() };
    let Some(alloc) = next.alloc else { return null_mut() };
    // An arena is told as such, and not as a mapping too.
    thread::python_enter();
    // SAFETY: CPython's own arguments.
    let arena = unsafe { alloc(next.context, bytes) };
    thread::python_leave();
    if !arena.is_null() {
        memory::arena_allocated(bytes);
    }
    arena
}

unsafe extern "C" fn free_arena(context: Block, arena: Block, bytes: usize) {
    // SAFETY: called by CPython with the context of our table, a static that is not written any more.
    let next = unsafe { &*context.cast::<ArenaAllocator>() };
    let Some(free) = next.free else { return };
    memory::arena_freed(bytes);
    thread::python_enter();
    // SAFETY: CPython's own arguments.
    unsafe { free(next.context, arena, bytes) };
    thread::python_leave();
}
