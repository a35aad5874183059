//! What the time of a line went into, and which lines led to it.

use std::collections::HashMap;

use super::places::{Route, Step};
use super::{Site, Why, WhyKind};
use crate::ids::StringId;
use crate::record::Class;
use crate::tables::Tables;

/// Callers kept for a line.
const CALLERS: usize = 3;
/// Parts of all lines, and pairs of a line and a caller, that are told apart at most. Called functions beyond count
/// for their line as one without a name, callers beyond for none.
const PARTS: usize = 3 << 17;

/// Parts of lines' time, by index of the line.
#[derive(Debug, Default)]
pub(super) struct Parts {
    why: HashMap<(u32, WhyKind, Option<StringId>), u64>,
    callers: HashMap<(u32, u32), u64>,
}

impl Parts {
    /// Adds the time of one sum to one line on its stack. The parts of a line partition its total: a
    /// sample below it counts for the function that its innermost occurrence called, a sample on it for
    /// what the thread was doing.
    pub(super) fn add(&mut self, route: &Route, step: &Step, class: Class, weight_ns: u64) {
        let (kind, name) = match (step.callee, class) {
            (Some(callee), _) => (WhyKind::Callee, Some(callee)),
            (None, Class::Gc) => (WhyKind::Gc, None),
            (None, Class::Kernel) => (WhyKind::Kernel, route.native),
            (None, Class::Native) if route.native.is_some() => (WhyKind::Native, route.native),
            (None, Class::Native | Class::Python | Class::Gil | Class::Wait) => {
                (WhyKind::Itself, None)
            }
        };
        let mut key = (step.place as u32, kind, name);
        if self.why.len() >= PARTS && !self.why.contains_key(&key) {
            key.2 = None;
        }
        let part = self.why.entry(key).or_default();
        *part = part.saturating_add(weight_ns);
        let Some(caller) = step.caller else { return };
        let key = (step.place as u32, caller as u32);
        if self.callers.len() < PARTS || self.callers.contains_key(&key) {
            let part = self.callers.entry(key).or_default();
            *part = part.saturating_add(weight_ns);
        }
    }

    /// Hands every line its parts, largest first.
    pub(super) fn finish(self, tables: &Tables, sites: &mut [Site]) {
        for ((site, what, function), cpu_ns) in self.why {
            sites[site as usize].why.push(Why { what, function, cpu_ns });
        }
        let callers = self.callers.into_iter();
        let mut callers: Vec<(usize, StringId, u32, u64)> = callers
            .map(|((site, caller), ns)| {
                let caller = &sites[caller as usize];
                (site as usize, caller.file, caller.line, ns)
            })
            .collect();
        callers.sort_unstable_by(|a, b| b.3.cmp(&a.3).then(a.cmp(b)));
        for (site, file, line, ns) in callers {
            let callers = &mut sites[site].callers;
            if callers.len() < CALLERS {
                callers.push((file, line, ns));
            }
        }
        for site in sites {
            let name = |why: &Why| why.function.map(|function| tables.string(function));
            site.why.sort_unstable_by(|a, b| {
                let order = || (a.what, name(a), a.function).cmp(&(b.what, name(b), b.function));
                b.cpu_ns.cmp(&a.cpu_ns).then_with(order)
            });
        }
    }
}
