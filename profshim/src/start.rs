//! Constructor and destructor: the only parts of the shim that run of their own accord.

use crate::hooks::{process, python};
use crate::next;

/// Runs after the program's libraries are relocated and before its `main`.
extern "C" fn constructor() {
    next::resolve();
    profcore::process::start();
    // It may have asked the linker for names that this program does not have.
    next::forget_error();
    next::choose_hot_paths();
    if profcore::process::is_active() {
        profcore::process::copies_by(next::memmove().map_or(0, |copy| copy as usize));
        process::follow_forks_and_threads();
        if profcore::memory::is_sampled() {
            python::wrap_allocators();
        }
    }
}

/// Runs when the program exits by `exit` or by returning from `main`.
extern "C" fn destructor() {
    profcore::process::exiting();
}

#[used]
// SAFETY: the section holds pointers to functions that take what they like of (argc, argv, envp).
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

#[used]
// SAFETY: the section holds pointers to functions without arguments.
#[unsafe(link_section = ".fini_array")]
static DESTRUCTOR: extern "C" fn() = destructor;
