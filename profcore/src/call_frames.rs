//! Call frame information (`.eh_frame`) as rows of an unwind table.
//!
//! Read by code of our own, because a profiled program waits for it: of a file's tens of thousands of instructions it
//! keeps what three registers' rules need, and makes the table in the order in which it is searched. Formats: the Linux
//! Standard Base's "Exception Frames", and section 6.4 of DWARF 5.

mod bytes;
mod instructions;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ReadRef};

use crate::unwind::Rule;
use bytes::Bytes;
use instructions::{State, Units};

/// Most bytes that are read of a file, and most rows.
const MAX_BYTES: u64 = 64 << 20;
const MAX_ROWS: usize = 1 << 20;
/// Rows of a function, about.
const ROWS: usize = 8;

/// The rules of a file, sorted by address, each of which holds up to the next one; and where its functions begin,
/// sorted. What cannot be read is left out.
pub(crate) fn rows<'d, R: ReadRef<'d>>(
    elf: &ElfFile64<'d, object::LittleEndian, R>,
) -> (Vec<(u32, u32)>, Vec<u32>) {
    let none = (Vec::new(), Vec::new());
    let Some(section) = elf.section_by_name(".eh_frame").filter(|s| s.size() <= MAX_BYTES) else {
        return none;
    };
    let Ok(data) = section.data() else { return none };
    let frames = Frames { data, address: section.address() };
    let (functions, commons) = frames.functions();
    let mut table = Table::default();
    table.rows.reserve(functions.len().saturating_mul(ROWS).min(MAX_ROWS));
    let mut saved = Vec::new();
    for function in &functions {
        if table.rows.len() >= MAX_ROWS {
            break;
        }
        frames.read(function, &commons[function.common as usize], &mut saved, &mut table);
    }
    table.rows.shrink_to_fit();
    (table.rows, functions.iter().map(|function| function.begin).collect())
}

/// The section, and where it is loaded.
struct Frames<'b> {
    data: &'b [u8],
    address: u64,
}

/// What the entries of many functions have in common.
struct Common {
    units: Units,
    /// How addresses are written.
    encoding: u8,
    /// Entries have data of a length that they tell, which is not for unwinders of our kind.
    has_data: bool,
    /// The function is what signal handlers return to.
    is_signal: bool,
    /// As every function begins.
    initial: State,
}

/// A function's entry: its addresses, the number of its [`Common`], and where its instructions lie. All fit, as the section
/// has no more than [`MAX_BYTES`].
struct Function {
    begin: u32,
    end: u32,
    common: u32,
    from: u32,
    to: u32,
}

impl<'b> Frames<'b> {
    /// All functions by address, those of one address in the order of the file.
    fn functions(&self) -> (Vec<Function>, Vec<Common>) {
        let (mut functions, mut commons) = (Vec::new(), Vec::new());
        // By place: number, none if it cannot be read.
        let mut known: HashMap<usize, Option<usize>> = HashMap::new();
        let mut last = (usize::MAX, None);
        let mut rest = Bytes::new(self.data);
        while let Some(mut entry) = rest.entry() {
            let at = entry.at();
            let Some(back) = entry.u32().filter(|&back| back != 0) else { continue };
            let Some(place) = at.checked_sub(back as usize) else { continue };
            if last.0 != place {
                let number = known.entry(place).or_insert_with(|| {
                    commons.push(self.common(place)?);
                    Some(commons.len() - 1)
                });
                last = (place, *number);
            }
            let Some(common) = last.1 else { continue };
            functions.extend(self.function(entry, common, &commons[common]));
        }
        functions.sort_by_key(|function: &Function| function.begin);
        (functions, commons)
    }

