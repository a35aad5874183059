//! Events of a real run, repeated until there are enough of them to measure.

use std::path::Path;

use crate::events::Event;
use crate::load::{Definitions, Load};

/// The events of one kind of a recorded trace, over and over, `count` of them; `None` when it has none.
pub(crate) fn load<E: Event>(trace: &[u8], count: usize) -> Option<Load<E>> {
    let mut once: Vec<E> = Vec::new();
    let definitions = Definitions::read(trace, |record| once.extend(E::of(record)));
    let last = once.iter().map(E::time).max()?;
    let run = (last.as_nanos() + 1).next_multiple_of(1_000);
    let blocks = once.iter().map(E::number).max()?;
    let runs = (0..).flat_map(|n| once.iter().map(move |event| event.shifted(n * run, n * blocks)));
    let load = Load::new("recorded", definitions, runs.take(count).collect());
    Some(Load { run: Some(once.len().min(count)), ..load })
}

/// The trace that the repository has.
pub(crate) fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../profformat/tests/recorded/python.proftrace")
}
