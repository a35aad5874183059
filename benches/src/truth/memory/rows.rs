//! Truth and what was told about memory, figure by figure.

use std::collections::BTreeMap;

use super::claim::{Amount, Claim, Line};
use super::told::{Bytes, Told};
use crate::truth::row::{Kind, Row};
use crate::truth::table::Column;

/// A kind of figure by line: the claim's, the one told, and the interval it was sampled by.
type Figure<'a> = (Kind, fn(&Line) -> Option<Amount>, &'a Option<Bytes>, f64);

/// All figures of a claim. `tags`: the numbers of the program's lines.
pub fn rows(
    program: &'static str,
    tags: &BTreeMap<String, u32>,
    claim: &Claim,
    told: &Told,
) -> Vec<Row> {
    let row = |kind, what: &str, truth, told, noise, of| {
        let (threads, what) = (String::new(), what.to_owned());
        Row { program, threads, kind, what, truth, told, noise, of }
    };
    let mut rows = vec![row(Kind::Peak, "", claim.peak, told.peak, None, claim.peak)];
    let kinds: [Figure<'_>; 3] = [
        (Kind::Allocated, |line| line.allocated, &told.allocated, told.interval),
        (Kind::Live, |line| line.live, &told.live, told.interval),
        (Kind::Copied, |line| line.copied, &told.copied, told.copy_interval),
    ];
    for (kind, amount, told, interval) in kinds {
        for (tag, line) in &claim.lines {
            let Some(amount) = amount(line) else { continue };
            let seen = told.as_ref().zip(tags.get(tag));
            let seen = seen.map(|(told, number)| told.get(number).copied().unwrap_or(0.0));
            let noise = (interval > 0.0).then(|| amount.noise(interval));
            rows.push(row(kind, tag, amount.bytes, seen, noise, amount.of()));
        }
    }
    for (tag, &rate) in &claim.leaks {
        let seen = told.leaks.as_ref().map(|leaks| {
            let found = leaks.iter().find(|leak| leak.line.as_ref() == tags.get(tag));
            // A tool that has no rate has found it as well.
            found.map_or(0.0, |leak| leak.rate.unwrap_or(rate))
        });
        rows.push(row(Kind::Leak, tag, rate, seen, None, rate));
    }
    for leak in told.leaks.iter().flatten() {
        let is_true = |tag: &String| tags.get(tag).is_some_and(|line| leak.line == Some(*line));
        if !claim.leaks.keys().any(is_true) {
            let rate = leak.rate.unwrap_or(1.0);
            rows.push(row(Kind::Leak, &leak.place, 0.0, Some(rate), None, rate));
        }
    }
    rows
}

/// What a column's errors come to, and whether that is within the promise.
pub fn verdict((name, rows): &Column) -> (String, bool) {
    let of = |kind| rows.iter().filter(move |row| row.kind == kind);
    let worst = |(kind, what)| {
        let error = of(kind).filter_map(Row::error).map(f64::abs).reduce(f64::max);
        Some(format!("{what} {:.2} %", error?))
    };
    let kinds = [
        (Kind::Peak, "peak"),
        (Kind::Allocated, "allocated"),
        (Kind::Live, "live"),
        (Kind::Copied, "copied"),
    ];
    let worst: Vec<String> = kinds.into_iter().filter_map(worst).collect();
    let (leaks, none): (Vec<&Row>, Vec<&Row>) = of(Kind::Leak).partition(|row| row.truth > 0.0);
    let found = leaks.iter().filter(|row| row.told.is_some_and(|told| told > 0.0)).count();
    let (off, noisy) =
        (rows.iter().filter(|row| row.is_off()), rows.iter().filter(|row| row.is_noisy()));
    let (off, noisy) = (off.count(), noisy.count());
    let text = format!(
        "{name:<10} worst errors: {}; {found} of {} leaks found, {} invented{}{}",
        worst.join(", "),
        leaks.len(),
        none.len(),
        if noisy > 0 { format!("; {noisy} figures are too noisy") } else { String::new() },
        if off > 0 { format!("  BROKEN by {off}") } else { String::new() },
    );
    (text, off == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::memory::told::Leak;

    fn leak(line: Option<u32>, rate: Option<f64>) -> Leak {
        Leak { line, place: "p.py:9".to_owned(), rate }
    }

    fn found(told: &Told) -> Vec<Row> {
        let amount = |bytes| Some(Amount { bytes, block: 10.0, among: 1000.0 });
        let line =
            |live, copied| Line { live: amount(live), copied: amount(copied), allocated: None };
        let claim = Claim {
            base: 0.0,
            peak: 1000.0,
            lines: [("A".to_owned(), line(500.0, 0.0))].into(),
            leaks: [("A".to_owned(), 100.0)].into(),
        };
        rows("p", &[("A".to_owned(), 7)].into(), &claim, told)
    }

    #[test]
    fn each_figure_has_a_row_and_an_error() {
        let told = Told {
            peak: Some(1005.0),
            live: Some([(7, 450.0), (8, 1.0)].into()),
            copied: Some([(7, 30.0)].into()),
            interval: 100.0,
            leaks: Some(vec![leak(Some(7), Some(90.0))]),
            ..Told::default()
        };
        let found = found(&told);
        let errors: Vec<_> =
            found.iter().map(|row| (row.kind, row.error(), row.is_off())).collect();
        let expected = [
            (Kind::Peak, Some(0.5), false),
            (Kind::Live, Some(-10.0), true),
            (Kind::Copied, Some(3.0), true),
            (Kind::Leak, Some(-10.0), false),
        ];
        assert_eq!(errors, expected);
        assert!(found[1].noise.is_some() && found[2].noise.is_none());
        let (text, kept) = verdict(&("3.9".to_owned(), found));
        assert!(
            !kept
                && text.contains(
                    "1 of 1 leaks found, 0 invented; 1 figures are too noisy  BROKEN by 2"
                ),
            "{text}"
        );
    }

    #[test]
    fn leaks_can_be_missed_and_invented() {
        let told = |leaks| Told { leaks: Some(leaks), ..Told::default() };
        let off = |leaks| found(&told(leaks)).iter().filter(|row| row.is_off()).count();
        assert_eq!(off(vec![leak(Some(7), None)]), 0);
        assert_eq!(off(vec![]), 1);
        assert_eq!(off(vec![leak(Some(8), None), leak(Some(7), None)]), 1);
        assert_eq!(off(vec![leak(None, Some(5.0))]), 2);
        assert!(found(&Told::default()).iter().all(|row| row.told.is_none()));
    }
}
