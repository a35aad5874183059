//! The registers that a walk of native frames begins with, of the code that asks.

use core::arch::asm;

/// Instruction, stack pointer and frame pointer of the function that this is inlined into.
#[inline(always)]
pub(crate) fn here() -> [usize; 3] {
    let (pc, sp, bp): (usize, usize, usize);
    // SAFETY: only reads registers; writes no memory, and no register but its results.
    unsafe {
        asm!(
            "lea {pc}, [rip]",
            "mov {sp}, rsp",
            "mov {bp}, rbp",
            pc = out(reg) pc,
            sp = out(reg) sp,
            bp = out(reg) bp,
            options(nomem, nostack, preserves_flags)
        );
    }
    [pc, sp, bp]
}
