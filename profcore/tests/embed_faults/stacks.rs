//! Stacks that are not where a thread's stack should be, or nearly full.

use super::system::{ALL, counts, start, under_load};
use super::threads::{join, lent, raw};
use crate::embed_harness::work::{allocate, burn, compute, ms, us};
use crate::embed_harness::{Case, clock, rounds};
use std::cell::Cell;
use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;

pub(crate) const CASES: &[Case] = &[
    Case::new("stacks_of_coroutines_on_the_heap", || coroutines(false)),
    Case::new("stacks_of_coroutines_at_the_end_of_a_mapping", || coroutines(true)),
    Case::new("stacks_of_coroutines_inside_a_thread's", coroutines_inside),
    Case::new("stacks_of_a_main_thread_that_is_nearly_full", || deep(7 << 20)),
    Case::new("stacks_of_a_thread_that_is_nearly_full", || {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        thread.spawn(|| deep(900 << 10)).expect("it starts").join().expect("it does not panic");
    }),
    Case::new("stacks_of_a_foreign_thread_that_is_full", full),
    Case::new("stacks_with_a_wild_frame_pointer", wild),
];

const STACK: usize = 64 << 10;

thread_local! {
    static HERE: Cell<*mut libc::ucontext_t> = const { Cell::new(ptr::null_mut()) };
    static THERE: Cell<*mut libc::ucontext_t> = const { Cell::new(ptr::null_mut()) };
}

#[inline(never)]
fn nested(depth: u32) -> u32 {
    if depth == 0 {
        burn(us(50));
        drop(black_box(vec![0_u8; 700]));
        return 0;
    }
    black_box(nested(depth - 1)) + 1
}

extern "C" fn coroutine() {
    loop {
        black_box(nested(10));
        // SAFETY: both contexts live as long as the coroutine runs.
        unsafe { libc::swapcontext(THERE.get(), HERE.get()) };
    }
}

/// Runs a coroutine on this memory, back and forth.
fn switch(memory: *mut u8, size: usize, times: u64) {
    // SAFETY: the contexts are written before they are read, and live to the end; the memory is the caller's promise. The
    // coroutine holds nothing when it is left for good.
    unsafe {
        let mut here: Box<libc::ucontext_t> = Box::new(std::mem::zeroed());
        let mut there: Box<libc::ucontext_t> = Box::new(std::mem::zeroed());
        assert_eq!(libc::getcontext(&mut *there), 0);
        there.uc_stack.ss_sp = memory.cast();
        there.uc_stack.ss_size = size;
        there.uc_link = &mut *here;
        HERE.set(&mut *here);
        THERE.set(&mut *there);
        libc::makecontext(&mut *there, coroutine, 0);
        for _ in 0..times {
            libc::swapcontext(HERE.get(), THERE.get());
            black_box(nested(3));
        }
    }
}

/// A new mapping with pages without access around it.
fn island(size: usize) -> *mut u8 {
    // SAFETY: new mappings.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let all = libc::mmap(ptr::null_mut(), size + 8192, libc::PROT_NONE, flags, -1, 0);
        assert_ne!(all, libc::MAP_FAILED);
        let stack = all.cast::<u8>().add(4096);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        assert_eq!(libc::mprotect(stack.cast(), size, access), 0);
        stack
    }
}

