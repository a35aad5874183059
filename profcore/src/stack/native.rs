//! The one walker of native frames: from the interrupted registers outwards, by the tables in session memory,
//! reading only through guarded loads.

use crate::process;
#[cfg(feature = "embed")]
use crate::ring::registry::Owner;
use crate::session::{Session, Slot, slot_word};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::{probe, registers};
use crate::unwind::{Rule, SavedBp, Tables};

/// What a frame is found by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Registers {
    pub(crate) pc: usize,
    pub(crate) sp: usize,
    pub(crate) bp: usize,
}

impl Registers {
    /// Those of the function that this is inlined into: its own frame, then its callers'.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        let [pc, sp, bp] = registers::here();
        Self { pc, sp, bp }
    }
}

/// The memory that a walk may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    from: usize,
    to: usize,
}

/// Bytes below the top of a thread's stack that are taken for stack when the stack pointer is in them. A stack may be
/// smaller; but then what the stack pointer is in ends at its top all the same, unless it is another stack that lies this
/// close below, as a coroutine's might. For harm to come of that, a walk would have to lead off that one, on a thread that
/// blocks SIGSEGV: otherwise a read that fails is just that.
const CLOSE: usize = 128 << 10;

impl Reach {
    /// All memory: for those who have let faults through.
    pub(crate) const EVERYWHERE: Self = Self { from: 0, to: usize::MAX };

    /// The calling thread's own stack from here on outwards, all of which is there; `None` if it is not known to be what
    /// the stack pointer is in.
    #[inline]
    pub(crate) fn own_stack(slot: Slot) -> Option<Self> {
        let to = slot.word(slot_word::STACK_TOP).load(Ordering::Relaxed) as usize;
        let from = Registers::here().sp;
        (from < to && to - from <= CLOSE).then_some(Self { from, to })
    }

    /// No memory: a walk ends at its first frame.
    const NOWHERE: Self = Self { from: usize::MAX, to: usize::MAX };

    /// What a handler may read that interrupted a thread at these registers: all memory, as faults are let through; where
    /// nobody mends them, the thread's own stack.
    pub(crate) fn of_handler(slot: Slot, registers: Option<Registers>) -> Self {
        if !process::is_embedded() {
            return Self::EVERYWHERE;
        }
        registers.and_then(|at| Self::stack_from(slot, at.sp)).unwrap_or(Self::NOWHERE)
    }

    /// As [`Reach::own_stack`] from the stack pointer `from` on, by what somebody has found out about where that stack
    /// begins, if it has been found out.
    pub(crate) fn stack_from(slot: Slot, from: usize) -> Option<Self> {
        let to = slot.word(slot_word::STACK_TOP).load(Ordering::Relaxed) as usize;
        let is_in = match Low::of(slot) {
            Some(low) => from as u64 >= low,
            None => to.wrapping_sub(from) <= CLOSE,
        };
        (from < to && is_in).then_some(Self { from, to })
    }

    /// With what a function deeper in the stack has below, at whose stack pointer a walk begins.
    #[inline]
    pub(crate) fn down_to(self, sp: usize) -> Self {
        if self == Self::NOWHERE { self } else { Self { from: self.from.min(sp), ..self } }
    }

    #[inline]
    fn word(self, address: usize) -> Result<u64, End> {
        if address < self.from || address > self.to - 8 {
            return Err(End::Outside);
        }
        probe::word(address).ok_or(End::Cut)
    }
}

/// Where a thread's stack begins, as somebody else has found out: a page's address, with the number of the slot's owner in
/// the bits that are 0 in one, so that it is not taken for another's.
pub(crate) struct Low;

impl Low {
    const OWNER: u64 = 0xfff;

    /// Of the thread that has moved into the slot, if it is known.
    pub(crate) fn of(slot: Slot) -> Option<u64> {
        let load = |index| slot.word(index).load(Ordering::Relaxed);
        let (word, owner) = (load(slot_word::STACK_LOW), load(slot_word::MOVED_IN));
        let is_known = word > Self::OWNER && word & Self::OWNER == owner & Self::OWNER;
        is_known.then_some(word & !Self::OWNER)
    }

