//! False alarms are as rare as promised, and what changed is found.

use std::f64::consts::TAU;

use profformat::analysis::diff::{Diff, Metric, NoTexts, RATE, Side, compare};

use crate::{Made, TICK};

/// Numbers that only look random (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, without 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of a normal distribution.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (TAU * self.share()).cos()
    }
}

/// A program: the seconds of each of its lines.
#[derive(Clone)]
struct Program {
    seconds: Vec<f64>,
    /// By how much the time of a line differs from run to run, as a share of it.
    unrest: f64,
    /// Nanoseconds that a line runs on end.
    burst: f64,
}

impl Program {
    /// Lines as real programs have them: the second has half of the first one's time, the third a third.
    fn usual(lines: usize, seconds: f64) -> Self {
        let whole: f64 = (1..=lines).map(|line| 1.0 / line as f64).sum();
        let of_line = |line: usize| seconds / whole / line as f64;
        Self { seconds: (1..=lines).map(of_line).collect(), unrest: 0.0, burst: 1e6 }
    }

    /// What the profiler sees of a run. Its clock expires about every 10 ms of CPU time, and the signal comes with the
    /// kernel's next tick, of 4 ms; the sample weighs what has passed since the last.
    fn sampled(&self, dice: &mut Dice) -> Made {
        const KERNEL: f64 = 4e6;
        let mut left: Vec<f64> = self
            .seconds
            .iter()
            .map(|seconds| seconds * 1e9 * (1.0 + self.unrest * dice.normal()).max(0.0))
            .collect();
        let mut weights: Vec<Vec<u64>> = vec![Vec::new(); left.len()];
        let expiry = |now: f64, dice: &mut Dice| {
            let expires = now + TICK as f64 * (0.5 + dice.share());
            (expires / KERNEL).ceil() * KERNEL
        };
        let mut now = dice.share() * KERNEL;
        let (mut last, mut tick) = (now, expiry(now, dice));
        let mut whole: f64 = left.iter().sum();
        while whole > 1.0 {
            // Lines take turns, each as often as it has time left.
            let mut at = dice.share() * whole;
            let line = left.iter().position(|left| {
                at -= left;
                at < 0.0
            });
            let line = line.unwrap_or(left.len() - 1);
            let runs = (self.burst * (0.5 + dice.share())).min(left[line]);
            left[line] -= runs;
            whole -= runs;
            now += runs;
            while tick <= now {
                weights[line].push((tick - last) as u64);
                (last, tick) = (tick, expiry(tick, dice));
            }
            if left[line] < 1.0 {
                whole -= left[line];
                left[line] = 0.0;
            }
        }
        let mut made = Made::new();
        let function = made.function("/w/app.py", "work", 1);
        for (line, weights) in (1..).zip(weights).filter(|(_, weights)| !weights.is_empty()) {
            made.weights(function, line, &weights);
        }
        made
    }

    fn side(&self, runs: usize, dice: &mut Dice) -> Side {
        Side::new((0..runs).map(|_| self.sampled(dice).run()).collect(), 1.0)
    }
}

/// Compares two programs again and again; each time hands on the comparison.
fn repeat(
    programs: [&Program; 2],
    runs: usize,
    times: usize,
    seed: u64,
    mut see: impl FnMut(&Diff<'_>),
) {
    let mut dice = Dice(seed);
    for _ in 0..times {
        let [before, after] = programs.map(|program| program.side(runs, &mut dice));
        see(&compare(&before, &after, [&NoTexts, &NoTexts]));
    }
}

/// Share of comparisons of a program with itself that call any line changed.
fn false_alarms(program: &Program, runs: usize, times: usize, seed: u64) -> f64 {
    let mut alarms = 0;
    repeat([program, program], runs, times, seed, |diff| {
        let cpu = diff.by(Metric::Cpu).unwrap();
        assert!(cpu.tested >= 5, "{} lines are tested", cpu.tested);
        alarms += usize::from(cpu.rows.iter().any(|row| row.is_sure));
    });
    alarms as f64 / times as f64
}

/// What chance may add to a share that is at most [`RATE`], in 99.9 of 100 cases.
fn bound(times: usize) -> f64 {
    RATE + 3.1 * (RATE * (1.0 - RATE) / times as f64).sqrt()
}

#[test]
fn two_runs_of_one_program_are_hardly_ever_different() {
    let times = 300;
    for (burst, seed) in [(1e6, 1), (5e6, 2), (30e6, 3)] {
        let program = Program { burst, ..Program::usual(60, 20.0) };
        let share = false_alarms(&program, 1, times, seed);
        assert!(share <= bound(times), "bursts of {burst} ns: {share} false alarms");
    }
}

#[test]
fn repeated_runs_know_how_much_runs_differ() {
    let times = 150;
    let restless = Program { unrest: 0.1, ..Program::usual(40, 10.0) };
    for runs in [2, 3, 5] {
        let share = false_alarms(&restless, runs, times, runs as u64);
        assert!(share <= bound(times), "{runs} runs: {share} false alarms");
    }
    // One run each cannot know it: the text says so.
    let restless = Program { unrest: 0.3, ..restless };
    assert!(false_alarms(&restless, 1, times, 9) > bound(times));
}

#[test]
fn without_a_correction_most_comparisons_would_alarm() {
    let program = Program::usual(60, 20.0);
    let (mut alarms, times) = (0, 100);
    repeat([&program, &program], 1, times, 1, |diff| {
        let rows = &diff.by(Metric::Cpu).unwrap().rows;
        alarms +=
            usize::from(rows.iter().any(|row| row.q.is_some() && row.change.is_more_than_noise()));
    });
    assert!(alarms * 2 > times, "{alarms} of {times}");
}

#[test]
fn a_slower_line_is_found_and_hardly_anything_else() {
    let before = Program::usual(60, 20.0);
    let mut after = before.clone();
    after.seconds[2] *= 2.0;
    let (mut found, mut others, mut all, times) = (0, 0, 0, 100);
    repeat([&before, &after], 1, times, 4, |diff| {
        let rows = &diff.by(Metric::Cpu).unwrap().rows;
        let sure: Vec<u32> = rows
            .iter()
            .filter(|row| row.is_sure)
            .filter_map(|row| Some(diff.pairs[row.pair].before?.line))
            .collect();
        found += usize::from(sure.contains(&3));
        all += sure.len();
        others += sure.iter().filter(|line| **line != 3).count();
        assert_eq!(
            diff.is_slower(),
            rows.iter().any(|row| row.is_sure && row.change.difference() > 0.0)
        );
    });
    assert!(found >= 97, "found {found} of {times} times");
    assert!((others as f64) <= bound(times) * all as f64, "{others} of {all} are false");
}

#[test]
fn a_slower_line_is_found_among_restless_runs() {
    let before = Program { unrest: 0.05, ..Program::usual(40, 10.0) };
    let mut after = before.clone();
    after.seconds[1] *= 2.0;
    let (mut found, times) = (0, 40);
    repeat([&before, &after], 5, times, 5, |diff| {
        let rows = &diff.by(Metric::Cpu).unwrap().rows;
        let is_it = |pair: usize| diff.pairs[pair].before.is_some_and(|spot| spot.line == 2);
        found += usize::from(rows.iter().any(|row| row.is_sure && is_it(row.pair)));
    });
    assert!(found >= 38, "found {found} of {times} times");
}
