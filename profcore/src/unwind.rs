//! Unwind tables: from a frame's instruction to its caller, without a library, an allocation or a lock.
//!
//! The collector reads a module's call frame information when a stack has first passed it, and leaves what
//! it says here, in session memory, in a form that a handler can search. So the profiled process never parses
//! anything, and a library that is loaded late needs no hook: its first stack asks for it.
//!
//! ```text
//!   words       what
//!   0           modules published
//!   1..5        addresses without a module, asked for by handlers; 0: none
//!   5           times that a module was withdrawn or came back
//!   6           not 0: nobody is to be asked for the time being
//!   8           512 modules of four words: start, end, load base, first row | rows << 32
//!   8 + 2048    rows: offset from the load base in the high half, rule in the low half; sorted in each module
//! ```
//!
//! Modules are only ever added; one whose library was unloaded is withdrawn, and counts again if that comes back to its
//! place. A row's rule holds from its offset to the next row's.
//!
//! Searching a table touches as many cold lines of memory as it takes steps, for each frame, and the outer frames of a
//! thread are the same ones at each tick: so a thread keeps the rules that it found in a small cache of its own.

use crate::session::{Session, area};
use crate::sync::{AtomicU64, Ordering};

/// Most modules.
const MODULES: usize = if cfg!(loom) { 2 } else { 512 };
/// Rows of all modules (16 MiB).
const ROWS: usize = if cfg!(loom) { 4 } else { 1 << 21 };
/// Places for addresses that are asked for.
const WANTED: usize = if cfg!(loom) { 1 } else { 4 };

const WANTED_AT: usize = 1;
const CHANGES: usize = 5;
const HUSHED: usize = 6;
const MODULES_AT: usize = 8;
const MODULE_WORDS: usize = 4;
const ROWS_AT: usize = MODULES_AT + MODULES * MODULE_WORDS;
/// Words of the whole area.
pub(crate) const WORDS: usize = ROWS_AT + ROWS;

/// How to find the caller of a frame (x86_64). The return address lies right below the CFA, the stack pointer
/// as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing is known here.
    Unknown,
    /// The outermost frame.
    End,
    /// The CFA lies `cfa` bytes above the stack pointer.
    Sp { cfa: u32, bp: SavedBp },
    /// The CFA lies `cfa` bytes above the frame pointer.
    Bp { cfa: u32, bp: SavedBp },
    /// An entry of the procedure linkage table: eight bytes more from the eleventh byte on.
    Plt,
    /// A signal handler returns here: the interrupted registers lie on the stack.
    Signal,
}

/// Where the caller's frame pointer is: unchanged in its register, or so many bytes below the CFA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavedBp(pub(crate) u32);

const KIND: u32 = 7;
const CFA_SHIFT: u32 = 3;
const CFA_BITS: u32 = 16;
const BP_SHIFT: u32 = CFA_SHIFT + CFA_BITS;

impl Rule {
    /// In the 32 bits of a row: three of kind, sixteen of CFA, thirteen of frame pointer, both in words. A frame
    /// too large for that is unknown.
    pub(crate) fn encode(self) -> u32 {
        let pack = |kind: u32, cfa: u32, SavedBp(bp): SavedBp| {
            let (cfa_words, bp_words) = (cfa / 8, bp / 8);
            let fits = cfa.is_multiple_of(8) && bp.is_multiple_of(8);
            let fits = fits && cfa_words < 1 << CFA_BITS && bp_words < 1 << (32 - BP_SHIFT);
            if fits { kind | cfa_words << CFA_SHIFT | bp_words << BP_SHIFT } else { 0 }
        };
        match self {
            Rule::Unknown => 0,
            Rule::End => 1,
            Rule::Sp { cfa, bp } => pack(2, cfa, bp),
            Rule::Bp { cfa, bp } => pack(3, cfa, bp),
            Rule::Plt => 4,
            Rule::Signal => 5,
        }
    }

    #[inline]
    fn decode(bits: u32) -> Self {
        let cfa = (bits >> CFA_SHIFT & ((1 << CFA_BITS) - 1)) * 8;
        let bp = SavedBp((bits >> BP_SHIFT) * 8);
        match bits & KIND {
            1 => Rule::End,
            2 => Rule::Sp { cfa, bp },
            3 => Rule::Bp { cfa, bp },
            4 => Rule::Plt,
            5 => Rule::Signal,
            _ => Rule::Unknown,
        }
    }
}

/// A view of the area.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    words: &'static [AtomicU64],
}

/// A module, as a lookup found it.
#[derive(Clone, Copy, Debug)]
struct Module {
    start: u64,
    end: u64,
    load_base: u64,
    rows: &'static [AtomicU64],
}

