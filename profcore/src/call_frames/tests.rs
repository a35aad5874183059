use super::*;
use crate::unwind::SavedBp;
use object::{LittleEndian, ObjectSymbol};
use proptest::prelude::*;
use std::path::Path;

type Elf<'b> = ElfFile64<'b, LittleEndian>;

const LIBC: &str = "/lib/x86_64-linux-gnu/libc.so.6";

/// The same by gimli, function by function: what [`rows`] must equal.
mod oracle {
    use super::*;
    use gimli::{
        BaseAddresses, CfaRule, CieOrFde, EhFrame, EndianSlice, RegisterRule, UnwindContext,
        UnwindSection, UnwindTableRow, X86_64,
    };

    type Slice<'b> = EndianSlice<'b, gimli::LittleEndian>;
    const PLT: [u8; 11] = [0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];

    /// Address, whether a function ends there, and the rule from there on.
    pub(super) type Row = (u64, bool, Rule);

    /// Rows as they are written, and where functions begin.
    pub(super) fn rows(data: &[u8], address: u64) -> gimli::Result<(Vec<Row>, Vec<u64>)> {
        let frames = EhFrame::new(data, gimli::LittleEndian);
        let bases = BaseAddresses::default().set_eh_frame(address);
        let (mut rows, mut begins) = (Vec::new(), Vec::new());
        let mut context = UnwindContext::new();
        let mut entries = frames.entries(&bases);
        while let Some(entry) = entries.next()? {
            let CieOrFde::Fde(partial) = entry else { continue };
            let function = partial.parse(EhFrame::cie_from_offset)?;
            begins.push(function.initial_address());
            let mut table = function.rows(&frames, &bases, &mut context)?;
            while let Some(row) = table.next_row()? {
                let is_signal = function.is_signal_trampoline();
                let rule = if is_signal { Rule::Signal } else { rule(&frames, row) };
                rows.push((row.start_address(), false, rule));
            }
            rows.push((function.end_address(), true, Rule::Unknown));
        }
        Ok((rows, begins))
    }

    fn rule(frames: &EhFrame<Slice<'_>>, row: &UnwindTableRow<usize>) -> Rule {
        if row.register(X86_64::RA) == Some(RegisterRule::Undefined) {
            return Rule::End;
        }
        let bp = SavedBp(match row.register(X86_64::RBP) {
            Some(RegisterRule::Offset(offset)) if offset < 0 => offset.unsigned_abs() as u32,
            _ => 0,
        });
        match row.cfa() {
            CfaRule::RegisterAndOffset { register: X86_64::RSP, offset } => {
                Rule::Sp { cfa: *offset as u32, bp }
            }
            CfaRule::RegisterAndOffset { register: X86_64::RBP, offset } => {
                Rule::Bp { cfa: *offset as u32, bp }
            }
            CfaRule::Expression(e) if e.get(frames).is_ok_and(|e| e.0.slice() == PLT) => Rule::Plt,
            _ => Rule::Unknown,
        }
    }

    /// The rule at an address: that of the last row that begins at or before it. Where one function ends and another
    /// begins, it is the other's.
    pub(super) fn at(rows: &[Row], address: u64) -> u32 {
        let begins = rows.iter().enumerate().filter(|(_, row)| row.0 <= address);
        let last = begins.max_by_key(|(number, row)| (row.0, !row.1, *number));
        last.map_or(0, |(_, row)| row.2.encode())
    }
}

fn at(rows: &[(u32, u32)], address: u64) -> u32 {
    let after = rows.partition_point(|row| u64::from(row.0) <= address);
    after.checked_sub(1).map_or(0, |last| rows[last].1)
}

