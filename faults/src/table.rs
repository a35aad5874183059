//! Tries rows, some side by side, and prints a line for each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::row::{Broken, Held, Row};
use crate::trial::{Settings, Trial};

/// What trying a row several times gave.
struct Tried {
    result: Result<Held, Broken>,
    passed: usize,
    took: Duration,
}

/// Tries rows and prints the table; `true` if all passed.
pub(crate) fn fill(
    rows: &[&Row],
    settings: &Settings,
    times: usize,
    jobs: usize,
    markdown: bool,
) -> bool {
    match markdown {
        true => println!("| row | fault | held | figure |\n|---|---|---|---|"),
        false => println!("{:>4}  {:<44}  {:<14}  figure", "row", "fault", "held"),
    }
    let next = AtomicUsize::new(0);
    // Lines come in the order of the catalogue: one that is ready early waits for those before it.
    let lines = Mutex::new((0, vec![None; rows.len()]));
    let failed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, rows.len()) {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let tried = try_times(row, settings, times.max(1));
                    let passes = match &tried.result {
                        Ok(_) => true,
                        Err(Broken::Missing(_)) => !crate::must_not_skip(),
                        Err(Broken::Fault(_)) => false,
                    };
                    failed.fetch_add(usize::from(!passes), Ordering::Relaxed);
                    let at = rows.iter().position(|one| one.number == row.number);
                    let mut lines = lines.lock().expect("no printer panics");
                    lines.1[at.expect("it is one of them")] =
                        Some(line(row, &tried, times, markdown));
                    while let Some(Some(line)) = lines.1.get(lines.0) {
                        println!("{line}");
                        lines.0 += 1;
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("\n{} of {} rows pass", rows.len() - failed, rows.len());
    failed == 0
}

/// Tries a row until it fails, at most so many times.
fn try_times(row: &Row, settings: &Settings, times: usize) -> Tried {
    let since = Instant::now();
    let (mut passed, mut result) = (0, Ok(Held::nothing()));
    while passed < times {
        result = try_once(row, settings);
        match &result {
            Ok(_) => passed += 1,
            Err(_) => break,
        }
    }
    Tried { result, passed, took: since.elapsed() }
}

fn try_once(row: &Row, settings: &Settings) -> Result<Held, Broken> {
    (row.try_it)(&Trial::new(settings)?)
}

fn line(row: &Row, tried: &Tried, times: usize, markdown: bool) -> String {
    let (held, figure, more) = match &tried.result {
        Ok(held) => (held.to_string(), held.figure.clone(), String::new()),
        Err(Broken::Missing(tool)) => {
            let words = format!("SKIPPED: this machine has no {tool}");
            ("SKIPPED".into(), words.clone(), format!("row {}: {words}\n", row.number))
        }
        Err(Broken::Fault(words)) => {
            let first = words.lines().next().unwrap_or_default().to_owned();
            ("FAILED".into(), first, format!("row {}: {words}\n", row.number))
        }
    };
    eprint!("{more}");
    let count =
        if times > 1 { format!(" ({} of {times} times)", tried.passed) } else { String::new() };
    let seconds = tried.took.as_secs_f64();
    match markdown {
        true => format!("| {} | {} | {held} | {figure}{count} |", row.number, row.fault),
        false => format!(
            "{:>4}  {:<44}  {held:<14}  {figure}{count}; {seconds:.1} s",
            row.number, row.fault
        ),
    }
}