    /// Notes it for an owner of the slot.
    #[cfg(feature = "embed")]
    pub(crate) fn note(slot: Slot, owner: Owner, low: u64) {
        let word = low & !Self::OWNER | u64::from(owner.generation) & Self::OWNER;
        slot.word(slot_word::STACK_LOW).store(word, Ordering::Relaxed);
    }
}

/// Bytes from the start of a signal frame's `ucontext` to the registers (`struct sigcontext`).
const SIGNAL_BP: usize = 120;
const SIGNAL_SP: usize = 160;
const SIGNAL_PC: usize = 168;

/// Where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the outermost frame.
    Outermost,
    /// Where the way out is not known, makes no sense or is too long.
    Cut,
    /// Where it led out of the memory that it may read.
    Outside,
    /// In code whose table was asked for.
    Asked,
}

/// Writes addresses of frames into `into`, innermost first, and says how many and why no more. The first is the
/// instruction itself, the others are return addresses. Reads within `reach` only. `cache` is the thread's own.
pub(super) fn walk(
    session: Session,
    registers: Registers,
    reach: Reach,
    cache: &[AtomicU64],
    into: &[AtomicU64],
) -> (usize, End) {
    let mut lookup = Tables::of(session).lookup(cache);
    let mut at = registers;
    // The interrupted instruction has not run yet; a return address is behind its call, which may be the last
    // instruction of a function.
    let mut exact = true;
    for (depth, cell) in into.iter().enumerate() {
        cell.store(at.pc as u64, Ordering::Relaxed);
        let rule = lookup.rule((at.pc - usize::from(!exact)) as u64);
        if rule == Rule::End {
            return (depth + 1, End::Outermost);
        }
        exact = rule == Rule::Signal;
        match caller(at, rule, reach) {
            Ok(next) => at = next,
            Err(_) if lookup.has_asked() => return (depth + 1, End::Asked),
            Err(end) => return (depth + 1, end),
        }
    }
    (into.len(), End::Cut)
}

/// The registers of the caller, or why there are none.
#[inline]
fn caller(at: Registers, rule: Rule, reach: Reach) -> Result<Registers, End> {
    let (cfa, SavedBp(saved)) = match rule {
        Rule::Sp { cfa, bp } => (at.sp.wrapping_add(cfa as usize), bp),
        Rule::Bp { cfa, bp } => (at.bp.wrapping_add(cfa as usize), bp),
        Rule::Plt => {
            let pushed = if at.pc & 15 >= 11 { 8 } else { 0 };
            (at.sp.wrapping_add(8 + pushed), SavedBp(0))
        }
        Rule::Signal => return interrupted(at.sp, reach),
        Rule::Unknown | Rule::End => return Err(End::Cut),
    };
    // Stacks grow downwards: a caller's frame that does not lie above would be a circle.
    if cfa <= at.sp || !probe::plausible(cfa) {
        return Err(End::Cut);
    }
    let pc = reach.word(cfa - 8)? as usize;
    let bp = match saved {
        0 => at.bp,
        saved => reach.word(cfa.wrapping_sub(saved as usize))? as usize,
    };
    if pc == 0 { Err(End::Cut) } else { Ok(Registers { pc, sp: cfa, bp }) }
}

