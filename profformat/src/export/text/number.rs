//! Figures in words: units, decimals, intervals, and the marks for zero, unmeasured, wide and too few.
//!
//! Between a figure and its unit stands a no-break space; the page turns it into a plain one after
//! breaking lines.

use super::route::ByClass;
use crate::analysis::estimate::bytes_variance;
use crate::record::Class;

/// Half-width factor of a 95 % interval.
const Z: f64 = 1.96;
/// Upper ends of the exact 95 % intervals of a Poisson mean when so many were seen.
const FEW: [f64; 10] = [3.69, 5.57, 7.22, 8.77, 10.24, 11.67, 13.06, 14.42, 15.76, 17.08];
/// Digits below this part of the half-width of a figure's interval say nothing.
const TELLING: f64 = 30.0;

/// Stands for a figure that is zero.
pub const ZERO: &str = "·";
/// Stands for one that was not measured.
pub const UNMEASURED: &str = "n/a";
/// Stands for one that is not known.
pub const UNKNOWN: &str = "?";

/// A sum that stops at the largest number: figures of a damaged trace can be anything.
pub(super) fn sum(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(0, u64::saturating_add)
}

/// The CPU part of times by class.
pub(super) fn on_cpu(ns: &ByClass) -> u64 {
    sum(Class::ALL
        .into_iter()
        .filter(|class| class.on_cpu())
        .map(|class| ns[class.code() as usize]))
}

/// Unit and decimals of a column of time, fixed by its largest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeScale {
    nanos: f64,
    decimals: usize,
    /// The unit's name.
    pub unit: &'static str,
}

impl TimeScale {
    /// The scale of a column whose largest value are so many nanoseconds.
    pub fn for_largest(ns: u64) -> Self {
        let scale = |nanos, decimals, unit| Self { nanos, decimals, unit };
        match ns {
            0..10_000_000 => scale(1e6, 1, "ms"),
            10_000_000..1_000_000_000 => scale(1e6, 0, "ms"),
            1_000_000_000..100_000_000_000 => scale(1e9, 2, "s"),
            100_000_000_000..1_000_000_000_000 => scale(1e9, 1, "s"),
            _ => scale(60e9, 1, "min"),
        }
    }

    /// The figure alone, three digits at most; a value too small for the decimals says so.
    pub fn figure(self, ns: u64) -> String {
        let value = ns as f64 / self.nanos;
        fixed(value, self.decimals.min(decimals(value)))
    }

    /// The figure in a column: the points of all figures stand one below the other.
    pub(super) fn column(self, ns: u64) -> String {
        self.telling(ns, 0.0)
    }

    /// The figure in a column, without digits that an interval of this half-width makes worthless.
    fn telling(self, ns: u64, half_width: f64) -> String {
        let value = ns as f64 / self.nanos;
        let mut shown = self.decimals.min(decimals(value));
        while shown > 0 && 10f64.powi(-(shown as i32)) * TELLING < half_width / self.nanos {
            shown -= 1;
        }
        let point = usize::from(shown == 0 && self.decimals > 0);
        format!("{}{}", fixed(value, shown), " ".repeat(self.decimals - shown + point))
    }

    /// Half of the interval of a cell, or its upper end where samples are few.
    pub(super) fn spread(self, ns: u64, samples: u64, squares: u128) -> String {
        match samples {
            // The cell is the upper end.
            0..3 => String::new(),
            3..10 => {
                let upper = ns as f64 / samples as f64 * FEW[samples as usize];
                format!("≤{}", fixed(upper / self.nanos, self.decimals).trim_start_matches('<'))
            }
            _ => fixed(half_width(squares) / self.nanos, self.decimals),
        }
    }

    /// A cell of a column: `ns` from `samples` samples whose squared weights sum to `squares`.
    pub fn cell(self, ns: u64, samples: u64, squares: u128) -> String {
        if ns == 0 {
            return ZERO.into();
        }
        if samples < 3 {
            let upper = ns as f64 / samples.max(1) as f64 * FEW[samples as usize];
            return format!(
                "<{}",
                fixed(upper / self.nanos, self.decimals).trim_start_matches('<')
            );
        }
        let half = half_width(squares);
        mark(self.telling(ns, half), half > ns as f64 / 3.0)
    }
}

/// Half of the 95 % interval of a sum of weights, in the weights' unit.
pub(in crate::export) fn half_width(squares: u128) -> f64 {
    Z * (squares as f64).sqrt()
}

fn mark(figure: String, wide: bool) -> String {
    if wide && !figure.starts_with('<') { format!("~{figure}") } else { figure }
}

pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let smallest = 10f64.powi(-(decimals as i32));
    if value > 0.0 && value < smallest / 2.0 {
        return format!("<{smallest:.decimals$}");
    }
    format!("{value:.decimals$}")
}

