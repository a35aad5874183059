//! What the time of a line went into, and which lines led to it.

use hashbrown::HashMap;

use super::places::{Route, Step};
use super::{Site, Why, WhyKind, on_cpu};
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
    /// Adds the time of one stack to one line on it. The parts of a line partition its total: a stack below it counts
    /// for the function that its innermost occurrence called, a stack that ends on it for what the threads were doing.
    pub(super) fn add(&mut self, route: &Route, step: &Step, ns: &[u64; Class::ALL.len()]) {
        let place = step.place as u32;
        let cpu_ns = on_cpu(ns);
        match step.callee {
            Some(_) => self.part((place, WhyKind::Callee, step.callee), cpu_ns),
            None => {
                for class in Class::ALL.into_iter().filter(|class| class.on_cpu()) {
                    let (kind, name) = match class {
                        Class::Gc => (WhyKind::Gc, None),
                        Class::Kernel => (WhyKind::Kernel, route.native),
                        Class::Native if route.native.is_some() => (WhyKind::Native, route.native),
                        _ => (WhyKind::Itself, None),
                    };
                    self.part((place, kind, name), ns[class.code() as usize]);
                }
            }
        }
        let Some(caller) = step.caller.filter(|_| cpu_ns > 0) else { return };
        let key = (place, caller as u32);
        if self.callers.len() < PARTS || self.callers.contains_key(&key) {
            let part = self.callers.entry(key).or_default();
            *part = part.saturating_add(cpu_ns);
        }
    }

    fn part(&mut self, mut key: (u32, WhyKind, Option<StringId>), ns: u64) {
        if ns == 0 {
            return;
        }
        if self.why.len() >= PARTS && !self.why.contains_key(&key) {
            key.2 = None;
        }
        let part = self.why.entry(key).or_default();
        *part = part.saturating_add(ns);
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
