//! The allocator: arguments, moments and pointers that are not usual.

use crate::invariants;
use crate::row::{Broken, Held};
use crate::run::Run;
use crate::trial::Trial;

/// Row 27.
pub(crate) fn edge_arguments(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("edge_arguments")?;
    let pair = Run::of(program).dense().both(trial)?;
    let results = pair.bare.stdout().lines().count();
    let (held, _) = invariants::all(trial, &pair)?;
    Ok(held.figure(format!("{results} results, each as libc's")))
}
