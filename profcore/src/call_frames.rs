//! Call frame information (`.eh_frame`) as rows of an unwind table.

use std::collections::HashMap;

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, CommonInformationEntry, EhFrame, EndianSlice, LittleEndian,
    RegisterRule, UnwindContext, UnwindSection, UnwindTableRow, X86_64,
};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ReadRef};

use crate::unwind::{Rule, SavedBp};

/// Most bytes that are read of a file, and most rows.
const MAX_BYTES: u64 = 64 << 20;
const MAX_ROWS: usize = 1 << 20;

/// What the linkers write for entries of the procedure linkage table: the CFA is the stack pointer plus 8, plus 8
/// more from the eleventh byte of an entry on.
const PLT: [u8; 11] = [0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];

type Bytes<'b> = EndianSlice<'b, LittleEndian>;

/// The rules of a file, sorted by address, each of which holds up to the next one; and where its functions begin,
/// sorted. Stops at what it cannot read.
pub(crate) fn rows<'d, R: ReadRef<'d>>(
    elf: &ElfFile64<'d, object::LittleEndian, R>,
) -> (Vec<(u32, u32)>, Vec<u32>) {
    let none = (Vec::new(), Vec::new());
    let Some(section) = elf.section_by_name(".eh_frame").filter(|s| s.size() <= MAX_BYTES) else {
        return none;
    };
    let Ok(data) = section.data() else { return none };
    let address_of = |name| elf.section_by_name(name).map_or(0, |section| section.address());
    let bases = BaseAddresses::default()
        .set_eh_frame(section.address())
        .set_text(address_of(".text"))
        .set_got(address_of(".got"));
    let (mut rows, mut begins) = (Vec::new(), Vec::new());
    // What was read before an error is good.
    let _ = read(&EhFrame::new(data, LittleEndian), &bases, &mut rows, &mut begins);
    begins.sort_unstable();
    begins.shrink_to_fit();
    (sorted(rows), begins)
}

/// A row as it is read: where it begins, whether it only ends a function, and its rule.
type Row = (u32, bool, u32);

fn read<'b>(
    frames: &EhFrame<Bytes<'b>>,
    bases: &BaseAddresses,
    rows: &mut Vec<Row>,
    begins: &mut Vec<u32>,
) -> gimli::Result<()> {
    let mut context = UnwindContext::new();
    let mut known: HashMap<usize, CommonInformationEntry<Bytes<'b>>> = HashMap::new();
    let mut entries = frames.entries(bases);
    while let Some(entry) = entries.next()? {
        let CieOrFde::Fde(partial) = entry else { continue };
        let function = partial.parse(|frames, bases, offset| match known.get(&offset.0) {
            Some(common) => Ok(common.clone()),
            None => {
                let common = frames.cie_from_offset(bases, offset)?;
                known.insert(offset.0, common.clone());
                Ok(common)
            }
        })?;
        begins.extend(u32::try_from(function.initial_address()));
        let signal = function.is_signal_trampoline();
        let mut table = function.rows(frames, bases, &mut context)?;
        // A function whose rules cannot be read is left out; the next one has its own.
        while let Ok(Some(row)) = table.next_row() {
            let rule = if signal { Rule::Signal } else { rule(frames, row) };
            if let Ok(address) = u32::try_from(row.start_address()) {
                rows.push((address, false, rule.encode()));
            }
        }
        if let Ok(end) = u32::try_from(function.end_address()) {
            rows.push((end, true, Rule::Unknown.encode()));
        }
        if rows.len() >= MAX_ROWS {
            break;
        }
    }
    Ok(())
}

fn sorted(mut rows: Vec<Row>) -> Vec<(u32, u32)> {
    // An end comes before the function that begins there, which then counts.
    rows.sort_by_key(|&(address, end, _)| (address, !end));
    let mut table: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
    for (address, _, rule) in rows {
        match table.last_mut() {
            Some(last) if last.0 == address => last.1 = rule,
            Some(last) if last.1 == rule => {}
            _ => table.push((address, rule)),
        }
    }
    table.shrink_to_fit();
    table
}

fn rule(frames: &EhFrame<Bytes<'_>>, row: &UnwindTableRow<usize>) -> Rule {
    if row.register(X86_64::RA) == Some(RegisterRule::Undefined) {
        return Rule::End;
    }
    let bp = match row.register(X86_64::RBP) {
        Some(RegisterRule::Offset(offset)) if offset < 0 => {
            u32::try_from(offset.unsigned_abs()).unwrap_or(u32::MAX)
        }
        _ => 0,
    };
    match row.cfa() {
        CfaRule::RegisterAndOffset { register, offset } => {
            let Ok(cfa) = u32::try_from(*offset) else { return Rule::Unknown };
            match *register {
                X86_64::RSP => Rule::Sp { cfa, bp: SavedBp(bp) },
                X86_64::RBP => Rule::Bp { cfa, bp: SavedBp(bp) },
                _ => Rule::Unknown,
            }
        }
        CfaRule::Expression(expression) => match expression.get(frames) {
            Ok(expression) if expression.0.slice() == PLT => Rule::Plt,
            _ => Rule::Unknown,
        },
    }
}

#[cfg(all(test, feature = "record"))]
mod tests {
    use super::*;
    use crate::collector::binaries::Binary;

    #[test]
    fn a_function_begins_where_another_ends() {
        let [one, two, none] = [1, 2, 0];
        let rows =
            vec![(0x20, true, none), (0x10, false, one), (0x20, false, two), (0x30, true, none)];
        assert_eq!(sorted(rows), [(0x10, one), (0x20, two), (0x30, none)]);
        // Neighbors of one rule are one row.
        let rows = vec![(1, false, one), (2, false, one), (3, false, two)];
        assert_eq!(sorted(rows), [(1, one), (3, two)]);
    }

    /// Every function of the C library has a rule at its start: the CFA is right above the return address.
    #[test]
    fn functions_of_libc_begin_with_the_return_address() {
        let bytes = std::fs::read("/lib/x86_64-linux-gnu/libc.so.6").unwrap();
        let binary = Binary::parse(&bytes[..]).unwrap();
        let at_entry = Rule::Sp { cfa: 8, bp: SavedBp(0) }.encode();
        let elf = object::read::elf::ElfFile64::<object::LittleEndian>::parse(&bytes[..]).unwrap();
        use object::ObjectSymbol;
        let mut seen = 0;
        for name in ["qsort", "malloc", "printf", "getaddrinfo", "fork", "strtod"] {
            let symbol = elf.dynamic_symbols().find(|symbol| symbol.name() == Ok(name)).unwrap();
            let address = symbol.address() as u32;
            let after = binary.rows.partition_point(|&(start, _)| start <= address);
            assert_eq!(binary.rows[after - 1].1, at_entry, "{name}");
            let begin = symbol.address();
            assert_eq!(binary.begin(begin), Some(begin), "{name}");
            assert_eq!(binary.begin(begin + 3), Some(begin), "{name}");
            assert!(binary.begin(begin - 1).is_some_and(|other| other < begin), "{name}");
            seen += 1;
        }
        assert_eq!(seen, 6);
        let has = |rule: Rule| binary.rows.iter().any(|&(_, bits)| bits == rule.encode());
        assert!(has(Rule::Signal) && has(Rule::End) && has(Rule::Plt));
    }
}