    /// The common entry whose length stands at `place`.
    fn common(&self, place: usize) -> Option<Common> {
        const EH: &[u8] = b"eh";
        let mut entry = Bytes::at_place(self.data, place).entry()?;
        let (0, version @ (1 | 3 | 4)) = (entry.u32()?, entry.u8()?) else { return None };
        let letters = entry.text()?;
        if version == 4 {
            // Sizes of an address and of a segment's number.
            (entry.u8()? == 8 && entry.u8()? == 0).then_some(())?;
        }
        if letters == EH {
            entry.u64()?;
        }
        let units = Units { code: entry.unsigned()?, data: entry.signed()? };
        // Where the return address is.
        if version == 1 { entry.u8().map(u64::from) } else { entry.unsigned() }?;
        let (mut encoding, mut is_signal) = (encoding::ABSOLUTE, false);
        let has_data = letters.first() == Some(&b'z');
        if has_data {
            let length = entry.unsigned()?;
            let mut data = entry.part(usize::try_from(length).ok()?)?;
            for letter in &letters[1..] {
                match letter {
                    b'R' => encoding = data.u8()?,
                    b'S' => is_signal = true,
                    b'L' => drop(data.u8()?),
                    b'P' => {
                        let encoding = data.u8()?;
                        self.pointer(&mut data, encoding)?;
                    }
                    // What follows is not for us, and has no length of its own.
                    _ => break,
                }
            }
        } else if !letters.is_empty() && letters != EH {
            return None;
        }
        let mut initial = State::default();
        instructions::run(entry, units, 0, &mut initial, &mut Vec::new(), |_, _| ());
        Some(Common { units, encoding, has_data, is_signal, initial })
    }

    fn function(&self, mut entry: Bytes<'b>, number: usize, common: &Common) -> Option<Function> {
        let begin = self.pointer(&mut entry, common.encoding)?;
        // A length, which is an address of the same size that is relative to nothing.
        let length = self.pointer(&mut entry, common.encoding & encoding::SIZE)?;
        if common.has_data {
            let length = entry.unsigned()?;
            entry.part(usize::try_from(length).ok()?)?;
        }
        Some(Function {
            begin: u32::try_from(begin).ok()?,
            end: u32::try_from(begin.checked_add(length)?).ok()?,
            common: number as u32,
            from: entry.at() as u32,
            to: entry.end() as u32,
        })
    }

    /// An address as the file writes it. Those of x86_64 are whole or relative to where they stand.
    fn pointer(&self, bytes: &mut Bytes<'b>, encoding: u8) -> Option<u64> {
        let place = self.address.wrapping_add(bytes.at() as u64);
        let value = match encoding & encoding::SIZE {
            0x00 | 0x04 | 0x0c => bytes.u64()?,
            0x01 => bytes.unsigned()?,
            0x02 => bytes.u16()?.into(),
            0x03 => bytes.u32()?.into(),
            0x09 => bytes.signed()? as u64,
            0x0a => i64::from(bytes.u16()? as i16) as u64,
            0x0b => i64::from(bytes.u32()? as i32) as u64,
            _ => return None,
        };
        match encoding & encoding::RELATIVE {
            encoding::ABSOLUTE => Some(value),
            encoding::HERE => Some(place.wrapping_add(value)),
            _ => None,
        }
    }

    fn read(
        &self,
        function: &Function,
        common: &Common,
        saved: &mut Vec<State>,
        table: &mut Table,
    ) {
        let bytes = Bytes::of_part(self.data, function.from as usize, function.to as usize);
        let mut state = common.initial;
        let begin = u64::from(function.begin);
        instructions::run(bytes, common.units, begin, &mut state, saved, |address, state| {
            if let Ok(address) = u32::try_from(address) {
                let rule = if common.is_signal { Rule::Signal } else { state.rule() };
                table.push(address, rule);
            }
        });
        table.push(function.end, Rule::Unknown);
    }
}

/// How an address is written: in which size, and what it is relative to.
mod encoding {
    pub(super) const SIZE: u8 = 0x0f;
    /// And whether it is the address of the address, as only a personality's is.
    pub(super) const RELATIVE: u8 = 0x70;
    pub(super) const ABSOLUTE: u8 = 0;
    pub(super) const HERE: u8 = 0x10;
}

/// Rows, sorted: address, bits of the rule from there on.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<(u32, u32)>,
}

impl Table {
    /// From `address` on the rule is this one, whatever was said before.
    #[inline]
    fn push(&mut self, address: u32, rule: Rule) {
        let rule = rule.encode();
        while let Some(last) = self.rows.last() {
            if last.0 < address {
                if last.1 == rule {
                    return;
                }
                break;
            }
            self.rows.pop();
        }
        self.rows.push((address, rule));
    }
}
