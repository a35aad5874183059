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

/// A kind of part of a line as one word, for every step of every stack is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Part(u64);

/// Bits of a name, which is one more than its number; and of a kind.
const NAME: u32 = 33;
const KIND: u32 = 3;

impl Part {
    fn new(site: u32, what: WhyKind, function: Option<StringId>) -> Self {
        let name = function.map_or(0, |function| u64::from(function.number()) + 1);
        Self(u64::from(site) << (NAME + KIND) | (what as u64) << NAME | name)
    }

    fn without_name(self) -> Self {
        Self(self.0 >> NAME << NAME)
    }

    fn parts(self) -> (usize, WhyKind, Option<StringId>) {
        let name = self.0 & ((1 << NAME) - 1);
        let function = name.checked_sub(1).map(|name| StringId::new(name as u32));
        let kind =
            WhyKind::ALL[((self.0 >> NAME) as usize & ((1 << KIND) - 1)) % WhyKind::ALL.len()];
        ((self.0 >> (NAME + KIND)) as usize, kind, function)
    }
}

/// Parts of lines' time, by index of the line.
#[derive(Debug, Default)]
pub(super) struct Parts {
    why: HashMap<Part, u64>,
    callers: HashMap<u64, u64>,
}

impl Parts {
    /// Adds the time of one stack to one line on it. The parts of a line partition its total: a stack below it counts
    /// for the function that its innermost occurrence called, a stack that ends on it for what the threads were doing.
    pub(super) fn add(&mut self, route: &Route, step: &Step, ns: &[u64; Class::ALL.len()]) {
        let place = step.place as u32;
        let cpu_ns = on_cpu(ns);
        match step.callee {
            Some(_) => self.part(Part::new(place, WhyKind::Callee, step.callee), cpu_ns),
            None => {
                for class in Class::ALL.into_iter().filter(|class| class.on_cpu()) {
                    let (kind, name) = match class {
                        Class::Gc => (WhyKind::Gc, None),
                        Class::Kernel => (WhyKind::Kernel, route.native),
                        Class::Native if route.native.is_some() => (WhyKind::Native, route.native),
                        _ => (WhyKind::Itself, None),
                    };
                    self.part(Part::new(place, kind, name), ns[class.code() as usize]);
                }
            }
        }
        let Some(caller) = step.caller.filter(|_| cpu_ns > 0) else { return };
        let key = u64::from(place) << 32 | caller as u64;
        if let Some(part) = self.callers.get_mut(&key) {
            *part = part.saturating_add(cpu_ns);
        } else if self.callers.len() < PARTS {
            self.callers.insert(key, cpu_ns);
        }
    }

    fn part(&mut self, key: Part, ns: u64) {
        if ns == 0 {
            return;
        }
        if let Some(part) = self.why.get_mut(&key) {
            *part = part.saturating_add(ns);
        } else if self.why.len() < PARTS {
            self.why.insert(key, ns);
        } else {
            let part = self.why.entry(key.without_name()).or_default();
            *part = part.saturating_add(ns);
        }
    }

    /// Hands every line its parts, largest first.
    pub(super) fn finish(self, tables: &Tables, sites: &mut [Site]) {
        for (part, cpu_ns) in self.why {
            let (site, what, function) = part.parts();
            sites[site].why.push(Why { what, function, cpu_ns });
        }
        let callers = self.callers.into_iter();
        let mut callers: Vec<(usize, StringId, u32, u64)> = callers
            .map(|(key, ns)| {
                let caller = &sites[key as u32 as usize];
                ((key >> 32) as usize, caller.file, caller.line, ns)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_word_and_loses_nothing() {
        for site in [0, 1, 7 << 14] {
            for what in WhyKind::ALL {
                for function in [None, Some(0), Some(u32::MAX)] {
                    let function = function.map(StringId::new);
                    let part = Part::new(site, what, function);
                    assert_eq!(part.parts(), (site as usize, what, function));
                    assert_eq!(part.without_name().parts(), (site as usize, what, None));
                }
            }
        }
    }
}
