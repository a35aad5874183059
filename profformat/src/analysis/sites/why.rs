//! What the time of a line went into, and which lines led to it.

use std::collections::HashMap;

use super::places::{Route, Step, shown};
use super::{Site, Why, WhyKind};
use crate::ids::StringId;
use crate::record::Class;
use crate::tables::Tables;

/// Callers kept for a line.
const CALLERS: usize = 3;

/// Parts of lines' time, by index of the line.
#[derive(Debug, Default)]
pub(super) struct Parts {
    why: HashMap<(usize, WhyKind, Option<StringId>), u64>,
    callers: HashMap<(usize, usize), u64>,
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
        let part = self.why.entry((step.place, kind, name)).or_default();
        *part = part.saturating_add(weight_ns);
        if let Some(caller) = step.caller {
            let part = self.callers.entry((step.place, caller)).or_default();
            *part = part.saturating_add(weight_ns);
        }
    }

    /// Hands every line its parts, largest first.
    pub(super) fn finish(self, tables: &Tables, sites: &mut [Site]) {
        for ((site, what, name), cpu_ns) in self.why {
            let name = match (what, name) {
                (_, Some(name)) => {
                    String::from_utf8_lossy(&shown(tables.string(name))).into_owned()
                }
                (WhyKind::Gc, None) => "gc".to_owned(),
                (WhyKind::Kernel, None) => "kernel".to_owned(),
                (_, None) => String::new(),
            };
            sites[site].why.push(Why { what, name, cpu_ns });
        }
        let callers = self.callers.into_iter();
        let mut callers: Vec<(usize, StringId, u32, u64)> = callers
            .map(|((site, caller), ns)| (site, sites[caller].file, sites[caller].line, ns))
            .collect();
        callers.sort_unstable_by(|a, b| b.3.cmp(&a.3).then(a.cmp(b)));
        for (site, file, line, ns) in callers {
            let callers = &mut sites[site].callers;
            if callers.len() < CALLERS {
                callers.push((file, line, ns));
            }
        }
        for site in sites {
            site.why.sort_unstable_by(|a, b| {
                b.cpu_ns.cmp(&a.cpu_ns).then_with(|| (a.what, &a.name).cmp(&(b.what, &b.name)))
            });
        }
    }
}
