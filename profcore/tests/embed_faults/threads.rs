//! Threads of every kind, their beginnings and their ends.

use super::system::{ALL, counts, start, threads, timers};
use crate::embed_harness::work::{allocate, burn, ms, us};
use crate::embed_harness::{Case, rounds};
use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;
use std::sync::mpsc::channel;

pub(crate) const CASES: &[Case] = &[
    Case::new("threads_with_the_smallest_stacks", small_stacks),
    Case::new("threads_with_alternate_stacks", alternate_stacks),
    Case::new("threads_by_the_thousand", thousands),
    Case::new("threads_whose_locals_allocate_at_their_end", locals),
    Case::new("threads_that_leave_by_pthread_exit", pthread_exit),
    Case::new("threads_that_never_allocate", never_allocate),
    Case::new("threads_have_an_alternate_stack_each", lent_stacks),
];

fn small_stacks() {
    let profiler = start();
    for _ in 0..rounds(200, 5_000) {
        let spawn = || {
            let builder = std::thread::Builder::new().stack_size(64 << 10);
            builder.spawn(|| {
                allocate(20);
                burn(ms(2));
            })
        };
        let [one, two] = [(); 2].map(|()| spawn().expect("it starts"));
        one.join().expect("it does not panic");
        two.join().expect("it does not panic");
    }
    println!("= {:?} samples", counts(&profiler.snapshot(ALL)));
    profiler.stop();
}

extern "C" fn on_alternate(_: libc::c_int) {
    burn(ms(3));
}

/// Lets the host compute for long on an alternate stack, at each SIGUSR1.
fn handle_on_alternate() {
    // SAFETY: all zero is a plain action; the handler only computes.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_alternate as *const () as usize;
        action.sa_flags = libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
    }
}

/// Runs `work` with an alternate stack of so many bytes.
fn with_alternate(bytes: usize, work: impl FnOnce()) {
    // SAFETY: the memory is new, and a stack no more when it goes.
    unsafe {
        let (access, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let memory = libc::mmap(ptr::null_mut(), 64 << 10, access, flags, -1, 0);
        let stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: bytes };
        let mut before = std::mem::zeroed();
        // The kernel may ask for more.
        let is_set = libc::sigaltstack(&stack, &mut before) == 0;
        work();
        if is_set {
            libc::sigaltstack(&before, ptr::null_mut());
        }
        libc::munmap(memory, 64 << 10);
    }
}

extern "C-unwind" fn on_tiny(_: *mut c_void) -> *mut c_void {
    with_alternate(libc::MINSIGSTKSZ, || {
        allocate(20);
        burn(ms(30));
    });
    ptr::null_mut()
}

/// One that no signal fits on, from the beginning of a thread, which then has no ticks; its time is told at its end. And one
/// with room for a handler of the host's, which computes there for long, and for a tick's amid it.
fn alternate_stacks() {
    handle_on_alternate();
    let profiler = start();
    for _ in 0..rounds(10, 200) {
        let tiny = raw(on_tiny, ptr::null_mut());
        with_alternate(16 << 10, || {
            for _ in 0..5 {
                // SAFETY: has a handler.
                unsafe { libc::raise(libc::SIGUSR1) };
                burn(us(300));
            }
        });
        join(tiny);
    }
    let snapshot = profiler.snapshot(ALL);
    let share = snapshot.cpu_sampled().as_secs_f64()
        / (snapshot.cpu_total() - snapshot.cpu_own()).as_secs_f64();
    println!("= {share:.4} of {:?} samples; {:?}", counts(&snapshot), profiler.stats().lost);
    assert!((0.95..=1.01).contains(&share));
    profiler.stop();
}

