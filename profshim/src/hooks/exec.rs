//! The exec functions: the clock of the calling thread stops before, and goes on if there was no exec. What the program
//! ignores is passed on by them and by spawns.
//!
//! `execl` and its kin take as many arguments as they are given: those are put into an array, as libc does.

use crate::next;
use core::ffi::{c_char, c_int, c_void};
use profcore::exec;

type Text = *const c_char;
type Texts = *const Text;

macro_rules! hook {
    ($before:ident, $after:ident; $($name:ident($($argument:ident: $type:ty),*) or $missing:expr;)*) => {$(
        pub(super) unsafe extern "C" fn $name($($argument: $type),*) -> c_int {
            let Some(next) = next::sure(next::$name) else { return $missing };
            let prepared = exec::$before();
            // SAFETY: the program's own arguments.
            let result = unsafe { next($($argument),*) };
            exec::$after(&prepared);
            result
        }
    )*};
}

hook! {
    prepare, failed;
    execve(path: Text, arguments: Texts, environment: Texts) or -1;
    execv(path: Text, arguments: Texts) or -1;
    execvp(file: Text, arguments: Texts) or -1;
    execvpe(file: Text, arguments: Texts, environment: Texts) or -1;
    fexecve(fd: c_int, arguments: Texts, environment: Texts) or -1;
    execveat(folder: c_int, path: Text, arguments: Texts, environment: Texts, flags: c_int) or -1;
}

type Place = *mut c_void;
type Options = *const c_void;

hook! {
    before_spawn, spawned;
    posix_spawn(pid: Place, path: Text, actions: Options, attributes: Options, arguments: Texts, environment: Texts)
        or libc::ENOSYS;
    posix_spawnp(pid: Place, file: Text, actions: Options, attributes: Options, arguments: Texts, environment: Texts)
        or libc::ENOSYS;
}

macro_rules! list {
    ($($name:ident via $body:ident;)*) => {$(
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                // The six registers of arguments: the path, and five of the list.
                "push r9",
                "push r8",
                "push rcx",
                "push rdx",
                "push rsi",
                "push rdi",
                "lea rdi, [rbp - 40]",
                "lea rsi, [rbp + 16]",
                "call {count}",
                // Room for so many, and the stack stays aligned.
                "lea rax, [rax * 8 + 15]",
                "and rax, -16",
                "sub rsp, rax",
                "lea rdi, [rbp - 40]",
                "lea rsi, [rbp + 16]",
                "mov rdx, rsp",
                "call {gather}",
                "mov rdi, [rbp - 48]",
                "mov rsi, rsp",
                "mov rdx, rax",
                "call {body}",
                "leave",
                "ret",
                count = sym count,
                gather = sym gather,
                body = sym $body,
            )
        }
    )*};
}

list! {
    execl via execv;
    execlp via execvp;
    execle via execve;
}

/// Arguments of a list that came in registers, the rest on the stack.
const IN_REGISTERS: usize = 5;

/// An argument of a list.
///
/// # Safety
/// There must be that many.
unsafe fn argument(registers: Texts, stack: Texts, index: usize) -> Text {
    let (from, index) = match index.checked_sub(IN_REGISTERS) {
        None => (registers, index),
        Some(index) => (stack, index),
    };
    // SAFETY: by the caller.
    unsafe { from.add(index).read() }
}

/// Arguments of a list, its null at the end among them.
unsafe extern "C" fn count(registers: Texts, stack: Texts) -> usize {
    let mut count = 0;
    // SAFETY: the caller of `execl` ends its list with a null.
    while !unsafe { argument(registers, stack, count) }.is_null() {
        count += 1;
    }
    count + 1
}

/// Copies a list, its null too, and returns the argument behind it: `execle`'s environment.
unsafe extern "C" fn gather(registers: Texts, stack: Texts, into: *mut Text) -> Text {
    // SAFETY: as in `count`, which has said how much room there must be.
    let count = unsafe { count(registers, stack) };
    for index in 0..count {
        // SAFETY: as above.
        unsafe { into.add(index).write(argument(registers, stack, index)) };
    }
    // SAFETY: with the two others this is a register or a word of the caller's frame, of which nothing is made.
    unsafe { argument(registers, stack, count) }
}