/// Lookups of one walk: neighboring frames are often in the same module.
#[derive(Debug)]
pub(crate) struct Lookup<'a> {
    tables: Tables,
    last: Option<Module>,
    /// Pairs of words: address and number of modules and changes, rule. The walking thread's own.
    cache: &'a [AtomicU64],
    modules: u64,
    has_asked: bool,
}

impl Tables {
    pub(crate) fn of(session: Session) -> Self {
        Self { words: session.area(area::UNWIND, WORDS) }
    }

    #[inline]
    fn load(self, at: usize) -> u64 {
        self.words[at].load(Ordering::Relaxed)
    }

    /// Begins the lookups of a walk, by a thread that has a cache (zeros at first) or none.
    pub(crate) fn lookup(self, cache: &[AtomicU64]) -> Lookup<'_> {
        // Acquire: what was published is written, and what was withdrawn is: a rule that is kept under this number must not
        // be of before.
        let changes = self.words[CHANGES].load(Ordering::Acquire);
        let modules = self.words[0].load(Ordering::Acquire).wrapping_add(changes);
        Lookup { tables: self, last: None, cache, modules, has_asked: false }
    }

    fn module(self, pc: u64) -> Option<Module> {
        // Acquire: what was published is written.
        let count = (self.words[0].load(Ordering::Acquire) as usize).min(MODULES);
        // Newest first: an address may have belonged to an earlier one.
        (0..count).rev().find_map(|index| {
            let at = MODULES_AT + index * MODULE_WORDS;
            let (start, end) = (self.load(at), self.load(at + 1));
            if !(start..end).contains(&pc) {
                return None;
            }
            let packed = self.load(at + 3);
            let (first, len) = (packed as u32 as usize, (packed >> 32) as usize);
            let rows = self.words[ROWS_AT..].get(first..first.checked_add(len)?)?;
            Some(Module { start, end, load_base: self.load(at + 2), rows })
        })
    }

    /// Asks for the module of `pc`, if anybody may be asked.
    #[cold]
    fn want(self, pc: u64) -> bool {
        let may_ask = self.load(HUSHED) == 0;
        if may_ask {
            let at = WANTED_AT + (pc >> 12) as usize % WANTED;
            self.words[at].store(pc, Ordering::Relaxed);
        }
        may_ask
    }

    /// Says whether asking is of no use for the time being: what was asked for last was no code.
    #[cfg(any(test, feature = "embed"))]
    pub(crate) fn hush(self, is_hushed: bool) {
        self.words[HUSHED].store(is_hushed.into(), Ordering::Relaxed);
    }

    /// The addresses asked for since the last time.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn take_wanted(self) -> impl Iterator<Item = u64> {
        let cells = &self.words[WANTED_AT..WANTED_AT + WANTED];
        cells.iter().map(|cell| cell.swap(0, Ordering::Relaxed)).filter(|&pc| pc != 0)
    }

    /// Modules published.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn published(self) -> usize {
        self.load(0) as usize
    }

    /// Withdraws a module, of which the number and the first address are given: something else stands there.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn withdraw(self, number: usize, start: u64) {
        self.set_end(number, start);
    }

    /// Has a withdrawn module count again.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn bring_back(self, number: usize, end: u64) {
        self.set_end(number, end);
    }

    /// A single store: a handler sees the module as it was or as it is.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    fn set_end(self, number: usize, end: u64) {
        if number < MODULES {
            self.words[MODULES_AT + number * MODULE_WORDS + 1].store(end, Ordering::Relaxed);
            self.words[CHANGES].fetch_add(1, Ordering::Release);
        }
    }

    /// Publishes a module. Rows are (offset, rule bits), sorted. False: there is no room left.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn publish(
        self,
        range: core::ops::Range<u64>,
        load_base: u64,
        rows: &[(u32, u32)],
    ) -> bool {
        let count = self.words[0].load(Ordering::Relaxed) as usize;
        let first = match count.checked_sub(1) {
            None => 0,
            Some(last) if count < MODULES => {
                let packed = self.load(MODULES_AT + last * MODULE_WORDS + 3);
                packed as u32 as usize + (packed >> 32) as usize
            }
            Some(_) => return false,
        };
        // A module that does not fit is published without rows, so that nobody asks for it again.
        let fits = first.checked_add(rows.len()).is_some_and(|end| end <= ROWS);
        let rows = if fits { rows } else { &[] };
        for (cell, &(offset, rule)) in self.words[ROWS_AT + first.min(ROWS)..].iter().zip(rows) {
            cell.store(u64::from(offset) << 32 | u64::from(rule), Ordering::Relaxed);
        }
        let at = MODULES_AT + count * MODULE_WORDS;
        let packed = first as u64 | (rows.len() as u64) << 32;
        for (index, value) in [range.start, range.end, load_base, packed].into_iter().enumerate() {
            self.words[at + index].store(value, Ordering::Relaxed);
        }
        self.words[0].store(count as u64 + 1, Ordering::Release);
        fits
    }
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::stack::image;

    #[test]
    fn rules_come_back_and_large_frames_are_unknown() {
        let bp = SavedBp(16);
        for rule in [
            Rule::Unknown,
            Rule::End,
            Rule::Plt,
            Rule::Signal,
            Rule::Sp { cfa: 8, bp: SavedBp(0) },
            Rule::Sp { cfa: 8 * 65_535, bp: SavedBp(8 * 8_191) },
            Rule::Bp { cfa: 16, bp },
        ] {
            assert_eq!(Rule::decode(rule.encode()), rule);
        }
        for rule in [
            Rule::Sp { cfa: 8 * 65_536, bp },
            Rule::Sp { cfa: 12, bp },
            Rule::Bp { cfa: 16, bp: SavedBp(8 * 8_192) },
        ] {
            assert_eq!(Rule::decode(rule.encode()), Rule::Unknown);
        }
    }

    #[test]
    fn addresses_find_the_row_at_or_before_them() {
        let tables = Tables::of(image::session());
        let sp = |cfa| Rule::Sp { cfa, bp: SavedBp(0) };
        let rows = [(0x1000, sp(8)), (0x1001, sp(16)), (0x1800, Rule::Unknown)];
        let rows = rows.map(|(offset, rule)| (offset, rule.encode()));
        assert!(tables.publish(0x50_1000..0x50_2000, 0x50_0000, &rows));
        assert!(tables.publish(0x70_0000..0x70_1000, 0x70_0000, &[(0, sp(24).encode())]));
        let mut lookup = tables.lookup(&[]);
        for (pc, rule) in [
            (0x50_1000, sp(8)),
            (0x50_1001, sp(16)),
            (0x50_17ff, sp(16)),
            (0x50_1800, Rule::Unknown),
            (0x70_0000, sp(24)),
            (0x70_0fff, sp(24)),
            (0x50_1000, sp(8)),
        ] {
            assert_eq!(lookup.rule(pc), rule, "{pc:#x}");
        }
        assert_eq!(tables.take_wanted().count(), 0);
        assert_eq!(lookup.rule(0x50_0fff), Rule::Unknown);
        assert_eq!(lookup.rule(0x70_1000), Rule::Unknown);
        let mut wanted: Vec<u64> = tables.take_wanted().collect();
        wanted.sort_unstable();
        assert_eq!(wanted, [0x50_0fff, 0x70_1000]);
        assert_eq!(tables.take_wanted().count(), 0);
        assert!(lookup.has_asked() && !tables.lookup(&[]).has_asked());
        tables.hush(true);
        let mut lookup = tables.lookup(&[]);
        assert_eq!((lookup.rule(0x70_1000), lookup.has_asked()), (Rule::Unknown, false));
        assert_eq!(tables.take_wanted().count(), 0);
    }

    #[test]
    fn a_cache_knows_what_the_tables_know() {
        let tables = Tables::of(image::session());
        let rule = |cfa| Rule::Sp { cfa, bp: SavedBp(0) }.encode();
        let rows: Vec<_> = (0..400).map(|n| (n * 16, rule(8 * (n % 50)))).collect();
        assert!(tables.publish(0x10_0000..0x10_1900, 0x10_0000, &rows));
        let cache: Vec<AtomicU64> = (0..16).map(|_| AtomicU64::new(0)).collect();
        let agree = |tables: Tables| {
            for round in 0..3_u64 {
                for pc in (0x0f_fff0..0x10_1a00).step_by(13) {
                    let (with, without) = (tables.lookup(&cache), tables.lookup(&[]));
                    let [with, without] = [with, without].map(|mut lookup| lookup.rule(pc + round));
                    assert_eq!(with, without, "{pc:#x}");
                    assert_eq!(tables.lookup(&cache).rule(pc + round), without, "again: {pc:#x}");
                }
            }
        };
        agree(tables);
        assert!(tables.publish(0x10_0800..0x10_0900, 0x10_0000, &[(0, rule(4096))]));
        agree(tables);
        assert_eq!(tables.lookup(&cache).rule(u64::MAX), Rule::Unknown);
    }

    #[test]
    fn a_newer_module_covers_an_older_one_and_a_full_table_refuses() {
        let tables = Tables::of(image::session());
        assert!(tables.publish(0x1000..0x2000, 0, &[(0, Rule::End.encode())]));
        assert!(tables.publish(0x1800..0x1900, 0, &[(0, Rule::Plt.encode())]));
        assert_eq!(tables.lookup(&[]).rule(0x1800), Rule::Plt);
        assert_eq!(tables.lookup(&[]).rule(0x1700), Rule::End);
        let many = vec![(0, 1); ROWS];
        assert!(!tables.publish(0x3000..0x4000, 0, &many));
        assert_eq!(tables.lookup(&[]).rule(0x3000), Rule::Unknown);
        assert_eq!(tables.take_wanted().count(), 0, "it is known, without rows");
        while tables.publish(0x5000..0x6000, 0, &[]) {}
        assert_eq!(tables.lookup(&[]).rule(0x1800), Rule::Plt);
    }

    #[test]
    fn a_withdrawn_module_is_asked_for_and_may_come_back() {
        let tables = Tables::of(image::session());
        let cache: Vec<AtomicU64> = (0..16).map(|_| AtomicU64::new(0)).collect();
        assert_eq!(tables.published(), 0);
        assert!(tables.publish(0x1000..0x2000, 0, &[(0, Rule::End.encode())]));
        assert_eq!((tables.published(), tables.lookup(&cache).rule(0x1800)), (1, Rule::End));
        tables.withdraw(0, 0x1000);
        assert_eq!(tables.lookup(&cache).rule(0x1800), Rule::Unknown, "the cache knows, too");
        assert_eq!(tables.take_wanted().next(), Some(0x1800));
        assert!(tables.publish(0x1000..0x1900, 0, &[(0, Rule::Plt.encode())]));
        assert_eq!(tables.lookup(&cache).rule(0x1800), Rule::Plt);
        tables.withdraw(1, 0x1000);
        tables.bring_back(0, 0x2000);
        assert_eq!(tables.lookup(&cache).rule(0x1800), Rule::End);
        tables.withdraw(MODULES, 0);
    }

    /// The program could have written anything there.
    #[test]
    fn nonsense_is_survived() {
        let tables = Tables::of(image::session());
        tables.words[0].store(u64::MAX, Ordering::Relaxed);
        for at in 0..4 {
            tables.words[MODULES_AT + at].store(u64::MAX, Ordering::Relaxed);
        }
        tables.words[MODULES_AT].store(0, Ordering::Relaxed);
        assert_eq!(tables.lookup(&[]).rule(0x1234), Rule::Unknown);
        assert!(!tables.publish(0..1, 0, &[]));
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use std::sync::OnceLock;

    const RULES: [Rule; 2] = [Rule::End, Rule::Plt];

    /// loom goes on with another thread at writes that read; see the ring's model.
    fn step(steps: &AtomicU64) {
        steps.fetch_add(1, Ordering::Relaxed);
    }

    fn steps() -> loom::sync::Arc<AtomicU64> {
        loom::sync::Arc::new(AtomicU64::new(0))
    }

    fn tables() -> Tables {
        // Leaked: a view's words outlive everything, and a model that is run anew wants new ones.
        let words: Vec<AtomicU64> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Tables { words: words.leak() }
    }

    fn model(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    #[test]
    fn a_walk_sees_a_module_whole_or_not_at_all() {
        static SEEN: [OnceLock<()>; 2] = [OnceLock::new(), OnceLock::new()];
        model(|| {
            let (tables, steps) = (tables(), steps());
            let others = steps.clone();
            let collector = loom::thread::spawn(move || {
                let rows = [(0, RULES[0].encode()), (0x80, RULES[1].encode())];
                assert!(tables.publish(0x1000..0x1100, 0x1000, &rows));
                step(&others);
            });
            step(&steps);
            let found = tables.lookup(&[]).rule(0x1090);
            assert!(found == RULES[1] || found == Rule::Unknown, "{found:?}");
            let _ = SEEN[usize::from(found == Rule::Unknown)].set(());
            collector.join().expect("no panic");
            assert_eq!(tables.lookup(&[]).rule(0x1090), RULES[1]);
        });
        assert!(SEEN.iter().all(|seen| seen.get().is_some()), "both happen");
    }

    #[test]
    fn a_cache_never_outlives_a_withdrawal_that_its_thread_has_seen() {
        model(|| {
            let (tables, steps) = (tables(), steps());
            let others = steps.clone();
            let cache: Vec<AtomicU64> = (0..2).map(|_| AtomicU64::new(0)).collect();
            let rows = [(0, RULES[0].encode())];
            assert!(tables.publish(0x1000..0x1100, 0x1000, &rows));
            assert_eq!(tables.lookup(&cache).rule(0x1010), RULES[0]);
            let collector = loom::thread::spawn(move || {
                tables.withdraw(0, 0x1000);
                step(&others);
            });
            step(&steps);
            let amid = tables.lookup(&cache).rule(0x1010);
            assert!(amid == RULES[0] || amid == Rule::Unknown);
            collector.join().expect("no panic");
            assert_eq!(tables.lookup(&cache).rule(0x1010), Rule::Unknown);
        });
    }
}