/// More threads at a time than there are slots.
fn thousands() {
    let profiler = start();
    let all = rounds(3_000, 10_000);
    let barrier = std::sync::Barrier::new(all as usize + 1);
    std::thread::scope(|scope| {
        for _ in 0..all {
            let builder = std::thread::Builder::new().stack_size(64 << 10);
            let work = || {
                allocate(2);
                barrier.wait();
                allocate(2);
            };
            builder.spawn_scoped(scope, work).expect("it starts");
        }
        println!("= {} threads, {:?} timers", threads(), timers());
        profiler.snapshot(ms(10));
        barrier.wait();
    });
    let stats = profiler.stats();
    println!("= {stats:?}");
    let without = stats.lost.iter().find(|(name, _)| *name == "no_slot");
    assert!(without.is_some_and(|(_, threads)| *threads >= all - 1_024), "{stats:?}");
    // Those that come after them are seen again, when the profiler's thread has looked twice: that takes long under a sanitizer.
    std::thread::sleep(ms(1_000));
    profiler.snapshot(ALL);
    let before = profiler.stats().samples;
    std::thread::spawn(|| burn(ms(200))).join().expect("it does not panic");
    profiler.snapshot(ALL);
    assert!(profiler.stats().samples > before + 20);
    profiler.stop();
}

struct AllocatesAtEnd(u64);

impl Drop for AllocatesAtEnd {
    fn drop(&mut self) {
        allocate(self.0);
        LATER.with_borrow_mut(|later| later.push(black_box(vec![1; 3_000])));
        burn(us(300));
    }
}

thread_local! {
    static AT_END: RefCell<Vec<AllocatesAtEnd>> = const { RefCell::new(Vec::new()) };
    static LATER: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

extern "C" fn at_key_end(value: *mut c_void) {
    allocate(10);
    burn(us(100));
    let left = value.addr();
    if left > 1 {
        // SAFETY: the key is valid; nobody looks at what the value points to.
        unsafe { libc::pthread_setspecific(key(), ptr::without_provenance(left - 1)) };
    }
}

fn key() -> libc::pthread_key_t {
    static KEY: std::sync::OnceLock<libc::pthread_key_t> = std::sync::OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: the destructor is a function of this program.
        assert_eq!(unsafe { libc::pthread_key_create(&mut key, Some(at_key_end)) }, 0);
        key
    })
}

fn locals() {
    let profiler = start();
    for _ in 0..rounds(300, 10_000) {
        let work = || {
            AT_END.with_borrow_mut(|at_end| at_end.push(AllocatesAtEnd(20)));
            // SAFETY: the key is valid; nobody looks at what the value points to.
            unsafe { libc::pthread_setspecific(key(), ptr::without_provenance(3)) };
            allocate(20);
        };
        let [one, two] = [(); 2].map(|()| std::thread::spawn(work));
        one.join().expect("it does not panic");
        two.join().expect("it does not panic");
    }
    println!("= {:?} samples; {:?}", counts(&profiler.snapshot(ALL)), profiler.stats());
    profiler.stop();
}

extern "C-unwind" fn leaves(_: *mut c_void) -> *mut c_void {
    allocate(20);
    burn(ms(1));
    // SAFETY: nothing with a destructor is on the stack.
    unsafe { libc::pthread_exit(ptr::null_mut()) }
}

