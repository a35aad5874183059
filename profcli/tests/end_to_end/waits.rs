//! Time off the CPU: by line, by what was waited for, and against the program's own clocks.

use crate::prof::{Profile, Python, Recording, every_python, program};

every_python!(waits_stand_at_their_lines);

/// Waits of each line within a tenth of a second; of two threads that fight for the GIL, what each was off the CPU is
/// mostly the GIL's, at the line that wanted it.
fn waits_stand_at_their_lines(python: &Python) {
    let path = program("waits.py");
    let (ended, profile) = Recording::of(python, &path, &[]).rate(250).profile_alone();
    let truth = ended.truth();
    for (tag, seconds) in truth["waits"].as_object().expect("waits by line") {
        let seconds = seconds.as_f64().expect("seconds");
        let (gil, wait) = profile.tagged_waits(&path, tag);
        assert!((wait - seconds).abs() < 0.1, "{tag}: {wait:.3} s, in truth {seconds:.3} s");
        assert!(gil < 0.05, "{tag}: {gil:.3} s for the GIL");
    }
    let fights = truth["fights"].as_array().expect("threads");
    let off: f64 = fights.iter().filter_map(|fight| fight["off_s"].as_f64()).sum();
    let (gil, wait) = profile.tagged_waits(&path, "FIGHT");
    assert!(off > 2.5, "the threads must fight: {off:.3}");
    assert!(gil > 0.7 * off, "{gil:.3} s for the GIL, {wait:.3} s else, of {off:.3} s off the CPU");
    assert!(gil + wait < off + 0.3, "{gil:.3} s + {wait:.3} s of {off:.3} s off the CPU");
    check_sum(&profile);
}

/// CPU and waits of a thread that lives as long as the program add up to the program's time.
fn check_sum(profile: &Profile) {
    let [elapsed, main] = [profile.elapsed(), profile.wall_of_first_thread()];
    assert!((main - elapsed).abs() < 0.15, "{main:.3} s in the main thread of {elapsed:.3} s");
}
