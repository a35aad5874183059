//! Other allocators than glibc's, preloaded or linked: they do the work, the program does not notice, and what it
//! allocates is seen.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::behaviors::{programs, recording};
use crate::prof::{ByteBooks, Recording, sid, skip};

/// A library of the system; `None` says what is missing.
fn library(name: &str) -> Option<PathBuf> {
    let path = Path::new("/usr/lib/x86_64-linux-gnu").join(name);
    if path.is_file() {
        return Some(path);
    }
    skip(&format!("{name} is not installed"));
    None
}

/// How a program comes to its allocator.
enum Way {
    Preloaded,
    Linked,
}

#[track_caller]
fn compare(allocator: &str, way: &Way, name: &str) {
    let Some(library) = library(allocator) else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let link = format!("-l:{allocator}");
    let options: &[&str] = match way {
        Way::Preloaded => &[],
        Way::Linked => &["-Wl,--no-as-needed", &link],
    };
    let program = programs::compile(name, folder.path(), options);
    let recording = recording(&program);
    let run = |mut command: Command| {
        if let Way::Preloaded = way {
            command.env("LD_PRELOAD", &library);
        }
        command.output().expect("the command starts")
    };
    let bare = run(Command::new(&program));
    let profiled = run(recording.profiled_command());
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said(&profiled), said(&bare), "{}", String::from_utf8_lossy(&profiled.stderr));
    assert_eq!(profiled.stderr, bare.stderr);
    assert_eq!(profiled.status, bare.status);
    expect_seen(&recording);
}

#[track_caller]
fn expect_seen(recording: &Recording) {
    let books = ByteBooks::of_trace(&recording.trace());
    books.assert_balance();
    let seen = books.allocated();
    assert!(seen > 1 << 20, "{seen} bytes were seen");
}

macro_rules! each_allocator {
    (@one $test:ident $library:literal $way:ident $name:ident) => {
        #[test]
        fn $test() {
            crate::allocators::compare($library, &crate::allocators::Way::$way, stringify!($name));
        }
    };
    ($($name:ident)*) => {
        $(
            mod $name {
                each_allocator!(@one jemalloc_preloaded "libjemalloc.so.2" Preloaded $name);
                each_allocator!(@one mimalloc_linked "libmimalloc.so.2" Linked $name);
            }
        )*
    };
}

// A library comes first by its place in the program or in LD_PRELOAD: two programs show that this is all the
// difference.
mod each_way {
    mod aligned_blocks {
        each_allocator!(@one jemalloc_linked "libjemalloc.so.2" Linked aligned_blocks);
        each_allocator!(@one mimalloc_preloaded "libmimalloc.so.2" Preloaded aligned_blocks);
    }
    mod any_mix {
        each_allocator!(@one jemalloc_linked "libjemalloc.so.2" Linked any_mix);
        each_allocator!(@one mimalloc_preloaded "libmimalloc.so.2" Preloaded any_mix);
    }
}

each_allocator! {
    aligned_blocks
    any_mix
    fork_children
    late_allocations
    libc_allocations
    threads
    usable_size
}

/// C23's sized frees are in the C library from 2.43 on: with an older one, only the shim has them.
#[test]
fn sized_frees_of_a_c_library_that_has_them() {
    let Some(root) = sid() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let libc = std::fs::read(libraries.join("libc.so.6")).expect("the C library can be read");
    let name = b"\0free_aligned_sized\0";
    assert!(libc.windows(name.len()).any(|window| window == name), "it has them");
    let loader = root.join("lib64/ld-linux-x86-64.so.2");
    let options = [
        format!("-Wl,--dynamic-linker={}", loader.display()),
        format!("-Wl,-rpath,{}", libraries.display()),
    ];
    let program =
        programs::compile("sized_frees", folder.path(), &options.each_ref().map(|o| &**o));
    let recording = recording(&program);
    let bare = recording.run_bare();
    let profiled = recording.run();
    assert_eq!(bare.stdout(), "wrong 0, held 0\n", "{}", bare.stderr());
    assert_eq!(profiled.stdout(), bare.stdout(), "{}", profiled.stderr());
    assert_eq!(profiled.stderr(), bare.stderr());
    assert_eq!(profiled.status(), bare.status());
    expect_seen(&recording);
}