/// Every rule that gimli tells, of every function of real files: those of a compiler, of assembly, of linkers.
#[test]
fn rows_are_those_that_gimli_reads() {
    let own = std::env::current_exe().unwrap();
    for path in [own.as_path(), Path::new(LIBC), Path::new("/lib64/ld-linux-x86-64.so.2")] {
        let bytes = std::fs::read(path).unwrap();
        let elf = Elf::parse(&bytes[..]).unwrap();
        let section = elf.section_by_name(".eh_frame").unwrap();
        let (mut wanted, mut begins) =
            oracle::rows(section.data().unwrap(), section.address()).unwrap();
        let (rows, found) = super::rows(&elf);
        begins.sort_unstable();
        assert!(begins.len() > 50, "{}", begins.len());
        assert!(begins.iter().copied().eq(found.iter().map(|&begin| u64::from(begin))), "{path:?}");
        // So that the last one at an address is the one that counts.
        wanted.sort_by_key(|row| (row.0, !row.1));
        for (number, row) in wanted.iter().enumerate() {
            let is_last = wanted.get(number + 1).is_none_or(|next| next.0 != row.0);
            if is_last {
                assert_eq!(at(&rows, row.0), row.2.encode(), "{path:?} {:#x}", row.0);
            }
        }
        assert!(rows.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1), "no row says nothing");
        assert!(rows.len() <= wanted.len());
    }
}

/// Every function of the C library has a rule at its start: the CFA is right above the return address.
#[test]
fn functions_of_libc_begin_with_the_return_address() {
    let bytes = std::fs::read(LIBC).unwrap();
    let elf = Elf::parse(&bytes[..]).unwrap();
    let (rows, begins) = super::rows(&elf);
    let at_entry = Rule::Sp { cfa: 8, bp: SavedBp(0) }.encode();
    for name in ["qsort", "malloc", "printf", "getaddrinfo", "fork", "strtod"] {
        let symbol = elf.dynamic_symbols().find(|symbol| symbol.name() == Ok(name)).unwrap();
        assert_eq!(at(&rows, symbol.address()), at_entry, "{name}");
        assert!(begins.binary_search(&(symbol.address() as u32)).is_ok(), "{name}");
    }
    let has = |rule: Rule| rows.iter().any(|&(_, bits)| bits == rule.encode());
    assert!(has(Rule::Signal) && has(Rule::End) && has(Rule::Plt));
}

/// A section of one common entry and of functions with these instructions, 0x100 bytes each, from 0x1000 on.
fn section(functions: &[Vec<u8>]) -> Vec<u8> {
    let entry = |mut content: Vec<u8>| {
        content.resize(content.len().next_multiple_of(4), 0);
        [(content.len() as u32).to_le_bytes().to_vec(), content].concat()
    };
    // Version 1, "zR", units of 1 and -8, the return address in 16, addresses of 4 bytes; the CFA is sp + 8.
    let common = [0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, 16, 1, 0x03, 0x0c, 7, 8, 0x90, 1];
    let mut section = entry(common.to_vec());
    for (number, instructions) in functions.iter().enumerate() {
        let back = section.len() as u32 + 4;
        let begin = 0x1000 + 0x100 * number as u32;
        let head = [back, begin, 0x100].map(u32::to_le_bytes).concat();
        section.extend(entry([&head[..], &[0], instructions].concat()));
    }
    section
}

fn table(data: &[u8]) -> Vec<(u32, u32)> {
    let frames = Frames { data, address: 0 };
    let (functions, commons) = frames.functions();
    let mut table = Table::default();
    for function in &functions {
        frames.read(function, &commons[function.common as usize], &mut Vec::new(), &mut table);
    }
    table.rows
}

#[test]
fn nothing_is_known_behind_what_cannot_be_read() {
    let sp = |cfa| Rule::Sp { cfa, bp: SavedBp(0) }.encode();
    // def_cfa_offset 16; one byte on; set_loc, which nobody writes; def_cfa_offset 24.
    let broken = vec![0x0e, 16, 0x41, 0x01, 0x0e, 24];
    let cut = vec![0x41, 0x0f, 200];
    let whole = vec![0x44, 0x0e, 16];
    assert_eq!(
        table(&section(&[broken, cut, whole])),
        [
            (0x1000, sp(16)),
            (0x1001, 0),
            (0x1100, sp(8)),
            (0x1101, 0),
            (0x1200, sp(8)),
            (0x1204, sp(16)),
            (0x1300, 0)
        ]
    );
}

