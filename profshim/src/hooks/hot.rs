//! The hooks that programs call most, in assembly: in a compiler's code the caller's address, which only a sample
//! needs, costs every call a jump and a stack frame, and a thread-local two loads more.
//!
//! ```text
//!   the usual case, see `profcore::memory::hot`: count, and leave all else to the next function
//!   nothing to count                          -> the next function
//!   anything else, nothing was changed        -> the whole hook, in `alloc` or `copy`
//! ```
//!
//! No lock, and no instruction that locks: a thread's words have one writer. `HOT_*` and `PASSED_*` are 0 before the
//! shim is relocated, so that a hook which comes then touches those and no thread-local.

macro_rules! malloc {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "mov rax, qword ptr [rip + {next}]",
            "test rax, rax",
            "jz 3f",
            "sub rsp, 8",
            ".cfi_adjust_cfa_offset 8",
            "call rax",
            "mov rcx, qword ptr [rip + prof_thread_block@GOTTPOFF]",
            "mov rcx, qword ptr fs:[rcx + {counting}]",
            "test rax, rax",
            "jz 2f",
            "mov rdx, qword ptr [rax - 8]", // its size, and flags
            "test rcx, rcx",
            "jz 2f",
            "test dl, {mapped}",
            "jnz 2f",
            "and rdx, {flags}",
            "mov rsi, qword ptr [rcx + {pending}]",
            "mov rdi, qword ptr [rcx + {bytes}]",
            "lea rsi, [rsi + rdx - 8]", // 8 of them are the size's own
            "lea rdi, [rdi + rdx - 8]",
            "cmp rsi, {batch}", // it grows: its lower bound is kept
            "jg 2f",
            "cmp rdi, qword ptr [rcx + {point}]",
            "jae 2f",
            "mov qword ptr [rcx + {pending}], rsi",
            "mov qword ptr [rcx + {bytes}], rdi",
            "inc qword ptr [rcx + {calls}]",
            "add rsp, 8",
            ".cfi_remember_state",
            ".cfi_adjust_cfa_offset -8",
            "ret",
            "2:",
            ".cfi_restore_state",
            "add rsp, 8",
            ".cfi_adjust_cfa_offset -8",
            "mov rdi, rax",
            "mov rsi, qword ptr [rsp]", // the caller
            "jmp {told}",
            "3:",
            "mov rax, qword ptr [rip + {passed}]",
            "test rax, rax",
            "jz 4f",
            "jmp rax",
            "4:",
            "mov rsi, qword ptr [rsp]",
            "jmp {whole}",
            ".cfi_endproc",
            passed = sym crate::next::PASSED_MALLOC,
            next = sym crate::next::HOT_MALLOC,
            told = sym crate::hooks::alloc::handed_out,
            whole = sym crate::hooks::alloc::malloc,
            counting = const profcore::memory::hot::COUNTING,
            mapped = const crate::next::MAPPED,
            flags = const !(crate::next::FLAGS as i64),
            pending = const profcore::memory::hot::PENDING,
            batch = const profcore::memory::hot::BATCH,
            point = const profcore::memory::hot::ALLOC_POINT,
            bytes = const profcore::memory::hot::ALLOC_BYTES,
            calls = const profcore::memory::hot::ALLOC_CALLS,
        )
    };
}

macro_rules! free {
    () => {
        core::arch::naked_asm!(
            "mov rax, qword ptr [rip + {next}]",
            "test rax, rax",
            "jz 3f",
            "test rdi, rdi",
            "jz 2f",
            "mov r8, qword ptr [rip + prof_thread_block@GOTTPOFF]",
            "mov rdx, qword ptr [rdi - 8]", // its size, and flags
            "mov rcx, qword ptr fs:[r8 + {slot}]",
            "mov r8, qword ptr fs:[r8 + {filter}]",
            "test dl, {mapped}",
            "jnz 2f",
            "test rcx, rcx",
            "jz 2f",
            "mov r9, rdi",
            "shr r9, {shift}",
            "movzx r9d, r9w",
            "cmp byte ptr [r8 + r9], 0", // is it followed?
            "jne 2f",
            "and rdx, {flags}",
            "mov rsi, qword ptr [rcx + {pending}]",
            "sub rdx, 8", // the size's own
            "sub rsi, rdx",
            "cmp rsi, -{batch}", // it shrinks: its upper bound is kept
            "jl 2f",
            "mov qword ptr [rcx + {pending}], rsi",
            "jmp rax",
            "3:",
            "mov rax, qword ptr [rip + {passed}]",
            "test rax, rax",
            "jz 2f",
            "jmp rax",
            "2:",
            "jmp {whole}",
            next = sym crate::next::HOT_FREE,
            passed = sym crate::next::PASSED_FREE,
            whole = sym crate::hooks::alloc::free,
            slot = const profcore::memory::hot::SLOT,
            filter = const profcore::memory::hot::FILTER,
            mapped = const crate::next::MAPPED,
            flags = const !(crate::next::FLAGS as i64),
            pending = const profcore::memory::hot::PENDING,
            batch = const profcore::memory::hot::BATCH,
            shift = const profcore::memory::hot::FILTER_SHIFT,
        )
    };
}

macro_rules! memmove {
    () => {
        core::arch::naked_asm!(
            "mov rax, qword ptr [rip + {next}]",
            "test rax, rax",
            "jz 3f",
            "mov rcx, qword ptr [rip + prof_thread_block@GOTTPOFF]",
            "mov rcx, qword ptr fs:[rcx + {slot}]",
            "test rcx, rcx",
            "jz 2f",
            "mov r8, qword ptr [rcx + {bytes}]",
            "add r8, rdx",
            "cmp r8, qword ptr [rcx + {point}]",
            "jae 2f",
            "mov qword ptr [rcx + {bytes}], r8",
            "inc qword ptr [rcx + {calls}]",
            "jmp rax",
            "3:",
            "mov rax, qword ptr [rip + {passed}]",
            "test rax, rax",
            "jz 2f",
            "jmp rax",
            "2:",
            "mov rcx, qword ptr [rsp]", // the caller
            "jmp {whole}",
            next = sym crate::next::HOT_MEMMOVE,
            passed = sym crate::next::PASSED_MEMMOVE,
            whole = sym crate::hooks::copy::memmove,
            slot = const profcore::memory::hot::SLOT,
            point = const profcore::memory::hot::COPY_POINT,
            bytes = const profcore::memory::hot::COPY_BYTES,
            calls = const profcore::memory::hot::COPY_CALLS,
        )
    };
}

pub(super) use {free, malloc, memmove};
