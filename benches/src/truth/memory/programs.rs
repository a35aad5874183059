//! The programs of `profcli/tests/truth/memory`.

use crate::truth::programs::{Program, plain};

const fn sized(
    name: &'static str,
    file: &'static str,
    arguments: &'static [&'static str],
) -> Program {
    Program { arguments, rate: 100.0, ..plain(name, file) }
}

const fn with_numpy(
    name: &'static str,
    file: &'static str,
    arguments: &'static [&'static str],
) -> Program {
    Program { needs: Some("numpy"), ..sized(name, file, arguments) }
}

/// All of them.
pub const PROGRAMS: [Program; 31] = [
    sized("small tuples", "memory/small_tuples.py", &[]),
    sized("bytearrays", "memory/bytearrays.py", &[]),
    with_numpy("numpy arrays", "memory/numpy_arrays.py", &[]),
    sized("512 MiB touched", "memory/half_gib.py", &["BYTEARRAY"]),
    sized("512 MiB untouched", "memory/half_gib.py", &["BYTES"]),
    sized("512 MiB calloc", "memory/half_gib.py", &["CALLOC"]),
    with_numpy("numpy touched", "memory/half_gib.py", &["EMPTY"]),
    with_numpy("numpy untouched", "memory/half_gib.py", &["UNTOUCHED"]),
    with_numpy("numpy zeros", "memory/half_gib.py", &["ZEROS"]),
    sized("realloc growth", "memory/realloc_growth.py", &[]),
    sized("queue of 8", "memory/thread_queue.py", &[]),
    sized("leak beside churn", "memory/leak_beside_churn.py", &[]),
    Program {
        library: Some("native_leak.c"),
        ..sized("native leak", "memory/native_leak.py", &[])
    },
    sized("slow leak", "memory/slow_leak.py", &[]),
    sized("table kept", "memory/table_kept.py", &[]),
    sized("table freed", "memory/table_freed.py", &[]),
    sized("cache, full", "memory/cache.py", &["full"]),
    sized("cache, first out", "memory/cache.py", &["first"]),
    sized("cache, any out", "memory/cache.py", &["any"]),
    sized("late cycles", "memory/late_cycles.py", &[]),
    sized("fork", "memory/fork.py", &[]),
    sized("arena reuse", "memory/arena_reuse.py", &[]),
    sized("short peak", "memory/short_peak.py", &[]),
    sized("10,000 threads", "memory/many_threads.py", &[]),
    sized("alternating lines", "memory/alternating.py", &[]),
    sized("all sizes", "memory/sizes.py", &[]),
    sized("mapped pages", "memory/mapped.py", &[]),
    sized("slices", "memory/slices.py", &[]),
    with_numpy("numpy copies", "memory/numpy_copies.py", &[]),
    sized("file reads", "memory/file_reads.py", &[]),
    sized("join", "memory/join.py", &[]),
];
