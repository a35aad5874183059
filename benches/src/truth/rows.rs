//! Truth and what was told, figure by figure.

use std::collections::BTreeMap;

use super::claim::{Claim, Seconds};
use super::told::Told;

/// Points that no share of a class may be off by, and no share of anything else should.
pub const WORST: f64 = 3.0;
/// Points that the median share of a class may be off by.
pub const MEDIAN: f64 = 1.0;
/// Per cent of its clock that the weights of a thread may be off by.
pub const CLOCK: f64 = 1.0;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// CPU clock of a thread: of several, the one whose figure is farthest off. In seconds; the error in per cent.
    Clock,
    /// Share of a class on the CPU in the CPU time.
    Class,
    /// Share of a class off the CPU in the wall time.
    OffCpu,
    /// Share of a line in the CPU time.
    Line,
    /// Share of a function in the CPU time.
    Function,
    /// Share of a line's waits in the wall time.
    Wait,
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name of the program.
    pub program: &'static str,
    /// Name of its threads.
    pub threads: String,
    /// What it is about.
    pub kind: Kind,
    /// The class, tag or function.
    pub what: String,
    /// By the program's own clocks: per cent, or seconds.
    pub truth: f64,
    /// By the tool, if it tells that.
    pub told: Option<f64>,
    /// One standard deviation of what sampling at random moments gives, in points; `None`: not sampled.
    pub noise: Option<f64>,
}

impl Row {
    /// Told less true: points, or per cent of the clock.
    pub fn error(&self) -> Option<f64> {
        let difference = self.told? - self.truth;
        Some(if self.kind == Kind::Clock { 100.0 * difference / self.truth } else { difference })
    }

    /// The bound for it.
    pub fn bound(&self) -> f64 {
        if self.kind == Kind::Clock { CLOCK } else { WORST }
    }

    /// More than the bound off.
    pub fn is_off(&self) -> bool {
        self.error().is_some_and(|error| error.abs() > self.bound())
    }

    /// So few samples that an error says little.
    pub fn is_noisy(&self) -> bool {
        self.noise.is_some_and(|noise| noise > self.bound() / 3.0)
    }

    /// A share of a class: what the promise is about.
    pub fn is_class(&self) -> bool {
        matches!(self.kind, Kind::Class | Kind::OffCpu)
    }

    /// What it is about, in words.
    pub fn words(&self) -> String {
        match self.kind {
            Kind::Clock => "clock".to_owned(),
            Kind::Class => self.what.clone(),
            Kind::OffCpu => format!("{} (of wall time)", self.what),
            Kind::Line => format!("line {}", self.what),
            Kind::Function => format!("{}()", self.what),
            Kind::Wait => format!("waits of line {}", self.what),
        }
    }
}

/// All figures of a claim. `tags`: the numbers of the program's lines.
pub fn rows(
    program: &'static str,
    tags: &BTreeMap<String, u32>,
    claim: &Claim,
    told: &Told,
) -> Vec<Row> {
    let row = |kind, what: &str, truth, share: Option<f64>, noise| {
        let (threads, what, told) = (claim.name.clone(), what.to_owned(), share);
        Row { program, threads, kind, what, truth, told, noise }
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
        }
    }

    #[test]
    fn errors_are_in_points_and_those_of_clocks_in_per_cent() {
        assert_eq!(class(40.0, 42.5).error(), Some(2.5));
        let clock = Row { kind: Kind::Clock, ..class(2.0, 2.05) };
        assert!((clock.error().unwrap() - 2.5).abs() < 1e-9);
        assert!(clock.is_off() && !class(40.0, 42.5).is_off() && class(40.0, 36.9).is_off());
        assert_eq!(Row { told: None, ..class(1.0, 0.0) }.error(), None);
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
