//! The allocator: arguments, moments and pointers that are not usual.

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::Run;
use crate::trial::Trial;

/// Programs that ask what glibc's own tests of malloc ask, in the order of their names.
const AS_GLIBC_TESTS: [&str; 27] = [
    "aligned_across_threads",
    "aligned_blocks",
    "any_mix",
    "debugging_heap",
    "edge_arguments",
    "exit_paths",
    "fork_children",
    "fork_handlers",
    "fork_in_handler",
    "fork_while_allocating",
    "free_errno",
    "heap_settings",
    "late_allocations",
    "libc_allocations",
    "little_memory",
    "low_heap",
    "own_malloc",
    "own_malloc_over_libc",
    "realloc_growth",
    "reallocarray",
    "sized_frees",
    "thread_exits",
    "thread_locals_of_libraries",
    "threads",
    "too_large",
    "usable_size",
    "wrong_frees",
];

/// Tries some programs one after the other.
fn each(trial: &Trial, names: &[&str]) -> Result<Held, Broken> {
    let mut all = Held::nothing();
    for name in names {
        let pair = Run::of(trial.compile(name)?).dense().both(trial)?;
        let (held, _) = invariants::all(trial, &pair).map_err(|why| why.within(name))?;
        all = all.and(&held);
    }
    Ok(all)
}

/// Row 25.
pub(crate) fn during_bootstrap(trial: &Trial) -> Result<Held, Broken> {
    let names = ["early_calloc", "library_constructors", "looked_up", "early_copies"];
    Ok(each(trial, &names)?.figure(names.join(", ")))
}

/// Row 26.
pub(crate) fn bootstrap_blocks(trial: &Trial) -> Result<Held, Broken> {
    let held = each(trial, &["bootstrap_blocks"])?;
    Ok(held.figure("60 blocks from before all constructors, grown, shrunk, measured and freed"))
}

/// Row 27.
pub(crate) fn edge_arguments(trial: &Trial) -> Result<Held, Broken> {
    let pair = Run::of(trial.compile("edge_arguments")?).dense().both(trial)?;
    let results = pair.bare.stdout().lines().count();
    let (held, _) = invariants::all(trial, &pair)?;
    Ok(held.figure(format!("{results} results, each as libc's")))
}

/// Row 28.
pub(crate) fn as_glibc_tests(trial: &Trial) -> Result<Held, Broken> {
    let every = trial.pick(1, 4);
    let names: Vec<&str> = AS_GLIBC_TESTS.into_iter().step_by(every).collect();
    Ok(each(trial, &names)?.figure(format!("{} programs", names.len())))
}

/// Row 29.
pub(crate) fn in_destructors_of_keys(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("key_destructors")?;
    let threads = trial.pick("1000", "100");
    let pair = Run::of(program).with([threads]).dense().both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let told = trace.count("alloc_calls");
    let past = trace.count("lost_alloc.no_slot");
    // Four keys, ten rounds, three blocks a round, and a value for each key.
    let least = threads.parse::<u64>().unwrap_or(0) * (10 * 3 + 4);
    holds(told + past >= least, || format!("{told} allocations counted, {past} lost, of {least}"))?;
    Ok(held.figure(format!(
        "{threads} threads, {told} allocations counted, {past} past their thread's end"
    )))
}

/// Row 30. The shim's few bytes of thread-local storage are static, and it is there from the start: it takes no room
/// from what is loaded later. Loaded by hand, late, it is a library like others.
pub(crate) fn no_room_for_thread_locals(trial: &Trial) -> Result<Held, Broken> {
    let libraries = 64;
    let built = trial.compile_as("tls", "tls0.so", &[])?;
    for number in 1..libraries {
        std::fs::copy(&built, trial.folder().join(format!("tls{number}.so")))?;
    }
    let late = trial.compile_as("tiny", "late.so", &["-DNUMBER=1", "-DNAME=late"])?;
    let program = trial.compile("tls_space")?;
    let words = [trial.folder().display().to_string(), libraries.to_string()];
    let run = |last: &std::path::Path| Run::of(&program).with(&words).with([last]);
    let pair = run(&late).dense().both(trial)?;
    let (held, _) = invariants::all(trial, &pair)?;
    let said = pair.bare.stdout();
    let room = said.lines().find_map(|line| line.strip_prefix("room for ")).unwrap_or_default();
    let by_hand = run(&trial.shim()).bare(trial)?;
    let works = by_hand.status.success() && by_hand.stdout().contains("allocates and copies: 5");
    holds(works, || format!("loaded by hand: {}: {}", by_hand.status, by_hand.stdout()))?;
    let loaded = by_hand.stdout().contains("late: loaded");
    let late = if loaded { "loads" } else { "is refused by the loader" };
    Ok(held
        .figure(format!("room for {room}, as without us; by hand it {late}, the program goes on")))
}
