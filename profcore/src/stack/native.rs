//! The one walker of native frames: from the interrupted registers outwards, by the tables in session memory,
//! reading only through guarded loads.

use crate::session::Session;
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

/// Bytes from the start of a signal frame's `ucontext` to the registers (`struct sigcontext`).
const SIGNAL_BP: usize = 120;
const SIGNAL_SP: usize = 160;
const SIGNAL_PC: usize = 168;

/// Writes addresses of frames into `into`, innermost first, and says how many and whether the outermost frame
/// was reached. The first is the instruction itself, the others are return addresses. `cache` is the thread's own.
pub(super) fn walk(
    session: Session,
    registers: Registers,
    cache: &[AtomicU64],
    into: &[AtomicU64],
) -> (usize, bool) {
    let mut lookup = Tables::of(session).lookup(cache);
    let mut at = registers;
    // The interrupted instruction has not run yet; a return address is behind its call, which may be the last
    // instruction of a function.
    let mut exact = true;
    for (depth, cell) in into.iter().enumerate() {
        cell.store(at.pc as u64, Ordering::Relaxed);
        let rule = lookup.rule((at.pc - usize::from(!exact)) as u64);
        if rule == Rule::End {
            return (depth + 1, true);
        }
        exact = rule == Rule::Signal;
        match caller(at, rule) {
            Some(next) => at = next,
            None => return (depth + 1, false),
        }
    }
    (into.len(), false)
}

/// The registers of the caller; `None` where the way out is not known, or makes no sense.
#[inline]
fn caller(at: Registers, rule: Rule) -> Option<Registers> {
    let (cfa, SavedBp(saved)) = match rule {
        Rule::Sp { cfa, bp } => (at.sp.wrapping_add(cfa as usize), bp),
        Rule::Bp { cfa, bp } => (at.bp.wrapping_add(cfa as usize), bp),
        Rule::Plt => {
            let pushed = if at.pc & 15 >= 11 { 8 } else { 0 };
            (at.sp.wrapping_add(8 + pushed), SavedBp(0))
        }
        Rule::Signal => return interrupted(at.sp),
        Rule::Unknown | Rule::End => return None,
    };
    // Stacks grow downwards: a caller's frame that does not lie above would be a circle.
    if cfa <= at.sp || !probe::plausible(cfa) {
        return None;
    }
    let pc = probe::word(cfa - 8)? as usize;
    let bp = match saved {
        0 => at.bp,
        saved => probe::word(cfa.wrapping_sub(saved as usize))? as usize,
    };
    (pc != 0).then_some(Registers { pc, sp: cfa, bp })
}

/// The registers that a signal interrupted; `ucontext` is where the handler's return finds it.
#[cold]
fn interrupted(ucontext: usize) -> Option<Registers> {
    if !probe::plausible(ucontext) {
        return None;
    }
    let load = |offset| probe::word(ucontext + offset).map(|value| value as usize);
    let registers = Registers { pc: load(SIGNAL_PC)?, sp: load(SIGNAL_SP)?, bp: load(SIGNAL_BP)? };
    // An alternate stack may lie anywhere, so that the order of addresses says nothing here.
    (registers.pc != 0).then_some(registers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::image::{self, Object};

    fn addresses(session: Session, registers: Registers, most: usize) -> (Vec<u64>, bool) {
        let into: Vec<AtomicU64> = (0..most).map(|_| AtomicU64::new(0)).collect();
        let (depth, whole) = walk(session, registers, &[], &into);
        (into[..depth].iter().map(|cell| cell.load(Ordering::Relaxed)).collect(), whole)
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
