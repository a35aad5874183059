//! What an unwind table says of an instruction, and the 32 bits of it that a row has.

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
    pub(super) fn decode(bits: u32) -> Self {
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

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
}
