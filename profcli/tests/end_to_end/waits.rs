//! Time off the CPU: by line, by what was waited for, and against the program's own clocks.

use crate::prof::{Python, Recording, program, some_python};

some_python!(waits_stand_at_their_lines);

/// Waits of each line within three looks at the threads. Of two threads that fight for the GIL, the time off the CPU is
/// the program's own figure, and most of what is told at the line that wanted the GIL is the GIL's. What else runs on
/// the machine takes CPUs away, which no line is to blame for.
fn waits_stand_at_their_lines(python: &Python) {
    let path = program("waits.py");
    let (ended, profile) = Recording::of(python, &path, &[]).rate(250).profile_alone();
    let truth = ended.truth();
    for (tag, seconds) in truth["waits"].as_object().expect("waits by line") {
        let seconds = seconds.as_f64().expect("seconds");
        let (gil, wait) = profile.tagged_waits(&path, tag);
        assert!((wait - seconds).abs() < 0.15, "{tag}: {wait:.3} s, in truth {seconds:.3} s");
        // One look, some 50 ms, can come when the thread has just asked for it.
        assert!(gil < 0.1, "{tag}: {gil:.3} s for the GIL");
    }
    for fight in truth["fights"].as_array().expect("threads") {
        let off = fight["off_s"].as_f64().expect("seconds");
        let tid = fight["tid"].as_u64().expect("an id");
        let (gil, wait) = profile.thread_waits(tid);
        assert!(off > 1.0, "the threads must fight: {off:.3}");
        // It is seen from its first drain to its last.
        let told = gil + wait;
        assert!((told - off).abs() < 0.25, "{gil:.3} s + {wait:.3} s of {off:.3} s off the CPU");
    }
    let (gil, wait) = profile.tagged_waits(&path, "FIGHT");
    assert!(gil > 1.0 && gil > 4.0 * wait, "{gil:.3} s for the GIL, {wait:.3} s else");
    // How long a busy machine takes to start and to end an interpreter nobody can say.
    let took = truth["took_s"].as_f64().expect("seconds");
    let (elapsed, main) = (profile.elapsed(), profile.wall_of_first_thread());
    assert!(
        (took - 0.25..elapsed + 0.05).contains(&main),
        "{main:.3} s in the main thread, {took:.3} s by its own clock, {elapsed:.3} s in all"
    );
}