/// A thread that the standard library knows nothing of.
pub(super) fn raw(
    function: extern "C-unwind" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> libc::pthread_t {
    // SAFETY: all zero is never read: it is written first; the function takes its argument for a number, and leaves by
    // `pthread_exit` at most, which unwinds: the other form of function would abort.
    unsafe {
        let plain = std::mem::transmute::<
            extern "C-unwind" fn(*mut c_void) -> *mut c_void,
            extern "C" fn(*mut c_void) -> *mut c_void,
        >(function);
        let mut thread = std::mem::zeroed();
        let result = libc::pthread_create(&mut thread, ptr::null(), plain, argument);
        assert_eq!(result, 0);
        thread
    }
}

pub(super) fn join(thread: libc::pthread_t) {
    // SAFETY: joined once.
    assert_eq!(unsafe { libc::pthread_join(thread, ptr::null_mut()) }, 0);
}

fn pthread_exit() {
    let profiler = start();
    for _ in 0..rounds(500, 10_000) {
        let both = [raw(leaves, ptr::null_mut()), raw(leaves, ptr::null_mut())];
        both.into_iter().for_each(join);
    }
    println!("= {:?} samples", counts(&profiler.snapshot(ALL)));
    profiler.stop();
}

extern "C-unwind" fn computes(_: *mut c_void) -> *mut c_void {
    burn(ms(400));
    ptr::null_mut()
}

/// Found by the helper, and moves in at its first tick.
fn never_allocate() {
    let profiler = start();
    let both = [raw(computes, ptr::null_mut()), raw(computes, ptr::null_mut())];
    both.into_iter().for_each(join);
    let snapshot = profiler.snapshot(ALL);
    let stats = profiler.stop();
    let share = snapshot.cpu_sampled().as_secs_f64()
        / (snapshot.cpu_total() - snapshot.cpu_own()).as_secs_f64();
    println!("= {share:.4} of their time is told; lost {:?}", stats.lost);
    assert!((0.98..=1.01).contains(&share));
}

/// The address of the calling thread's alternate stack, if it was lent that. A thread that the profiler's own finds before it
/// has allocated is not.
pub(super) fn lent() -> Option<usize> {
    // SAFETY: all zero is a plain stack, which is written.
    let stack = unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        assert_eq!(libc::sigaltstack(ptr::null(), &mut stack), 0);
        stack
    };
    (stack.ss_flags & libc::SS_DISABLE == 0 && stack.ss_size == 64 << 10)
        .then_some(stack.ss_sp.addr())
}

extern "C-unwind" fn tells_what_it_is_lent(to: *mut c_void) -> *mut c_void {
    assert_eq!(lent(), None);
    allocate(1);
    // SAFETY: the one who joins it waits for what is written here.
    unsafe { *to.cast::<Option<usize>>() = lent() };
    burn(ms(5));
    ptr::null_mut()
}

extern "C-unwind" fn keeps_its_own(_: *mut c_void) -> *mut c_void {
    with_alternate(32 << 10, || {
        allocate(1);
        assert_eq!(lent(), None);
    });
    ptr::null_mut()
}

/// Threads are lent alternate stacks by the profiler, with which std is content: never two the same, and those that come
/// later have them again. One stays good when the profiler has stopped, and while the next one runs.
fn lent_stacks() {
    handle_on_alternate();
    let (tell, told) = channel();
    let mut all = Vec::new();
    let barrier = std::sync::Barrier::new(2);
    let first = start();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let own = lent();
            tell.send(own).expect("it is waited for");
            barrier.wait();
            if own.is_some() {
                // SAFETY: has a handler.
                unsafe { libc::raise(libc::SIGUSR1) };
            }
            tell.send(lent()).expect("it is waited for");
        });
        let held = told.recv().expect("it tells");
        first.stop();
        let second = start();
        for _ in 0..20 {
            let mut two = [None; 2];
            let threads =
                two.each_mut().map(|to| raw(tells_what_it_is_lent, ptr::from_mut(to).cast()));
            threads.into_iter().for_each(join);
            let of_std = std::thread::spawn(lent).join().expect("it does not panic");
            assert!(two[0] != two[1] || two[0].is_none());
            join(raw(keeps_its_own, ptr::null_mut()));
            let three = [two[0], two[1], of_std].into_iter().flatten();
            all.extend(three.inspect(|&own| assert_ne!(Some(own), held)));
        }
        barrier.wait();
        assert_eq!(told.recv().expect("it tells"), held);
        second.stop();
    });
    let stacks = HashSet::<usize>::from_iter(all.iter().copied()).len();
    println!("= {} of 60 threads had one of {stacks} stacks", all.len());
    assert!(all.len() > 40 && stacks < 10);
}
