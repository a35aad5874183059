//! Memory over time, in all and by line, against what a program held and for how long.

use serde_json::Value;

use crate::prof::{Python, Recording, program, some_python};

some_python!(lines_hold_what_they_held_for_as_long);

const MIB: f64 = 1_048_576.0;

/// Pairs of seconds and bytes.
fn points(timeline: &Value) -> Vec<(f64, f64)> {
    let points = timeline.as_array().expect("points").iter();
    points.map(|point| (point[0].as_f64().unwrap(), point[1].as_f64().unwrap())).collect()
}

fn most(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|point| point.1).fold(0.0, f64::max)
}

/// For how long more than half of the most was held.
fn seconds(points: &[(f64, f64)]) -> f64 {
    let half = most(points) / 2.0;
    let whiles = points.windows(2).filter(|pair| pair[0].1 > half);
    whiles.map(|pair| pair[1].0 - pair[0].0).sum()
}

fn lines_hold_what_they_held_for_as_long(python: &Python) {
    let path = program("held.py");
    let (ended, profile) = Recording::of(python, &path, &[]).profile();
    let truth = ended.truth();
    let footprint = &profile.json["footprint"];
    let lines = footprint["lines"].as_array().expect("lines");
    for tag in ["NATIVE", "PYTHON"] {
        let line = profile.tagged(&path, tag).line;
        let own =
            lines.iter().filter(|of| of["line"] == line && of["path"] == path.to_str().unwrap());
        // A comprehension is a function of its own before 3.12.
        let timeline =
            own.map(|of| points(&of["timeline"])).max_by(|a, b| most(a).total_cmp(&most(b)));
        let timeline = timeline.unwrap_or_else(|| panic!("{tag} is not among the lines"));
        let (bytes, length) = (&truth[tag]["bytes"], &truth[tag]["seconds"]);
        let (bytes, length) = (bytes.as_f64().unwrap(), length.as_f64().unwrap());
        let told = most(&timeline);
        assert!((0.85..1.15).contains(&(told / bytes)), "{tag}: {told} of {bytes} bytes");
        let told = seconds(&timeline);
        assert!((told - length).abs() < 0.25, "{tag}: {told:.3} s of {length:.3} s");
    }
    let (all, ours) = (points(&footprint["timeline"]), points(&footprint["python_timeline"]));
    assert_eq!(all.len(), ours.len());
    let native = all.iter().zip(&ours).map(|(all, ours)| all.1 - ours.1).fold(0.0, f64::max);
    assert!((64.0..80.0).contains(&(native / MIB)), "{native} bytes of native memory");
    let (told, small) = (most(&ours), truth["SMALL"].as_f64().unwrap());
    assert!((1.0..1.15).contains(&(told / small)), "{told} of {small} bytes of small objects");
}
