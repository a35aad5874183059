//! Bars of CPU time, split into its parts.

use super::number::apportion;
use super::page::Style;
use super::route::ByClass;
use crate::record::Class;

/// Names of the parts that bars show.
pub(super) const PARTS: [&str; 4] = ["Python", "native", "GC", "system"];

/// The four parts of CPU time.
pub fn four(ns: &ByClass) -> [u64; 4] {
    [Class::Python, Class::Native, Class::Gc, Class::Kernel].map(|class| ns[class.code() as usize])
}

/// The four fills with their colors.
pub const FILLS: [(&str, Style); 4] =
    [("█", Style::Python), ("▓", Style::Native), ("▒", Style::Gc), ("░", Style::System)];

/// A bar of `value` against `full` in `width` cells, filled up with spaces.
pub fn bar(
    value: u64,
    full: u64,
    split: &[u64; 4],
    fills: &[(&'static str, Style); 4],
    width: usize,
) -> Vec<(String, Style)> {
    let cells = match full {
        0 => 0.0,
        _ => value as f64 / full as f64 * width as f64,
    };
    let whole = (cells.round() as usize).min(width);
    let mut parts = Vec::new();
    if whole == 0 && value > 0 {
        let largest = (0..4).max_by_key(|&i| split[i]).unwrap_or(0);
        parts.push(("▏".to_owned(), fills[largest].1));
    }
    for (share, (fill, style)) in apportion(split, whole as u64).into_iter().zip(fills) {
        parts.push((fill.repeat(share as usize), *style));
    }
    let used = whole.max(usize::from(value > 0));
    parts.push((" ".repeat(width - used), Style::Plain));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: u64, full: u64, split: [u64; 4]) -> String {
        bar(value, full, &split, &FILLS, 10).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn bars_are_split_and_never_too_long() {
        assert_eq!(text(100, 100, [52, 22, 24, 2]), "█████▓▓▒▒▒");
        assert_eq!(text(0, 100, [0; 4]), "          ");
        assert_eq!(text(1, 100, [0, 1, 0, 0]), "▏         ");
        assert_eq!(text(50, 100, [0, 1, 0, 1]), "▓▓▓░░     ");
        assert_eq!(text(100, 0, [1, 0, 0, 0]), "▏         ");
    }
}
