//! The programs of one behavior each in this folder: their names, and how they are compiled.
//!
//! A program says what it saw on standard output, the same in every run. Lines at its top that begin with `// gcc: `
//! have further options of the compiler. One with `// library: loaded` or `// library: linked` is two: compiled with
//! `LIBRARY` defined it is a shared library, which lies beside the program under its name and `.so`, and which the
//! program loads by that path or is linked to.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Calls a macro with the names of all programs.
#[allow(unused_macros, reason = "not asked for by the test that takes some of them")]
macro_rules! each_program {
    ($take:ident) => {
        $take! {
            aligned_across_threads
            aligned_blocks
            alternate_sizes
            alternate_stacks
            any_mix
            blocked_at_start
            blocking_calls
            cancellation
            copies
            copies_in_resolvers
            coroutines
            daemon
            debugging_heap
            descriptors_used_up
            dispositions
            early_calloc
            early_copies
            edge_arguments
            environment
            every_handler
            exceptions
            exec_in_vain
            exit_handlers
            exit_paths
            few_queued_signals
            fork_children
            fork_handlers
            fork_in_handler
            fork_while_allocating
            fortified
            fortified_forms
            frame_pointers
            free_errno
            handlers_amid
            heap_settings
            ignored_signals
            jumps_out_of_handlers
            late_allocations
            libc_allocations
            library_constructors
            little_memory
            looked_up
            low_heap
            many_threads
            mappings
            no_free_signal
            operators
            other_allocator
            own_copies
            own_malloc
            own_malloc_over_libc
            own_timers
            plain_allocator
            queued_signals
            realloc_growth
            reallocarray
            signal_masks
            sized_frees
            small_stacks
            spawned_children
            stacks_used_up
            system_v_signals
            thread_exits
            thread_locals_of_libraries
            threads
            threads_of_threads
            too_large
            tuned_heap
            usable_size
            vfork_allocates
            vfork_exec
            vfork_signals
            wrong_frees
        }
    };
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use each_program;

pub(crate) fn folder() -> PathBuf {
    // The end-to-end tests of the command use this module too, from the crate beside this one.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../profshim/tests/programs")
}

/// The compiler and the source of a program.
fn source(name: &str) -> (&'static str, PathBuf) {
    let c = folder().join(name).with_extension("c");
    if c.is_file() { ("gcc", c) } else { ("g++", c.with_extension("cpp")) }
}

/// Compiles a program into a folder; `more` are options for the linker, behind all others.
#[track_caller]
pub(crate) fn compile(name: &str, into: &Path, more: &[&str]) -> PathBuf {
    let (compiler, source) = source(name);
    let text = std::fs::read_to_string(&source).expect("the source can be read");
    let told = |mark| text.lines().find_map(|line: &str| line.strip_prefix(mark));
    let options: Vec<&str> = told("// gcc: ").unwrap_or_default().split_whitespace().collect();
    let program = into.join(name);
    let library = program.with_extension("so");
    let build = |product: &Path, own: &[&OsStr]| {
        let mut command = Command::new(compiler);
        command.args(["-O1", "-w", "-fno-builtin", "-pthread", "-o"]).arg(product);
        if compiler == "g++" {
            command.arg("-std=c++17");
        }
        let status = command.args(&options).arg(&source).args(own).arg("-ldl").args(more).status();
        assert!(status.expect("the compiler runs").success(), "{name} compiles");
    };
    let kind = told("// library: ");
    if kind.is_some() {
        build(&library, &["-DLIBRARY".as_ref(), "-shared".as_ref(), "-fPIC".as_ref()]);
    }
    match kind {
        Some("linked") => build(&program, &[library.as_os_str()]),
        _ => build(&program, &[]),
    }
    program
}
