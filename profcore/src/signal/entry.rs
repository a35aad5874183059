//! What the kernel calls, and what it returns through.

use super::context::{Context, Info};
use super::{alternate, dispositions, handler, number};
use crate::process;
use crate::session::word;
use crate::sync::Ordering;
use crate::sys::probe;
use core::ffi::c_int;

/// The handler of all signals we took. A handler of the program's is *jumped* to: it finds the stack and
/// the registers as if the kernel had called it, and returns to the kernel without passing us again.
///
/// # Safety
/// Called by the kernel only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn entry(signal: c_int, info: *const Info, context: Context) {
    core::arch::naked_asm!(
        "push rdi",
        "push rsi",
        "push rdx",
        "call {route}",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "test rax, rax",
        "jz 2f",
        "jmp rax",
        "2:",
        "ret",
        route = sym route,
    )
}

/// The handler in the place of those of the program's that ask for the alternate stack: jumps to the one that `admit`
/// names.
///
/// # Safety
/// Called by the kernel only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn entry_on_alternate(
    signal: c_int,
    info: *const Info,
    context: Context,
) {
    core::arch::naked_asm!(
        "push rdi",
        "push rsi",
        "push rdx",
        "call {admit}",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "jmp rax",
        admit = sym alternate::admit,
    )
}

/// Where a handler returns to. These very instructions are how debuggers and unwinders know a signal's frame.
///
/// # Safety
/// Reached by a signal handler's return only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn restore() {
    core::arch::naked_asm!("mov rax, 15", "syscall")
}

/// Does what is ours. Returns the program's handler to jump to, or 0.
///
/// # Safety
/// With the arguments of a signal handler.
unsafe extern "C" fn route(signal: c_int, info: *const Info, mut context: Context) -> usize {
    // SAFETY: the kernel's siginfo, valid until the handler returns.
    let info = unsafe { &*info };
    let is_fault = signal == libc::SIGSEGV || signal == libc::SIGBUS;
    if is_fault && info.is_from_kernel() {
        if let Some(next) = probe::recover(context.pc()) {
            context.set_pc(next);
            if let Some(session) = process::session() {
                session.word(word::PROBE_FAULTS).fetch_add(1, Ordering::Relaxed);
            }
            return 0;
        }
    } else if signal == number() {
        if info.is_tick() {
            handler::timer_tick(info.timer(), info.overruns(), &context);
            return 0;
        }
        if info.perf_event().is_some_and(handler::is_perf_event) {
            handler::tick(0, &context);
            return 0;
        }
        if info.is_measurement() {
            alternate::measured(&context);
            return 0;
        }
    }
    dispositions::deliver(signal, info, &context)
}
