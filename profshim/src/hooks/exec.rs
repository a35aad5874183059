//! The exec functions: the clock of the calling thread stops before, and goes on if there was no exec.
//!
//! `execl` and its kin take as many arguments as they are given. They are entered by a jump with the stack and the
//! registers as they came, so what they return nobody sees: a thread whose `execl` failed tells its time at its end.

use crate::next;
use core::ffi::{c_char, c_int};
use profcore::exec;

type Text = *const c_char;
type Texts = *const Text;

macro_rules! hook {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {$(
        pub(super) unsafe extern "C" fn $name($($argument: $type),*) -> c_int {
            let Some(next) = next::sure(next::$name) else { return -1 };
            exec::prepare();
            // SAFETY: the program's own arguments.
            let result = unsafe { next($($argument),*) };
            exec::failed();
            result
        }
    )*};
}

hook! {
    execve(path: Text, arguments: Texts, environment: Texts);
    execv(path: Text, arguments: Texts);
    execvp(file: Text, arguments: Texts);
    execvpe(file: Text, arguments: Texts, environment: Texts);
    fexecve(fd: c_int, arguments: Texts, environment: Texts);
    execveat(folder: c_int, path: Text, arguments: Texts, environment: Texts, flags: c_int);
}

macro_rules! jump {
    ($($name:ident via $target:ident;)*) => {$(
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name() {
            // Six registers may hold arguments; `al` tells of vector registers, of which exec has none.
            core::arch::naked_asm!(
                "push rdi",
                "push rsi",
                "push rdx",
                "push rcx",
                "push r8",
                "push r9",
                "sub rsp, 8",
                "call {target}",
                "add rsp, 8",
                "pop r9",
                "pop r8",
                "pop rcx",
                "pop rdx",
                "pop rsi",
                "pop rdi",
                "jmp rax",
                target = sym $target,
            )
        }

        /// Prepares, and says where to go on.
        extern "C" fn $target() -> usize {
            let next = next::sure(next::$name);
            exec::prepare();
            next.map_or(missing as *const () as usize, |next| next as *const () as usize)
        }
    )*};
}

jump! {
    execl via before_execl;
    execlp via before_execlp;
    execle via before_execle;
}

/// In place of a function that is not there.
extern "C" fn missing() -> c_int {
    -1
}
