//! Raw system calls. errno is never touched: an error comes back as a value.

use super::vdso;
use core::arch::asm;

/// An error number of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

/// Calls the kernel with up to six arguments; the rest are zero.
///
/// # Safety
/// As for the system call itself: pointers must be good for what the kernel reads and writes there.
#[inline]
pub(crate) unsafe fn call<const N: usize>(
    number: libc::c_long,
    given: [usize; N],
) -> Result<usize, Errno> {
    let mut arguments = [0; 6];
    arguments[..N].copy_from_slice(&given);
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    // SAFETY: the kernel clobbers rax, rcx and r11 only; the arguments are the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            in("r9") f,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    if (-4095..0).contains(&result) { Err(Errno(-result as i32)) } else { Ok(result as usize) }
}

/// A clock in nanoseconds; 0 if the kernel does not have it.
#[inline]
pub(crate) fn clock(id: libc::clockid_t) -> u64 {
    nanoseconds(libc::SYS_clock_gettime, id)
}

/// How fine a clock is, in nanoseconds; 0 if the kernel does not have it. That of a coarse one is the kernel's tick.
#[cfg(feature = "embed")]
pub(crate) fn resolution(id: libc::clockid_t) -> u64 {
    nanoseconds(libc::SYS_clock_getres, id)
}

/// What one of the two calls says of a clock; 0 for an error.
#[inline]
fn nanoseconds(number: libc::c_long, id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let arguments = [id as usize, (&raw mut time).expose_provenance()];
    // SAFETY: the kernel writes one timespec into our local.
    let _ = unsafe { call(number, arguments) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// CLOCK_MONOTONIC, the time of every event.
#[inline]
pub(crate) fn monotonic() -> u64 {
    vdso::clock(libc::CLOCK_MONOTONIC).unwrap_or_else(|| clock(libc::CLOCK_MONOTONIC))
}

/// CPU time of the calling thread.
#[inline]
pub(crate) fn thread_cpu() -> u64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The clock of a thread's CPU time, for any thread of the process.
pub(crate) fn clock_of(tid: u32) -> libc::clockid_t {
    // As glibc's pthread_getcpuclockid makes it: the id, negated, and "per thread, by the scheduler".
    const PER_THREAD: i32 = 4 | 2;
    !(tid as i32) << 3 | PER_THREAD
}

/// Thread id, not from a cache.
pub(crate) fn gettid() -> u32 {
    // SAFETY: takes no arguments and cannot fail.
    unsafe { call(libc::SYS_gettid, []) }.unwrap_or(0) as u32
}

/// Process id, not from a cache: in a vfork child it is the child's.
pub(crate) fn getpid() -> u32 {
    // SAFETY: takes no arguments and cannot fail.
    unsafe { call(libc::SYS_getpid, []) }.unwrap_or(0) as u32
}

/// Process id of the parent.
pub(crate) fn getppid() -> u32 {
    // SAFETY: takes no arguments and cannot fail.
    unsafe { call(libc::SYS_getppid, []) }.unwrap_or(0) as u32
}

/// Gives the processor to another thread.
pub(crate) fn sched_yield() {
    // SAFETY: takes no arguments and cannot fail.
    let _ = unsafe { call(libc::SYS_sched_yield, []) };
}

/// Closes a descriptor of ours.
pub(crate) fn close(fd: i32) {
    // SAFETY: no memory is passed; callers own the descriptor.
    let _ = unsafe { call(libc::SYS_close, [fd as usize]) };
}

/// Reads the beginning of a file: how many bytes. The path ends with a zero.
pub(crate) fn read_start(path: &[u8], into: &mut [u8]) -> Result<usize, Errno> {
    if !path.contains(&0) {
        return Err(Errno(libc::EINVAL));
    }
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOCTTY) as usize;
    let here = libc::AT_FDCWD as usize;
    // SAFETY: the kernel reads the path up to its zero.
    let fd = unsafe { call(libc::SYS_openat, [here, path.as_ptr().expose_provenance(), flags]) }?;
    let arguments = [fd, into.as_mut_ptr().expose_provenance(), into.len()];
    // SAFETY: the kernel writes at most `into.len()` bytes.
    let read = unsafe { call(libc::SYS_read, arguments) };
    close(fd as i32);
    read
}

/// Where to send a timer's signal: the kernel's `struct sigevent` for SIGEV_THREAD_ID.
#[repr(C)]
struct TimerEvent {
    value: usize,
    signal: i32,
    notify: i32,
    tid: i32,
    rest: [i32; 11],
}

/// Makes a timer on the CPU clock of a thread of this process that sends `signal` with `value` to that thread.
pub(crate) fn timer_create(signal: i32, value: usize, tid: u32) -> Result<i32, Errno> {
    let event =
        TimerEvent { value, signal, notify: libc::SIGEV_THREAD_ID, tid: tid as i32, rest: [0; 11] };
    let mut id = 0i32;
    let clock = clock_of(tid) as usize;
    let arguments =
        [clock, (&raw const event).expose_provenance(), (&raw mut id).expose_provenance()];
    // SAFETY: the kernel reads a whole sigevent (64 bytes) and writes one int.
    unsafe { call(libc::SYS_timer_create, arguments) }.map(|_| id)
}

/// Arms a timer: first expiry and interval in nanoseconds.
pub(crate) fn timer_settime(id: i32, first: u64, interval: u64) -> Result<(), Errno> {
    let part = |nanos: u64| libc::timespec {
        tv_sec: (nanos / 1_000_000_000) as i64,
        tv_nsec: (nanos % 1_000_000_000) as i64,
    };
    let setting = libc::itimerspec { it_interval: part(interval), it_value: part(first) };
    // SAFETY: the kernel reads one itimerspec.
    unsafe {
        call(libc::SYS_timer_settime, [id as usize, 0, (&raw const setting).expose_provenance(), 0])
    }
    .map(drop)
}

/// Deletes a timer of ours.
pub(crate) fn timer_delete(id: i32) {
    // SAFETY: no memory is passed.
    let _ = unsafe { call(libc::SYS_timer_delete, [id as usize]) };
}

/// Effective user id.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: takes no arguments and cannot fail.
    unsafe { call(libc::SYS_geteuid, []) }.unwrap_or(0) as u32
}
