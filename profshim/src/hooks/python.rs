//! Wrappers around Python's own allocators, so that its small objects are seen and Python's memory is told
//! from native memory. Pure pass-through: a block may be handed out before they are installed and given back
//! after, or the other way round.
//!
//! CPython takes a table of functions for each domain. Ours have the table they wrap as their context.

use crate::next;
use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr::{null_mut, with_exposed_provenance};
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
    // SAFETY: CPython's documented functions of these names, which may be called before it is initialized;
    // the tables are of the types they want. No other thread runs yet.
    unsafe {
        let get: Exchange<Allocator> = transmute(get);
        let set: Exchange<Allocator> = transmute(set);
        for (index, domain) in DOMAINS.into_iter().enumerate() {
            let wrapped = (&raw mut WRAPPED).cast::<Allocator>().add(index);
            get(domain, wrapped);
            let mut wrapper = Allocator {
                context: wrapped.cast(),
                malloc: Some(malloc),
                calloc: Some(calloc),
                realloc: Some(realloc),
                free: Some(free),
            };
            if is_complete(&*wrapped) {
                set(domain, &raw mut wrapper);
            }
        }
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
