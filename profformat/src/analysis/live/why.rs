//! What the time of one row went into, and which lines led to it. The parts are those of `sites::why`.

use std::cmp::Reverse;

use hashbrown::HashMap;

use super::By;
use super::group::{Group, Key};
use super::routes::Route;
use crate::analysis::sites::{Why, WhyKind};
use crate::ids::StringId;
use crate::record::Class;

/// Callers that are told.
const CALLERS: usize = 3;

/// What [`super::Live::explain`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// The parts of the total CPU time, largest first.
    pub why: Vec<Why>,
    /// File and line of those that led here, with their part, largest first, at most three.
    pub callers: Vec<(StringId, u32, u64)>,
}

/// Adds up the parts of one row.
#[derive(Debug)]
pub(super) struct Parts {
    by: By,
    number: u32,
    why: HashMap<(WhyKind, Option<StringId>), u64>,
    callers: HashMap<u32, u64>,
}

impl Parts {
    pub(super) fn new(by: By, number: u32) -> Self {
        Self { by, number, why: HashMap::new(), callers: HashMap::new() }
    }

    /// Time of one class in one stack.
    pub(super) fn add(&mut self, route: &Route, class: u8, ns: u64) {
        let class = Class::ALL[usize::from(class) % Class::ALL.len()];
        let is_it = |at: &usize| route.frames[*at].number(self.by) == Some(self.number);
        let places = 0..route.frames.len();
        let (Some(inner), Some(outer)) = (places.clone().find(is_it), places.rev().find(is_it))
        else {
            return;
        };
        if !class.on_cpu() {
            return;
        }
        let callee = inner.checked_sub(1).map(|at| route.frames[at].name);
        let part = match (callee, class) {
            (Some(callee), _) => (WhyKind::Callee, Some(callee)),
            (None, Class::Gc) => (WhyKind::Gc, None),
            (None, Class::Kernel) => (WhyKind::Kernel, route.native),
            (None, Class::Native) if route.native.is_some() => (WhyKind::Native, route.native),
            (None, _) => (WhyKind::Itself, None),
        };
        add(self.why.entry(part).or_default(), ns);
        if let Some(caller) = route.frames.get(outer + 1).and_then(|step| step.number(self.by)) {
            add(self.callers.entry(caller).or_default(), ns);
        }
    }

    /// The parts, largest first.
    pub(super) fn finish(self, group: &Group) -> Explained {
        let mut why: Vec<Why> = self
            .why
            .into_iter()
            .map(|((what, function), cpu_ns)| Why { what, function, cpu_ns })
            .collect();
        why.sort_unstable_by_key(|why| (Reverse(why.cpu_ns), why.what, why.function));
        let mut callers: Vec<(StringId, u32, u64)> = self
            .callers
            .into_iter()
            .filter_map(|(number, ns)| match group.key(number) {
                Key::Spot(spot) => Some((spot.file, spot.line, ns)),
                _ => None,
            })
            .collect();
        callers.sort_unstable_by_key(|(file, line, ns)| (Reverse(*ns), *file, *line));
        callers.truncate(CALLERS);
        Explained { why, callers }
    }
}

fn add(sum: &mut u64, ns: u64) {
    *sum = sum.saturating_add(ns);
}