fn coroutines(on_island: bool) {
    let profiler = start();
    let run = move || {
        let mut heap = vec![0_u8; STACK];
        let memory = if on_island { island(STACK) } else { heap.as_mut_ptr() };
        switch(memory, STACK, rounds(15_000, 300_000));
        black_box(&mut heap);
    };
    let threads: Vec<_> = (0..2).map(|_| std::thread::spawn(run)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    println!("= {:?} samples; {:?}", counts(&profiler.snapshot(ALL)), profiler.stats().lost);
    assert!(counts(&profiler.snapshot(ALL)).0 > 100);
    profiler.stop();
}

/// On memory of the thread's own stack, right above what runs.
fn coroutines_inside() {
    let profiler = start();
    let run = || {
        let mut memory = [0_u8; STACK];
        switch(memory.as_mut_ptr(), STACK, rounds(10_000, 200_000));
        black_box(&mut memory);
    };
    let threads: Vec<_> = (0..2).map(|_| std::thread::spawn(run)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    profiler.stop();
}

/// Fills the stack up to so many bytes, and computes there.
#[inline(never)]
fn fill(top: usize, bytes: usize) -> usize {
    let frame = [0_u8; 512];
    let here = black_box(&frame).as_ptr().addr();
    if top - here >= bytes {
        burn(ms(30));
        return here;
    }
    black_box(fill(top, bytes)) + usize::from(black_box(&frame)[3])
}

fn deep(bytes: usize) {
    let profiler = start();
    for _ in 0..rounds(20, 300) {
        let top = 0_u8;
        fill(black_box(&top) as *const u8 as usize, bytes);
    }
    let snapshot = profiler.snapshot(ALL);
    let deepest = snapshot.samples().map(|sample| sample.stack().len()).max();
    println!("= {:?} samples, deepest {deepest:?}", counts(&snapshot));
    profiler.stop();
}

/// Computes where so many bytes of the stack are left, above `bottom`.
#[inline(never)]
fn fill_up(bottom: usize, left: usize, rounds: u64) {
    let here: usize;
    // SAFETY: reads the stack pointer. A sanitizer has locals elsewhere.
    unsafe {
        std::arch::asm!("mov {}, rsp", out(reg) here, options(nomem, nostack, preserves_flags));
    }
    if here - bottom > left {
        black_box(fill_up)(bottom, left, rounds);
    } else {
        (0..rounds).for_each(|_| compute());
    }
    black_box(());
}

extern "C-unwind" fn fills_its_stack(rounds: *mut c_void) -> *mut c_void {
    allocate(1);
    if lent().is_none() {
        return ptr::null_mut();
    }
    // SAFETY: all zero is never read: it is written first. It is this thread's own stack that is asked for.
    let bottom = unsafe {
        let mut attributes = std::mem::zeroed();
        let (mut bottom, mut size) = (ptr::null_mut(), 0);
        assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), &mut attributes), 0);
        assert_eq!(libc::pthread_attr_getstack(&attributes, &mut bottom, &mut size), 0);
        libc::pthread_attr_destroy(&mut attributes);
        bottom.addr()
    };
    // Less than the kernel's frame of a signal takes, where registers are wide.
    fill_up(bottom, 2_048, rounds.addr() as u64);
    ptr::null_mut()
}

/// A thread that std knows nothing of has no alternate stack of its own, and on its own there is no room for a tick.
fn full() {
    let profiler = start();
    let (end, mut rounds) = (clock::thread() + ms(30), 0);
    while clock::thread() < end {
        compute();
        rounds += 1;
    }
    let before = counts(&profiler.snapshot(ALL)).0;
    for _ in 0..10 {
        let threads = [(); 2].map(|()| raw(fills_its_stack, ptr::without_provenance_mut(rounds)));
        threads.into_iter().for_each(join);
    }
    let samples = counts(&profiler.snapshot(ALL)).0 - before;
    println!("= {samples} samples");
    // One each 4 ms or so of 600.
    assert!(samples > 40);
    profiler.stop();
}

// Says that its frame is found by the frame pointer, and has something else there.
std::arch::global_asm!(
    ".pushsection .text",
    ".globl prof_test_wild",
    ".hidden prof_test_wild",
    ".type prof_test_wild, @function",
    "prof_test_wild:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rdi",
    ".cfi_def_cfa rbp, 16",
    "mov ecx, 20000",
    "2: dec ecx",
    "jnz 2b",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    ".size prof_test_wild, . - prof_test_wild",
    ".popsection",
);

unsafe extern "C" {
    /// Computes with a frame pointer of this value.
    safe fn prof_test_wild(value: usize);
}

/// A frame pointer that leads out of the stack: what it points to must not be read, for nobody would mend the fault.
fn wild() {
    let profiler = start();
    let beyond = island(4096).addr();
    under_load(|| {
        for round in 0..rounds(20_000, 500_000) {
            let values = [1, beyond + 8192 - 16, usize::MAX - 64, 0x7fff_ffff_e000, 4096];
            prof_test_wild(values[round as usize % 5]);
            if round % 10 == 0 {
                compute();
            }
        }
    });
    assert!(counts(&profiler.snapshot(ALL)).0 > 10);
    profiler.stop();
}
