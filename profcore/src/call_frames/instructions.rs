//! The instructions of a function's call frame information: where its frame and the two registers are that unwinding by
//! our tables needs.

use super::bytes::Bytes;
use crate::unwind::{Rule, SavedBp};

/// Numbers of registers (System V ABI for x86_64, figure 3.36).
const BP: u64 = 6;
const SP: u64 = 7;
const RETURN: u64 = 16;

/// Most states that a function saves at a time; compilers save one or two.
const MAX_SAVED: usize = 64;

/// What the linkers write for entries of the procedure linkage table: the CFA is the stack pointer plus 8, plus 8
/// more from the eleventh byte of an entry on.
const PLT: [u8; 11] = [0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];

/// What distances in code and on the stack are counted in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) code: u64,
    pub(super) data: i64,
}

impl Units {
    #[inline]
    fn bytes(self, distance: i64) -> i64 {
        distance.wrapping_mul(self.data)
    }
}

/// What holds at an instruction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    cfa: Cfa,
    /// Where the caller's frame pointer is, from the CFA; 0: where it was, or nobody knows.
    bp: i64,
    /// There is no caller.
    is_outermost: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum Cfa {
    #[default]
    Unknown,
    /// So many bytes above a register.
    Above {
        register: u64,
        bytes: i64,
    },
    Plt,
}

impl State {
    pub(super) fn rule(&self) -> Rule {
        if self.is_outermost {
            return Rule::End;
        }
        let saved = if self.bp < 0 { self.bp.unsigned_abs() } else { 0 };
        let bp = SavedBp(u32::try_from(saved).unwrap_or(u32::MAX));
        match self.cfa {
            Cfa::Above { register, bytes } => match (register, u32::try_from(bytes)) {
                (SP, Ok(cfa)) => Rule::Sp { cfa, bp },
                (BP, Ok(cfa)) => Rule::Bp { cfa, bp },
                _ => Rule::Unknown,
            },
            Cfa::Plt => Rule::Plt,
            Cfa::Unknown => Rule::Unknown,
        }
    }

    /// A register is saved so far from the CFA. True if that is of interest.
    #[inline]
    fn save(&mut self, register: u64, at: i64) -> bool {
        match register {
            BP => self.bp = at,
            RETURN => self.is_outermost = false,
            _ => return false,
        }
        true
    }

    /// A register is as it was in `initial`.
    fn restore(&mut self, register: u64, initial: &Self) -> bool {
        match register {
            BP => self.bp = initial.bp,
            RETURN => self.is_outermost = initial.is_outermost,
            _ => return false,
        }
        true
    }
}

/// Runs a function's instructions from the state in which it begins, and calls `row` with each address from which on
/// another state may hold, the first one always. Nothing is known from an instruction on that cannot be read. `saved` is
/// for its use, and empty afterwards.
#[inline]
pub(super) fn run(
    mut bytes: Bytes<'_>,
    units: Units,
    begin: u64,
    state: &mut State,
    saved: &mut Vec<State>,
    mut row: impl FnMut(u64, &State),
) {
    let initial = *state;
    let (mut address, mut is_new) = (begin, true);
    // The usual ones here, all others in `step`: most are a step of a byte or two, or a register that is saved.
    while let Some(byte) = bytes.u8() {
        let low = byte & 0x3f;
        let done = match byte {
            NOP => Some(Step::Same),
            ADVANCE..OFFSET => Some(Step::On(low.into())),
            OFFSET..RESTORE => bytes.unsigned().map(|at| {
                let is_changed = state.save(low.into(), units.bytes(at as i64));
                Step::of(is_changed)
            }),
            RESTORE.. => Some(Step::of(state.restore(low.into(), &initial))),
            _ => step(byte, &mut bytes, units, state, &initial, saved),
        };
        match done {
            Some(Step::Same) => {}
            Some(Step::Changed) => is_new = true,
            Some(Step::On(distance)) => {
                if std::mem::take(&mut is_new) {
                    row(address, state);
                }
                address = address.wrapping_add(distance.wrapping_mul(units.code));
            }
            None => {
                *state = State::default();
                is_new = true;
                break;
            }
        }
    }
    if is_new {
        row(address, state);
    }
    saved.clear();
}

