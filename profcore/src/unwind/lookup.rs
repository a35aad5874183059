//! Looking rules up: by the thread that walks its stack, in the tables and in a cache of its own.

use super::{Module, Rule, Tables};
use crate::sync::{AtomicU64, Ordering};

/// Lookups of one walk: neighboring frames are often in the same module.
#[derive(Debug)]
pub(crate) struct Lookup<'a> {
    pub(super) tables: Tables,
    pub(super) last: Option<Module>,
    /// Pairs of words: address and number of modules and changes, rule. The walking thread's own.
    pub(super) cache: &'a [AtomicU64],
    pub(super) modules: u64,
    pub(super) has_asked: bool,
}

impl Lookup<'_> {
    /// Whether a module was asked for.
    #[inline]
    pub(crate) fn has_asked(&self) -> bool {
        self.has_asked
    }

    /// The rule for the instruction at `pc`. Bounded and total: safe in a handler. An address in no module is
    /// asked for, and unknown.
    #[inline]
    pub(crate) fn rule(&mut self, pc: u64) -> Rule {
        const ADDRESS_BITS: u32 = 48;
        let place = pc.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let place = (place as usize % (self.cache.len() / 2).max(1)) * 2;
        let Some([key, rule]) = self.cache.get(place..place + 2) else { return self.search(pc) };
        // A module more or one less, and what was found is found anew.
        let wanted = pc | self.modules << ADDRESS_BITS;
        if key.load(Ordering::Relaxed) == wanted && pc >> ADDRESS_BITS == 0 {
            return Rule::decode(rule.load(Ordering::Relaxed) as u32);
        }
        let found = self.search(pc);
        if let Some(module) = self.last
            && (module.start..module.end).contains(&pc)
        {
            key.store(wanted, Ordering::Relaxed);
            rule.store(found.encode().into(), Ordering::Relaxed);
        }
        found
    }

    fn search(&mut self, pc: u64) -> Rule {
        let module = match self.last {
            Some(last) if (last.start..last.end).contains(&pc) => last,
            _ => match self.tables.module(pc) {
                Some(module) => *self.last.insert(module),
                None => {
                    self.has_asked |= self.tables.want(pc);
                    return Rule::Unknown;
                }
            },
        };
        let Ok(offset) = u32::try_from(pc.wrapping_sub(module.load_base)) else {
            return Rule::Unknown;
        };
        let after =
            module.rows.partition_point(|row| (row.load(Ordering::Relaxed) >> 32) as u32 <= offset);
        match after.checked_sub(1).and_then(|at| module.rows.get(at)) {
            Some(row) => Rule::decode(row.load(Ordering::Relaxed) as u32),
            None => Rule::Unknown,
        }
    }
}
