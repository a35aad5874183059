//! Code that comes and goes, and others that walk stacks.

use super::system::{ALL, Over, counts, start};
use crate::embed_harness::work::compute;
use crate::embed_harness::{Case, rounds, skip};
use std::backtrace::Backtrace;
use std::ffi::{CString, c_void};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    Case::new("libraries_are_loaded_and_unloaded_on_two_threads", libraries),
    Case::new("panics_and_backtraces_on_two_threads", panics),
];

const SOURCE: &str = "
static int inner(int depth, volatile int *sum) {
    if (depth) return inner(depth - 1, sum) + 1;
    for (int i = 0; i < 20000; i++) *sum += i;
    return *sum;
}
int work(void) { volatile int sum = 0; return inner(5, &sum); }
";

/// Builds the library so often, under other names, and returns their paths.
fn build(folder: &std::path::Path, count: usize) -> Vec<CString> {
    let source = folder.join("work.c");
    std::fs::write(&source, SOURCE).expect("it is ours");
    let build = |number: usize| {
        let library = folder.join(format!("work{number}.so"));
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-shared", "-fPIC", "-fno-optimize-sibling-calls", "-o"]);
        // Other sizes, so that other code comes where theirs was.
        compiler.arg(&library).arg(&source).arg(format!("-Wl,-z,max-page-size={}", 4096 << number));
        match compiler.status() {
            Ok(status) if status.success() => {}
            _ => skip("there is no C compiler"),
        }
        CString::new(library.to_str().expect("a plain path")).expect("has no zeros")
    };
    (0..count).map(build).collect()
}

fn libraries() {
    let folder = tempfile::tempdir().expect("there is room");
    let libraries = build(folder.path(), 3);
    let profiler = start();
    let is_over = AtomicBool::new(false);
    let loads = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (libraries, is_over, loads) = (&libraries, &is_over, &loads);
            scope.spawn(move || {
                let mut number = thread;
                while !is_over.load(Relaxed) {
                    number += 1;
                    load(&libraries[number % libraries.len()]);
                    loads.fetch_add(1, Relaxed);
                }
            });
        }
        let _over = Over(&is_over);
        std::thread::sleep(Duration::from_secs(rounds(4, 120)));
    });
    println!("= {loads:?} loads, {:?} samples", counts(&profiler.snapshot(ALL)));
    profiler.stop();
}

fn load(path: &CString) {
    // SAFETY: the library is ours, its function has this form and is not called after the unloading.
    unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!library.is_null(), "it loads");
        let function = libc::dlsym(library, c"work".as_ptr());
        assert!(!function.is_null(), "it is there");
        let function: extern "C" fn() -> i32 =
            std::mem::transmute::<*mut c_void, extern "C" fn() -> i32>(function);
        std::hint::black_box(function());
        libc::dlclose(library);
    }
}

fn panics() {
    std::panic::set_hook(Box::new(|_| {}));
    let profiler = start();
    let is_over = AtomicBool::new(false);
    let caught = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    let result = std::panic::catch_unwind(|| {
                        let backtrace = Backtrace::force_capture();
                        compute();
                        std::panic::panic_any(backtrace);
                    });
                    assert!(result.is_err());
                    caught.fetch_add(1, Relaxed);
                }
            });
        }
        let _over = Over(&is_over);
        std::thread::sleep(Duration::from_secs(rounds(3, 120)));
    });
    println!("= {caught:?} panics, {:?} samples", counts(&profiler.snapshot(ALL)));
    assert!(caught.load(Relaxed) > 100);
    profiler.stop();
}
