//! `dlclose`. `dlopen` is none of ours: it looks at who calls it.

use crate::next;
use core::ffi::{c_int, c_void};
use profcore::unload;

pub(super) unsafe extern "C" fn dlclose(library: *mut c_void) -> c_int {
    let Some(next) = next::sure(next::dlclose) else { return -1 };
    unload::begins();
    // SAFETY: the program's own argument.
    let result = unsafe { next(library) };
    unload::is_over();
    result
}