/// Instructions by their first bytes: from each of these on but the first, the low six bits are a number.
const NOP: u8 = 0;
const ADVANCE: u8 = 0x40;
const OFFSET: u8 = 0x80;
const RESTORE: u8 = 0xc0;

/// What an instruction has done.
enum Step {
    /// Nothing of interest.
    Same,
    Changed,
    /// What follows holds so many units of code further on.
    On(u64),
}

impl Step {
    #[inline]
    fn of(is_changed: bool) -> Self {
        if is_changed { Self::Changed } else { Self::Same }
    }
}

/// The instruction that begins with `byte`; `None` if it cannot be read.
fn step(
    byte: u8,
    bytes: &mut Bytes<'_>,
    units: Units,
    state: &mut State,
    initial: &State,
    saved: &mut Vec<State>,
) -> Option<Step> {
    let changed = |is_changed: bool| Some(Step::of(is_changed));
    match byte {
        // GNU_args_size
        0x2e => bytes.unsigned().map(|_| Step::Same),
        // advance_loc of one, two, four bytes
        0x02 => Some(Step::On(bytes.u8()?.into())),
        0x03 => Some(Step::On(bytes.u16()?.into())),
        0x04 => Some(Step::On(bytes.u32()?.into())),
        // offset_extended, _sf, GNU_negative_offset_extended
        0x05 | 0x11 | 0x2f => {
            let register = bytes.unsigned()?;
            let at = if byte == 0x11 { bytes.signed()? } else { bytes.unsigned()? as i64 };
            let at = if byte == 0x2f { at.wrapping_neg() } else { at };
            changed(state.save(register, units.bytes(at)))
        }
        // restore_extended
        0x06 => changed(state.restore(bytes.unsigned()?, initial)),
        // undefined
        0x07 => {
            let register = bytes.unsigned()?;
            let is_return = register == RETURN;
            state.is_outermost |= is_return;
            changed(is_return || register == BP && state.save(BP, 0))
        }
        // same_value
        0x08 => changed(state.save(bytes.unsigned()?, 0)),
        // register, val_offset, val_offset_sf: in places that our rules do not have
        0x09 | 0x14 | 0x15 => {
            let register = bytes.unsigned()?;
            bytes.unsigned()?;
            changed(state.save(register, 0))
        }
        // remember_state, restore_state
        0x0a => (saved.len() < MAX_SAVED).then(|| {
            saved.push(*state);
            Step::Same
        }),
        0x0b => {
            *state = saved.pop()?;
            Some(Step::Changed)
        }
        // def_cfa, _sf
        0x0c | 0x12 => {
            let register = bytes.unsigned()?;
            let bytes =
                if byte == 0x0c { bytes.unsigned()? as i64 } else { units.bytes(bytes.signed()?) };
            state.cfa = Cfa::Above { register, bytes };
            Some(Step::Changed)
        }
        // def_cfa_register
        0x0d => {
            let new = bytes.unsigned()?;
            let Cfa::Above { register, .. } = &mut state.cfa else { return None };
            *register = new;
            Some(Step::Changed)
        }
        // def_cfa_offset, _sf
        0x0e | 0x13 => {
            let new =
                if byte == 0x0e { bytes.unsigned()? as i64 } else { units.bytes(bytes.signed()?) };
            let Cfa::Above { bytes, .. } = &mut state.cfa else { return None };
            *bytes = new;
            Some(Step::Changed)
        }
        // def_cfa_expression
        0x0f => {
            let length = bytes.unsigned()?;
            let expression = bytes.part(usize::try_from(length).ok()?)?;
            state.cfa = if expression.rest() == PLT { Cfa::Plt } else { Cfa::Unknown };
            Some(Step::Changed)
        }
        // expression, val_expression
        0x10 | 0x16 => {
            let register = bytes.unsigned()?;
            let length = bytes.unsigned()?;
            bytes.part(usize::try_from(length).ok()?)?;
            changed(state.save(register, 0))
        }
        _ => None,
    }
}