/// The registers that a signal interrupted; `ucontext` is where the handler's return finds it.
#[cold]
fn interrupted(ucontext: usize, reach: Reach) -> Result<Registers, End> {
    if !probe::plausible(ucontext) {
        return Err(End::Cut);
    }
    let load = |offset| reach.word(ucontext + offset).map(|value| value as usize);
    let registers = Registers { pc: load(SIGNAL_PC)?, sp: load(SIGNAL_SP)?, bp: load(SIGNAL_BP)? };
    // An alternate stack may lie anywhere, so that the order of addresses says nothing here.
    if registers.pc == 0 { Err(End::Cut) } else { Ok(registers) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::image::{self, Object};

    fn addresses(session: Session, registers: Registers, most: usize) -> (Vec<u64>, bool) {
        let (found, end) = addresses_within(session, registers, Reach::EVERYWHERE, most);
        assert_ne!(end, End::Outside);
        (found, end == End::Outermost)
    }

    fn addresses_within(
        session: Session,
        registers: Registers,
        reach: Reach,
        most: usize,
    ) -> (Vec<u64>, End) {
        let into: Vec<AtomicU64> = (0..most).map(|_| AtomicU64::new(0)).collect();
        let (depth, end) = walk(session, registers, reach, &[], &into);
        (into[..depth].iter().map(|cell| cell.load(Ordering::Relaxed)).collect(), end)
    }

    /// A stack of three frames: one found by the stack pointer, one by the frame pointer, the outermost.
    fn three_frames() -> (Session, Object, Registers) {
        probe::tests::guard();
        let session = image::session();
        let rows = [
            (0x100, Rule::Sp { cfa: 24, bp: SavedBp(0) }.encode()),
            (0x200, Rule::Bp { cfa: 16, bp: SavedBp(16) }.encode()),
            (0x300, Rule::End.encode()),
            (0x400, Rule::Unknown.encode()),
            (0x500, Rule::Sp { cfa: 0, bp: SavedBp(0) }.encode()),
        ];
        assert!(Tables::of(session).publish(0x40_0000..0x40_1000, 0x40_0000, &rows));
        let mut stack = Object::new(16);
        let at = stack.address();
        stack.set(16, 8, 0x40_0210).set(64, 8, 0x1111).set(72, 8, 0x40_0301);
        let registers = Registers { pc: 0x40_0100, sp: at, bp: at + 64 };
        (session, stack, registers)
    }

    #[test]
    fn frames_are_found_by_either_pointer() {
        let (session, _stack, registers) = three_frames();
        let all = [0x40_0100, 0x40_0210, 0x40_0301];
        assert_eq!(addresses(session, registers, 10), (all.to_vec(), true));
        assert_eq!(addresses(session, registers, 2), (all[..2].to_vec(), false), "cut");
    }

    #[test]
    fn nothing_is_read_out_of_reach() {
        let (session, _stack, registers) = three_frames();
        // The words that it reads are the third, the ninth and the tenth.
        let within = |from: usize, to: usize| {
            let reach = Reach { from: registers.sp + from, to: registers.sp + to };
            let (found, end) = addresses_within(session, registers, reach, 10);
            (found.len(), end)
        };
        assert_eq!(within(16, 80), (3, End::Outermost));
        assert_eq!(within(16, 79), (2, End::Outside));
        assert_eq!(within(16, 71), (2, End::Outside));
        assert_eq!(within(17, 80), (1, End::Outside));
        assert_eq!(within(0, 23), (1, End::Outside));
    }

    #[test]
    fn a_return_address_belongs_to_the_call_before_it() {
        let (session, mut stack, registers) = three_frames();
        // The first instruction behind the second function.
        stack.set(16, 8, 0x40_0300);
        let found = addresses(session, registers, 10);
        assert_eq!(found, (vec![0x40_0100, 0x40_0300, 0x40_0301], true));
    }

    #[test]
    fn what_makes_no_sense_ends_the_walk() {
        let (session, mut stack, registers) = three_frames();
        let one = |registers| addresses(session, registers, 10);
        for wrong in [
            Registers { pc: 0x40_0400, ..registers },
            Registers { pc: 0x50_0000, ..registers },
            Registers { pc: 0x40_0500, ..registers },
            Registers { sp: 8, ..registers },
            Registers { sp: usize::MAX - 8, ..registers },
        ] {
            assert_eq!(one(wrong), (vec![wrong.pc as u64], false), "{wrong:x?}");
        }
        assert_eq!(Tables::of(session).take_wanted().collect::<Vec<_>>(), [0x50_0000]);
        stack.set(16, 8, 0);
        assert_eq!(one(registers), (vec![0x40_0100], false));
    }

    #[test]
    fn a_signal_frame_leads_to_what_was_interrupted() {
        let (session, _stack, inner) = three_frames();
        let rows = [(0, Rule::Signal.encode())];
        assert!(Tables::of(session).publish(0x60_0000..0x60_1000, 0x60_0000, &rows));
        let mut frame = Object::new(40);
        frame.set(SIGNAL_PC, 8, inner.pc).set(SIGNAL_SP, 8, inner.sp).set(SIGNAL_BP, 8, inner.bp);
        let registers = Registers { pc: 0x60_0001, sp: frame.address(), bp: 0 };
        let found = addresses(session, registers, 10);
        assert_eq!(found, (vec![0x60_0001, 0x40_0100, 0x40_0210, 0x40_0301], true));
    }
}
