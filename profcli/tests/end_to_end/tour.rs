//! The tour of the README: five known lines stand on top of their columns.

use crate::prof::{Profile, Python, Recording, every_python, workspace};

every_python!(known_lines_stand_on_top);

fn known_lines_stand_on_top(python: &Python) {
    let tour = workspace().join("examples/tour.py");
    let recording = Recording::of(python, &tour, &[]);
    let (ended, profile) = recording.profile();
    assert!(ended.stdout().contains("copied 250000000"), "{}", ended.stdout());
    assert_eq!(ended.stderr(), "", "--quiet says nothing");
    expect_on_top(&profile, &tour);
    profile.assert_books_balance();

    let report = recording.report();
    assert!(report.contains("tour.py"), "{report}");
    for source in
        ["x = (x * 3", "state.update(data)", "hoarded.append", "kept.append", "bytes(source)"]
    {
        assert!(report.contains(source), "the report shows {source:?}:\n{report}");
    }
    for line in report.lines() {
        assert!(line.chars().count() <= 100, "a row of the report is at most 100 columns:\n{line}");
    }
}

fn expect_on_top(profile: &Profile, tour: &std::path::Path) {
    type Figure = fn(&crate::prof::Line) -> f64;
    let columns: [(&str, &str, Figure); 5] = [
        ("HOT", "Python time", |line| line.cpu.python),
        ("NATIVE", "native time", |line| line.cpu.native),
        ("HOG", "memory live at the peak", |line| line.live_at_peak),
        ("LEAK", "memory live at the end", |line| line.live_at_end),
        ("COPY", "copied bytes", |line| line.copied),
    ];
    for (tag, column, figure) in columns {
        let known = profile.tagged(tour, tag);
        let top = profile.top(figure);
        assert_eq!(
            (top.path.file_name(), top.line),
            (tour.file_name(), known.line),
            "{column}: {tag} has {}, but the top line is {top:?}",
            figure(&known),
        );
    }
}

#[test]
fn summary_answers_without_a_report() {
    let Some(python) = Python::any() else { return };
    let tour = workspace().join("examples/tour.py");
    let recording = Recording::of(&python, &tour, &[]);
    let mut command = std::process::Command::new(crate::prof::prof());
    command.current_dir(recording.folder()).args(["run"]).arg(python.path()).arg(&tour);
    let output = command.output().expect("prof starts");
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).expect("the summary is UTF-8");
    assert!(said.contains("tour.py"), "the summary names the program's lines:\n{said}");
    let traces: Vec<_> = std::fs::read_dir(recording.folder())
        .expect("the folder can be read")
        .flatten()
        .map(|entry| entry.file_name().into_string().expect("an ASCII name"))
        .collect();
    assert_eq!(traces.len(), 1, "{traces:?}");
    assert!(traces[0].ends_with(".proftrace"), "{traces:?}");
    assert!(said.contains(&traces[0]), "the summary says where the trace is:\n{said}");
}
