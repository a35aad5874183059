//! Unwind tables for the process's own handlers: made when a stack has first passed a file's code.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use object::read::elf::{ElfFile64, ProgramHeader};
use object::{LittleEndian, ReadCache, ReadRef, elf};

use crate::call_frames;
use crate::modules::{Mapped, Modules};
use crate::session::Session;
use crate::unwind::Tables;

/// The kernel's own code page has no file.
const VDSO: &[u8] = b"[vdso]";
/// Most bytes of it.
const MAX_VDSO: u64 = 1 << 20;
/// Nanoseconds between two looks at the mappings: a library may be unloaded, and another take its place.
const LOOK: u64 = 1_000_000_000;
const PAGE: u64 = 4096;

/// A range of code whose table was published.
#[derive(Debug)]
struct Published {
    number: usize,
    start: u64,
    end: u64,
    offset: u64,
    path: Vec<u8>,
    /// Not withdrawn.
    counts: bool,
}

impl Published {
    fn is(&self, mapped: &Mapped<'_>) -> bool {
        (self.start, self.end, self.offset) == (mapped.start, mapped.end, mapped.offset)
            && self.path == mapped.path
    }
}

/// The tables of the process's code.
#[derive(Debug, Default)]
pub(super) struct Code {
    modules: Modules,
    published: Vec<Published>,
    looked: u64,
}

impl Code {
    /// Publishes the tables that handlers asked for, and withdraws those of code that is gone. True if any was.
    pub(super) fn tend(&mut self, session: Session, now: u64) -> bool {
        let tables = Tables::of(session);
        let wanted: Vec<u64> = tables.take_wanted().collect();
        let is_due = now.saturating_sub(self.looked) >= LOOK && !self.published.is_empty();
        if wanted.is_empty() && !is_due {
            return false;
        }
        self.looked = now;
        self.modules = Modules::parse(&fs::read("/proc/self/maps").unwrap_or_default());
        if !self.modules.is_empty() {
            self.withdraw(tables);
        }
        for pc in &wanted {
            self.publish(tables, *pc);
        }
        !wanted.is_empty()
    }

    fn publish(&mut self, tables: Tables, pc: u64) {
        let Some(mapped) = self.modules.mapped(pc) else { return };
        if let Some(known) = self.published.iter_mut().find(|known| known.is(&mapped)) {
            if !std::mem::replace(&mut known.counts, true) {
                tables.bring_back(known.number, known.end);
            }
            return;
        }
        let (base, rows) = rows(&mapped, pc).unwrap_or((mapped.start, Vec::new()));
        let Mapped { start, end, offset, path } = mapped;
        let number = tables.published();
        if tables.publish(start..end, base, &rows) {
            let path = path.to_vec();
            self.published.push(Published { number, start, end, offset, path, counts: true });
        }
    }

    fn withdraw(&mut self, tables: Tables) {
        for known in self.published.iter_mut().filter(|known| known.counts) {
            let still = self.modules.mapped(known.start).is_some_and(|mapped| known.is(&mapped));
            if !still {
                known.counts = false;
                tables.withdraw(known.number, known.start);
            }
        }
    }
}

/// Where address 0 of the file lies that is mapped at `pc`, and its unwind rows.
fn rows(mapped: &Mapped<'_>, pc: u64) -> Option<(u64, Vec<(u32, u32)>)> {
    let offset = mapped.offset.checked_add(pc - mapped.start)?;
    let (address, rows) = if mapped.path == VDSO {
        let mut bytes = vec![0; (mapped.end - mapped.start).min(MAX_VDSO) as usize];
        File::open("/proc/self/mem").ok()?.read_exact_at(&mut bytes, mapped.start).ok()?;
        rows_of(&bytes[..], offset)?
    } else {
        let path = std::ffi::OsStr::from_bytes(mapped.path);
        let file = File::open(path).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        rows_of(&ReadCache::new(file), offset)?
    };
    Some((pc.wrapping_sub(address), rows))
}

/// The file's own address of the code at an offset in it, and its unwind rows.
fn rows_of<'d, R: ReadRef<'d>>(data: R, offset: u64) -> Option<(u64, Vec<(u32, u32)>)> {
    let file = ElfFile64::<LittleEndian, R>::parse(data).ok()?;
    let endian = LittleEndian;
    let header = file.elf_program_headers().iter().find(|header| {
        let start = header.p_offset(endian);
        header.p_type(endian) == elf::PT_LOAD
            && header.p_flags(endian).contains(elf::PF_X)
            && (start / PAGE * PAGE..start.saturating_add(header.p_filesz(endian)))
                .contains(&offset)
    })?;
    let address = header.p_vaddr(endian).wrapping_add(offset).wrapping_sub(header.p_offset(endian));
    Some((address, call_frames::rows(&file).0))
}
