//! Asking the dynamic linker.

use core::ffi::{CStr, c_void};

/// Address of a symbol, 0 if there is none.
pub(crate) fn look_up(handle: *mut c_void, name: &CStr) -> usize {
    // SAFETY: a name that ends with NUL and one of the two handles that need no `dlopen`.
    unsafe { libc::dlsym(handle, name.as_ptr()) }.expose_provenance()
}

/// Address of a symbol that has this version, be it a hidden one; 0 if there is none. Those of glibc's debugging
/// allocator are hidden: a program's references, which have versions, find them, and a lookup by name alone passes them
/// by.
pub(super) fn look_up_version(handle: *mut c_void, name: &CStr, version: &CStr) -> usize {
    // SAFETY: as in `look_up`.
    unsafe { libc::dlvsym(handle, name.as_ptr(), version.as_ptr()) }.expose_provenance()
}

/// Whether two functions are of one library, or program.
pub(super) fn same_library(one: usize, other: usize) -> bool {
    let [one, other] = [one, other].map(|address| {
        // SAFETY: zeros are a good Dl_info: null pointers.
        let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
        // SAFETY: any address may be asked about; the answer is written into our own struct.
        let found =
            unsafe { libc::dladdr(core::ptr::with_exposed_provenance(address), &raw mut info) };
        if found == 0 { core::ptr::null_mut() } else { info.dli_fbase }
    });
    !one.is_null() && one == other
}

/// Takes a failed lookup's message away, which the program could take for its own.
pub(crate) fn forget_error() {
    // SAFETY: returns the message and frees it at the next call.
    unsafe {
        libc::dlerror();
        libc::dlerror();
    }
}

// The versions that every glibc has: the linker would choose GLIBC_2.34, and the shim would not load before.
// It is told (`build.rs`) to bind all uses of these functions to the `__wrap_` names, profcore's too. They
// jump and do not call, because RTLD_NEXT looks at the return address to learn after whom to search.
core::arch::global_asm!(
    ".symver prof_dlsym, dlsym@GLIBC_2.2.5",
    ".symver prof_dlerror, dlerror@GLIBC_2.2.5",
    ".symver prof_dladdr, dladdr@GLIBC_2.2.5",
    ".symver prof_dlvsym, dlvsym@GLIBC_2.2.5",
    ".pushsection .text.prof_linker,\"ax\",@progbits",
    ".globl __wrap_dlsym, __wrap_dlerror, __wrap_dladdr, __wrap_dlvsym",
    ".hidden __wrap_dlsym, __wrap_dlerror, __wrap_dladdr, __wrap_dlvsym",
    ".type __wrap_dlsym, @function",
    ".type __wrap_dlerror, @function",
    ".type __wrap_dladdr, @function",
    ".type __wrap_dlvsym, @function",
    "__wrap_dlsym: jmp prof_dlsym@PLT",
    "__wrap_dlerror: jmp prof_dlerror@PLT",
    "__wrap_dladdr: jmp prof_dladdr@PLT",
    "__wrap_dlvsym: jmp prof_dlvsym@PLT",
    ".popsection",
);
