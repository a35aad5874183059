//! Copies: early, old, checked, at every size.

use crate::invariants;
use crate::row::{Broken, Held};
use crate::run::Run;
use crate::trial::Trial;

/// Row 32.
pub(crate) fn every_form(trial: &Trial) -> Result<Held, Broken> {
    let names = [
        "early_copies",
        "copies",
        "copies_in_resolvers",
        "fortified",
        "fortified_forms",
        "own_copies",
    ];
    let mut all = Held::nothing();
    for name in names {
        let pair = Run::of(trial.compile(name)?).dense().both(trial)?;
        let (held, _) = invariants::all(trial, &pair).map_err(|why| why.within(name))?;
        all = all.and(&held);
    }
    Ok(all.figure(names.join(", ")))
}

/// Row 33.
pub(crate) fn every_size(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("copy_table")?;
    let words = trial.pick(["4096", "1", "3"], ["700", "13", "0.25"]);
    let pair = Run::of(program).with(words).dense().both(trial)?;
    let (held, _) = invariants::all(trial, &pair)?;
    let [largest, step, gigabytes] = words;
    Ok(held.figure(format!(
        "seven functions, sizes to {largest} by {step}, 64 alignments, page edges, {gigabytes} GiB"
    )))
}