#[test]
fn functions_may_come_in_any_order_and_overlap() {
    let rule = |number: u32| Rule::Sp { cfa: 8 * number, bp: SavedBp(0) };
    let mut rows = Table::default();
    for (from, to, number) in [(0x10, 0x20, 1), (0x20, 0x30, 1), (0x28, 0x40, 2), (0x28, 0x38, 3)] {
        rows.push(from, rule(number));
        rows.push(to, Rule::Unknown);
    }
    let [one, three] = [1, 3].map(|number| rule(number).encode());
    assert_eq!(rows.rows, [(0x10, one), (0x28, three), (0x38, 0)]);
    let mut data = section(&[vec![], vec![]]);
    // The address of the second function: before its length, an empty part and what fills up.
    let at = data.len() - 12;
    data[at..at + 4].copy_from_slice(&0x800_u32.to_le_bytes());
    assert_eq!(
        table(&data).iter().map(|row| row.0).collect::<Vec<_>>(),
        [0x800, 0x900, 0x1000, 0x1100]
    );
}

/// An instruction, as its bytes, of those that gimli takes in any order.
fn instruction() -> impl Strategy<Value = Vec<u8>> {
    let register = prop_oneof![Just(6_u8), Just(7), Just(16), Just(3)];
    let number = 0_u8..128;
    let two = (register.clone(), number.clone());
    prop_oneof![
        (0_u8..20).prop_map(|delta| vec![0x40 | delta]),
        (register.clone(), number.clone()).prop_map(|(r, n)| vec![0x80 | r, n]),
        register.clone().prop_map(|r| vec![0xc0 | r]),
        Just(vec![0]),
        number.clone().prop_map(|n| vec![0x2e, n]),
        (0_u8..20).prop_map(|n| vec![0x02, n]),
        (0_u8..20).prop_map(|n| vec![0x03, n, 0]),
        (0_u8..20).prop_map(|n| vec![0x04, n, 0, 0, 0]),
        (prop::sample::select(vec![0x05, 0x11, 0x09, 0x14, 0x15]), two.clone())
            .prop_map(|(op, (r, n))| vec![op, r, n]),
        (prop::sample::select(vec![0x06, 0x07, 0x08]), register.clone())
            .prop_map(|(op, r)| vec![op, r]),
        (prop::sample::select(vec![0x0c, 0x12]), two).prop_map(|(op, (r, n))| vec![op, r, n]),
        register.prop_map(|r| vec![0x0d, r]),
        (prop::sample::select(vec![0x0e, 0x13]), number).prop_map(|(op, n)| vec![op, n]),
        Just(vec![0x10, 6, 1, 0x77]),
        Just(vec![0x16, 6, 1, 0x77]),
    ]
}

proptest! {
    #[test]
    fn any_instructions_are_read_as_gimli_reads_them(
        functions in prop::collection::vec(prop::collection::vec(instruction(), 0..12), 1..4),
        saves: bool,
    ) {
        let mut functions: Vec<Vec<u8>> = functions.into_iter().map(|parts| parts.concat()).collect();
        if saves {
            // remember_state, what happens, restore_state, and a byte on.
            functions.iter_mut().for_each(|function| {
                *function = [&[0x0a][..], function, &[0x0b, 0x41]].concat();
            });
        }
        let data = section(&functions);
        let (wanted, _) = oracle::rows(&data, 0).unwrap();
        let found = table(&data);
        for address in 0x0ff0..0x1000 + 0x100 * functions.len() as u64 + 16 {
            prop_assert_eq!(at(&found, address), oracle::at(&wanted, address), "{:#x}", address);
        }
    }

    #[test]
    fn any_bytes_are_survived(
        mut data in prop::collection::vec(any::<u8>(), 0..300),
        functions in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..4),
        at: prop::sample::Index,
        byte: u8,
    ) {
        table(&data);
        data = section(&functions);
        let at = at.index(data.len());
        data[at] = byte;
        let rows = table(&data);
        prop_assert!(rows.is_sorted_by(|a, b| a.0 < b.0));
    }
}