/// A time by itself, with its unit: three digits at most, hundredths of a second at best.
pub fn time(ns: u64) -> String {
    let (value, unit) = match ns {
        0 => return "0\u{a0}s".into(),
        1..999_500_000 => (ns as f64 / 1e6, "ms"),
        999_500_000..1_000_000_000_000 => (ns as f64 / 1e9, "s"),
        _ => (ns as f64 / 60e9, "min"),
    };
    format!("{}\u{a0}{unit}", three_digits(value, if unit == "ms" { 1 } else { 2 }))
}

/// Unit and decimals of a column of bytes, fixed by its largest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteScale {
    bytes: f64,
    decimals: usize,
    /// The unit's name.
    pub unit: &'static str,
}

const BYTE_UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

fn byte_unit(bytes: u64) -> (f64, &'static str) {
    let mut power = 0;
    // A thousand of a unit is written in the next one: 0.98 GiB, not 1 003 MiB.
    while power + 1 < BYTE_UNITS.len() && bytes as f64 >= 999.5 * 1024f64.powi(power as i32) {
        power += 1;
    }
    (1024f64.powi(power as i32), BYTE_UNITS[power])
}

impl ByteScale {
    /// The scale of a column whose largest value are so many bytes.
    pub fn for_largest(bytes: u64) -> Self {
        // A column of zeros has the unit that one expects.
        let (unit_bytes, unit) = byte_unit(if bytes == 0 { 1 << 20 } else { bytes });
        let decimals = match bytes as f64 / unit_bytes {
            _ if unit == "B" => 0,
            value if value >= 99.95 => 0,
            value if value >= 9.995 => 1,
            _ => 2,
        };
        Self { bytes: unit_bytes, decimals, unit }
    }

    /// The figure alone; a value too small for the decimals says so.
    pub fn figure(self, bytes: u64) -> String {
        fixed(bytes as f64 / self.bytes, self.decimals)
    }

    /// A cell of a column: bytes scaled up from samples of one per `interval` bytes, in blocks of `mean` bytes.
    pub fn cell(self, bytes: u64, mean: f64, interval: u64) -> String {
        if interval == 0 {
            return UNMEASURED.into();
        }
        if bytes == 0 {
            return ZERO.into();
        }
        let interval = interval as f64;
        let seen = bytes as f64 / interval;
        if mean < interval && seen < 2.5 {
            let upper = interval * FEW[(seen.round() as usize).clamp(1, 2)];
            return format!(
                "<{}",
                fixed(upper / self.bytes, self.decimals).trim_start_matches('<')
            );
        }
        mark(
            self.figure(bytes),
            Z * bytes_variance(bytes, mean, interval).sqrt() > bytes as f64 / 3.0,
        )
    }
}

/// Bytes by themselves, with their unit: three significant digits at most.
pub fn bytes(bytes: u64) -> String {
    let (unit_bytes, unit) = byte_unit(bytes);
    let decimals = if unit == "B" { 0 } else { 2 };
    format!("{}\u{a0}{unit}", three_digits(bytes as f64 / unit_bytes, decimals))
}

/// Three significant digits at most and no zeros behind the point: `1.19`, `9.7`, `88`.
fn three_digits(value: f64, most: usize) -> String {
    let text = format!("{value:.*}", decimals(value).min(most));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// Decimals that make three digits, at most two.
fn decimals(value: f64) -> usize {
    match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    }
}

