//! Units of figures that may be tiny: time and bytes per unit of work.

use crate::analysis::diff::{Change, Metric};
use crate::export::text::number::{self, ByteScale, fixed};

/// Unit and decimals of a metric's figures, fixed by the largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::export) struct Scale {
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Time { nanos: f64, decimals: usize, unit: &'static str },
    Bytes(ByteScale),
}

impl Scale {
    pub(in crate::export) fn for_largest(metric: Metric, largest: f64) -> Self {
        if metric != Metric::Cpu {
            return Self { by: By::Bytes(ByteScale::for_largest(largest.round() as u64)) };
        }
        let (nanos, unit) = match largest {
            ..1e3 => (1.0, "ns"),
            ..1e6 => (1e3, "µs"),
            ..1e9 => (1e6, "ms"),
            ..1e12 => (1e9, "s"),
            _ => (60e9, "min"),
        };
        let decimals = match largest / nanos {
            99.95.. => 0,
            9.995.. if unit != "s" => 1,
            _ => 2,
        };
        Self { by: By::Time { nanos, decimals, unit } }
    }

    pub(in crate::export) fn unit(self) -> &'static str {
        match self.by {
            By::Time { unit, .. } => unit,
            By::Bytes(scale) => scale.unit,
        }
    }

    /// A figure without its unit; nothing at all is a mark.
    pub(in crate::export) fn figure(self, value: f64) -> String {
        match self.by {
            _ if value == 0.0 => number::ZERO.into(),
            By::Time { nanos, decimals, .. } => fixed(value / nanos, decimals),
            By::Bytes(scale) => scale.figure(value.round() as u64),
        }
    }

    /// A difference with its sign.
    pub(in crate::export) fn difference(self, difference: f64) -> String {
        let figure = self.figure(difference.abs());
        match difference {
            // Nothing, or too little to say which way.
            _ if !figure.starts_with(|c: char| c.is_ascii_digit()) => figure,
            ..0.0 => format!("−{figure}"),
            _ => format!("+{figure}"),
        }
    }

    /// Half of an interval: `±0.24`; nothing where there is no noise.
    pub(in crate::export) fn half_width(self, half_width: f64) -> String {
        match half_width {
            0.0 => String::new(),
            w if w.is_finite() => format!("±{}", self.figure(w)),
            _ => format!("±{}", number::UNKNOWN),
        }
    }

    /// A difference with its interval and unit: `−1.1 ±0.9 s`.
    pub(in crate::export) fn change(self, change: &Change) -> String {
        let mut text = self.difference(change.difference());
        if change.half_width != 0.0 {
            text += "\u{a0}";
            text += &self.half_width(change.half_width);
        }
        format!("{text}\u{a0}{}", self.unit())
    }

    /// Both figures with their unit: `10.1 → 9.0 s`.
    pub(in crate::export) fn both(self, change: &Change) -> String {
        let (before, after) = (self.figure(change.before), self.figure(change.after));
        format!("{before}\u{a0}→\u{a0}{after}\u{a0}{}", self.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(metric: Metric, before: f64, after: f64, half_width: f64) -> [String; 2] {
        let change = Change { before, after, half_width };
        let scale = Scale::for_largest(metric, before.max(after));
        [scale.both(&change), scale.change(&change)].map(|text| text.replace('\u{a0}', " "))
    }

    #[test]
    fn figures_have_one_unit() {
        let cpu = |before, after, half| written(Metric::Cpu, before, after, half);
        assert_eq!(cpu(10.1e9, 9e9, 0.9e9), ["10.10 → 9.00 s", "−1.10 ±0.90 s"]);
        assert_eq!(cpu(1500.0, 90.0, 40.0), ["1.50 → 0.09 µs", "−1.41 ±0.04 µs"]);
        assert_eq!(cpu(0.0, 12e6, 0.0), ["· → 12.0 ms", "+12.0 ms"]);
        assert_eq!(cpu(5e12, 5e12, f64::INFINITY), ["83.3 → 83.3 min", "· ±? min"]);
        let peak = written(Metric::Peak, 141e6, 97e6, 0.0);
        assert_eq!(peak, ["134 → 93 MiB", "−42 MiB"]);
    }
}
