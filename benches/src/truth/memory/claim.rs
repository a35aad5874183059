//! What a program says about its memory; `profcli/tests/truth/memory/selfsized.py` says what each field means.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Document {
    memory: Claim,
}

/// A program's own figures, in bytes.
#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    /// Held before the work began.
    pub base: f64,
    /// Held at most.
    pub peak: f64,
    /// By tag of a line.
    pub lines: BTreeMap<String, Line>,
    /// Bytes per second, by tag of a line.
    pub leaks: BTreeMap<String, f64>,
}

/// What a line did, as far as the program knows.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Line {
    /// Bytes that it allocated.
    pub allocated: Option<Amount>,
    /// Bytes of them that are live at the peak.
    pub live: Option<Amount>,
    /// Bytes that it copied.
    pub copied: Option<Amount>,
}

/// Bytes in blocks of one size.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Amount {
    /// All of them.
    pub bytes: f64,
    /// Of one block.
    pub block: f64,
    /// What the same thread allocated or copied meanwhile, these bytes included.
    pub among: f64,
}

impl Claim {
    /// What is in a program's output.
    ///
    /// # Errors
    /// In words, when that has no line as it should be.
    pub fn printed(printed: &str) -> Result<Self, String> {
        // A profiler may print behind the program.
        let line = printed.lines().rev().find(|line| line.starts_with("{\"memory\""));
        let line = line.ok_or("the program did not print its own figures")?;
        let document: Document = serde_json::from_str(line).map_err(|error| error.to_string())?;
        Ok(document.memory)
    }
}

impl Claim {
    /// With the base of a bare run, for CPython does not count its arenas under a profiler.
    pub fn on_base_of(mut self, bare: &Self) -> Self {
        self.peak += bare.base - self.base;
        self.base = bare.base;
        self
    }
}

impl Amount {
    /// What errors are parts of: of nothing, there is no part.
    pub fn of(&self) -> f64 {
        if self.bytes > 0.0 { self.bytes } else { self.among }
    }

    /// One standard deviation of what is told if bytes are sampled at one random place in every `interval`, in per
    /// cent.
    ///
    /// A block has the weight of the places that it covers. How many these are is uncertain where it shares an
    /// interval with others: of a short block this is all of it, of a long one its two ends. If the others
    /// are this line's too, what one block has too much another has too little. So the part of other lines among the
    /// bytes counts, and the two ends of the whole.
    pub fn noise(&self, interval: f64) -> f64 {
        let end = 1.0 / 3.0;
        let others = 1.0 - self.bytes / self.among;
        let of_one = (self.block / interval * others).min(end);
        let squares = self.bytes / self.block * of_one + end;
        100.0 * interval * squares.sqrt() / self.of()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_one_line_of_the_output() {
        let printed = concat!(
            "noise\n",
            r#"{"memory": {"base": 10, "peak": 30, "lines": {"A": {"live": {"bytes": 20, "block": 2, "among": 20}}},"#,
            r#" "leaks": {"A": 1.5}, "seconds": 2.0}}"#,
            "\nsaved\n"
        );
        let claim = Claim::printed(printed).unwrap();
        assert_eq!((claim.base, claim.peak, claim.leaks["A"]), (10.0, 30.0, 1.5));
        assert_eq!(claim.lines["A"].live.unwrap().bytes, 20.0);
        assert!(claim.lines["A"].copied.is_none());
        assert!(Claim::printed("nothing\n").is_err());
        let moved = claim.clone().on_base_of(&Claim { base: 13.0, ..claim });
        assert_eq!((moved.base, moved.peak), (13.0, 33.0));
    }

    /// Against the sampling itself, played 2,000 times.
    #[test]
    fn noise_is_what_sampling_in_strata_has() {
        let mut numbers = crate::random::Random::new(1);
        let mut random = || numbers.below(1 << 30) as f64 / f64::from(1 << 30);
        // Blocks of this line and of another by turns, in parts of an interval of 1.
        for (own, other, blocks) in
            [(0.05, 0.05, 400), (0.05, 0.45, 400), (3.3, 3.3, 50), (7.9, 0.4, 50)]
        {
            let bytes = own * f64::from(blocks);
            let amount = Amount { bytes, block: own, among: bytes + other * f64::from(blocks) };
            let rounds = 2_000;
            let mut squares = 0.0;
            for _ in 0..rounds {
                let (mut weight, mut at) = (0.0, random());
                let mut point = random();
                if point < at {
                    point = 1.0 + random();
                }
                for _ in 0..blocks {
                    for (length, counts) in [(own, 1.0), (other, 0.0)] {
                        at += length;
                        while point < at {
                            weight += counts;
                            point = f64::floor(point) + 1.0 + random();
                        }
                    }
                }
                squares += (weight - bytes) * (weight - bytes);
            }
            let seen = 100.0 * f64::sqrt(squares / f64::from(rounds)) / bytes;
            let said = amount.noise(1.0);
            assert!(
                seen <= 1.1 * said && seen >= 0.5 * said,
                "{own}, {other}: {seen}, said {said}"
            );
        }
    }
}