/// A count with its thousands apart.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, which takes an `s` unless there is one.
pub(super) fn of(number: u64, noun: &str) -> String {
    format!("{}\u{a0}{noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Whole per cents that add up to 100 (largest remainder); all zero when nothing is there.
pub fn percents(parts: &[u64]) -> Vec<u64> {
    apportion(parts, 100)
}

/// `whole` units shared out over the parts in proportion, by largest remainder.
pub(super) fn apportion(parts: &[u64], whole: u64) -> Vec<u64> {
    let sum: u128 = parts.iter().map(|&p| u128::from(p)).sum();
    if sum == 0 {
        return vec![0; parts.len()];
    }
    let scaled = |part: u64| u128::from(part) * u128::from(whole);
    let mut shares: Vec<u64> = parts.iter().map(|&p| (scaled(p) / sum) as u64).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(scaled(parts[i]) % sum));
    let missing = whole - shares.iter().sum::<u64>();
    for &index in order.iter().take(missing as usize) {
        shares[index] += 1;
    }
    shares
}

/// A share as a figure without its sign: whole from 10 up, one decimal below.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return UNKNOWN.into();
    }
    match part as f64 * 100.0 / whole as f64 {
        0.0 => "0".into(),
        v if v < 0.05 => "<0.1".into(),
        v if v < 9.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// A share of a whole: `12 %`.
pub(super) fn share(part: u64, whole: u64) -> String {
    format!("{}\u{a0}%", percent(part, whole))
}

/// Date and minute in UTC of a moment given in nanoseconds since the Unix epoch.
pub(super) fn date(unix_ns: u64) -> String {
    let seconds = unix_ns / 1_000_000_000;
    let (days, minute) = ((seconds / 86_400) as i64, seconds % 86_400 / 60);
    // Days are counted from 1 March of year 0, so that a leap day is the last day of its year.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    format!("{year:04}-{month:02}-{day_of_month:02} {:02}:{:02} UTC", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_at_most_three_digits() {
        let written = |ns| time(ns).replace('\u{a0}', " ");
        assert_eq!(written(31_000_000), "31 ms");
        assert_eq!(written(1_190_000_000), "1.19 s");
        assert_eq!(written(9_700_000_000), "9.7 s");
        assert_eq!(written(9_996_000_000), "10 s");
        assert_eq!(written(135_000_000_000), "135 s");
        assert_eq!(written(7_200_000_000_000), "120 min");
    }

    #[test]
    fn bytes_have_their_real_units() {
        let written = |n| bytes(n).replace('\u{a0}', " ");
        assert_eq!(written(0), "0 B");
        assert_eq!(written(512), "512 B");
        assert_eq!(written(1 << 20), "1 MiB");
        assert_eq!(written(92_274_688), "88 MiB");
        assert_eq!(written(1_003 << 20), "0.98 GiB");
        assert_eq!(written(u64::MAX), "16384 PiB");
    }

    #[test]
    fn cells_say_how_sure_they_are() {
        let scale = TimeScale::for_largest(9_000_000_000);
        let tick = 10_000_000u64;
        let cell = |n: u64| scale.cell(n * tick, n, u128::from(n) * u128::from(tick).pow(2));
        assert_eq!(cell(0), "·");
        assert_eq!(cell(1), "<0.06");
        assert_eq!(cell(2), "<0.07");
        assert_eq!(cell(8), "~0.08");
        assert_eq!(cell(34), "~0.34");
        assert_eq!(cell(35), "0.35");
        assert_eq!(cell(119), "1.19");
        // Plus or minus 0.61: the second decimal says nothing. The point stays in its column.
        assert_eq!(cell(970), "9.7 ");
    }

    #[test]
    fn intervals_of_few_samples_have_an_upper_end_only() {
        let scale = TimeScale::for_largest(9_000_000_000);
        let tick = 10_000_000u64;
        let spread = |n: u64| scale.spread(n * tick, n, u128::from(n) * u128::from(tick).pow(2));
        assert_eq!([0, 2].map(spread), ["", ""]);
        assert_eq!([3, 5, 9].map(spread), ["≤0.09", "≤0.12", "≤0.17"]);
        assert_eq!([10, 119].map(spread), ["0.06", "0.21"]);
    }

    #[test]
    fn points_of_a_column_stand_one_below_the_other() {
        let scale = TimeScale::for_largest(50_000_000_000);
        let column = [1_190_000_000, 12_340_000_000, 0].map(|ns| scale.column(ns));
        assert_eq!(column, ["1.19", "12.3 ", "0.00"]);
        assert_eq!(TimeScale::for_largest(5_000_000_000_000).column(150 * 60_000_000_000), "150  ");
        assert_eq!(scale.figure(12_340_000_000), "12.3");
    }

    #[test]
    fn byte_cells_say_how_sure_they_are() {
        let scale = ByteScale::for_largest(88 << 20);
        assert_eq!(scale.cell(88 << 20, 1e6, 0), "n/a");
        assert_eq!(scale.cell(0, 1.0, 131_072), "·");
        assert_eq!(scale.cell(131_072, 64.0, 131_072), "<0.7");
        assert_eq!(scale.cell(2 << 20, 64.0, 131_072), "~2.0");
        assert_eq!(scale.cell(2 << 20, 2_097_152.0, 131_072), "2.0");
        assert_eq!(scale.cell(88 << 20, 64.0, 131_072), "88.0");
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(percents(&[1, 1, 1]), [34, 33, 33]);
        assert_eq!(percents(&[523, 221, 236, 20]), [52, 22, 24, 2]);
        assert_eq!(percents(&[0, 0]), [0, 0]);
        assert_eq!(percent(1, 10_000), "<0.1");
        assert_eq!(percent(10, 10), "100");
        assert_eq!(percent(61, 1_000), "6.1");
    }

    #[test]
    fn dates_are_civil() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400_000_000_000), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_382_098_000_000_000), "2026-11-22 21:14 UTC");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1_234_567).replace('\u{a0}', " "), "1 234 567");
        assert_eq!(of(1, "thread").replace('\u{a0}', " "), "1 thread");
    }
}
