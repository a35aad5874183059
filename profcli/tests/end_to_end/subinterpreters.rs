//! Subinterpreters: their lines and times, on whichever thread they run.

use crate::prof::{Python, Recording, every_python, program};

every_python!(lines_of_subinterpreters_have_their_times);

fn lines_of_subinterpreters_have_their_times(python: &Python) {
    let (path, inner) = (program("subinterpreters.py"), program("subinterpreted.py"));
    // Alone: on a busy machine a thread may run for a tenth of a second and more between two of the kernel's ticks, and
    // all of that is then told where the second one met it.
    let (ended, profile) = Recording::of(python, &path, &["1.0"]).rate(250).profile_alone();
    profile.assert_books_balance();
    let truth = ended.truth();
    for (function, tag) in [("on_main", "MAIN"), ("on_thread", "THREAD")] {
        let told = profile.function(&inner, function).sum();
        assert!((told - 1.0).abs() < 0.1, "{function}: {told:.3} s of 1 s");
        // With what comes before the function.
        let clock = truth[function].as_f64().expect("seconds");
        assert!(told < clock + 0.02, "{function}: {told:.3} s of {clock:.3} s");
        let line = profile.tagged(&inner, tag);
        assert!(line.cpu.python > 0.3 * told, "{line:?} of {told:.3} s");
    }
    let outside = profile.function(&path, "outside").sum();
    assert!((outside - 1.0).abs() < 0.15, "{outside:.3} s outside");
}
