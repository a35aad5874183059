//! Truth and what was told about time, figure by figure.

use std::collections::BTreeMap;

use super::claim::{Claim, Seconds};
use super::row::{Kind, Row};
use super::told::Told;

/// All figures of a claim. `tags`: the numbers of the program's lines.
pub fn rows(
    program: &'static str,
    tags: &BTreeMap<String, u32>,
    claim: &Claim,
    told: &Told,
) -> Vec<Row> {
    let row = |kind, what: &str, truth, share: Option<f64>, noise| {
        let (threads, what, told) = (claim.name.clone(), what.to_owned(), share);
        let of = if kind == Kind::Clock { truth } else { 100.0 };
        Row { program, threads, kind, what, truth, told, noise, of }
    };
    let noise = |share: f64| {
        let share = share.clamp(0.0, 1.0);
        (told.samples > 0).then(|| 100.0 * (share * (1.0 - share) / told.samples as f64).sqrt())
    };
    let mut rows: Vec<Row> = worst_clock(claim, told)
        .into_iter()
        .map(|(truth, seen)| row(Kind::Clock, "", truth, Some(seen), None))
        .collect();
    let part = |seconds: Option<f64>, all: f64| {
        seconds.filter(|_| all > 0.0).map(|seconds| 100.0 * seconds / all)
    };
    for (class, &seconds) in &claim.classes {
        let seen = told.classes.get(class).copied();
        if matches!(class.as_str(), "gil" | "wait" | "off") {
            let truth = 100.0 * seconds / claim.wall_s;
            rows.push(row(Kind::OffCpu, class, truth, part(seen, told.wall), None));
        } else {
            let truth = seconds / claim.cpu_s;
            rows.push(row(Kind::Class, class, 100.0 * truth, part(seen, told.cpu), noise(truth)));
        }
    }
    let by_line = |lines: &Option<BTreeMap<u32, f64>>, tag: &str| {
        let number = tags.get(tag)?;
        Some(lines.as_ref()?.get(number).copied().unwrap_or(0.0))
    };
    for (tag, &seconds) in &claim.lines {
        let truth = seconds / claim.cpu_s;
        let seen = part(by_line(&told.lines, tag), told.cpu);
        rows.push(row(Kind::Line, tag, 100.0 * truth, seen, noise(truth)));
    }
    for (function, &seconds) in &claim.functions {
        let truth = seconds / claim.cpu_s;
        let seen = told.functions.as_ref().map(|told| value(told, function));
        rows.push(row(Kind::Function, function, 100.0 * truth, part(seen, told.cpu), noise(truth)));
    }
    for (tag, &seconds) in &claim.waits {
        let truth = 100.0 * seconds / claim.wall_s;
        let seen = part(by_line(&told.waits, tag), told.wall);
        rows.push(row(Kind::Wait, tag, truth, seen, None));
    }
    rows
}

fn value(seconds: &Seconds, key: &str) -> f64 {
    seconds.get(key).copied().unwrap_or(0.0)
}

/// The clock of the thread that is told worst, and what is told.
fn worst_clock(claim: &Claim, told: &Told) -> Option<(f64, f64)> {
    let clocks = claim.threads.iter().map(|thread| thread.cpu_s);
    let pairs = clocks.zip(told.threads.iter().copied());
    pairs.max_by(|a, b| {
        let error = |(truth, seen): &(f64, f64)| ((seen - truth) / truth).abs();
        error(a).total_cmp(&error(b))
    })
}

/// Median and largest of the errors of classes, without their signs; `None` without any.
pub fn errors<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<(f64, f64)> {
    let classes = rows.into_iter().filter(|row| row.is_class());
    let mut errors: Vec<f64> = classes.filter_map(Row::error).map(f64::abs).collect();
    errors.sort_by(f64::total_cmp);
    let middle = errors.len() / 2;
    let median = match errors.len() % 2 {
        1 => errors[middle],
        _ => f64::midpoint(*errors.get(middle.checked_sub(1)?)?, errors[middle]),
    };
    Some((median, *errors.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(truth: f64, told: f64) -> Row {
        let (threads, what) = ("t".to_owned(), "python".to_owned());
        Row {
            program: "p",
            threads,
            kind: Kind::Class,
            what,
            truth,
            told: Some(told),
            noise: Some(0.5),
            of: 100.0,
        }
    }

    #[test]
    fn the_median_is_of_classes_only() {
        let line = Row { kind: Kind::Line, ..class(0.0, 90.0) };
        let rows = [class(1.0, 2.0), class(5.0, 3.0), line, class(0.0, 9.0)];
        assert_eq!(errors(&rows), Some((2.0, 9.0)));
        assert_eq!(errors(&rows[..2]), Some((1.5, 2.0)));
        assert_eq!(errors([]), None);
    }

    #[test]
    fn shares_are_parts_of_what_each_side_has() {
        let claim = Claim {
            cpu_s: 4.0,
            wall_s: 8.0,
            classes: [("python".to_owned(), 1.0), ("gil".to_owned(), 2.0)].into(),
            lines: [("TAG".to_owned(), 3.0)].into(),
            ..Claim::default()
        };
        let told = Told {
            cpu: 100.0,
            wall: 8.0,
            samples: 100,
            classes: [("python".to_owned(), 20.0), ("gil".to_owned(), 4.0)].into(),
            lines: Some([(7, 70.0)].into()),
            ..Told::default()
        };
        let tags = [("TAG".to_owned(), 7)].into();
        let found = rows("p", &tags, &claim, &told);
        let shares: Vec<_> = found.iter().map(|row| (row.truth, row.told)).collect();
        assert_eq!(shares, [(25.0, Some(50.0)), (25.0, Some(20.0)), (75.0, Some(70.0))]);
        assert_eq!(found[0].noise, None);
        let noise = found[1].noise.unwrap();
        assert!((noise - 100.0 * (0.25_f64 * 0.75 / 100.0).sqrt()).abs() < 1e-9);
    }
}
