//! What executable files say: how to unwind their frames, and what is at an address.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use object::read::elf::ElfFile64;
use object::{LittleEndian, ReadCache, ReadRef};

use super::intake::Helper;
use crate::binaries::Code;
pub(crate) use crate::binaries::Named;
use crate::{binaries, call_frames, modules};

/// An executable file or library.
#[derive(Debug, Default)]
pub(crate) struct Binary {
    /// Unwind rules: offset from the load base, bits of a rule.
    pub(crate) rows: Vec<(u32, u32)>,
    /// Empty when it has none.
    pub(crate) build_id: Box<[u8]>,
    /// Where functions begin by call frame information, whether they have a name or not; sorted.
    begins: Vec<u32>,
    code: Code,
}

impl Binary {
    /// Reads a file. Whatever cannot be read is missing from the result.
    fn open(path: &Path) -> Self {
        Self::read(path).unwrap_or_default()
    }

    fn read(path: &Path) -> Option<Self> {
        let cache = ReadCache::new(modules::open(path)?);
        let elf = ElfFile64::parse(&cache).ok()?;
        let mut binary = Self::of(&elf);
        binary.code.read_debug(&elf, path);
        Some(binary)
    }

    /// Reads a file's content, without its debug information.
    pub(crate) fn parse<'d, R: ReadRef<'d>>(data: R) -> Option<Self> {
        Some(Self::of(&ElfFile64::parse(data).ok()?))
    }

    fn of<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, LittleEndian, R>) -> Self {
        let (rows, begins) = call_frames::rows(elf);
        Self { rows, build_id: binaries::build_id(elf), begins, code: Code::read(elf) }
    }

    /// The file's own address of the code at an offset in the file.
    pub(crate) fn address(&self, offset: u64) -> Option<u64> {
        self.code.address(offset)
    }

    /// The functions at an address, innermost inlined one first; empty when it is in none that has a name.
    pub(crate) fn functions(&self, address: u64) -> Vec<Named> {
        self.code.functions(address)
    }

    /// Where the function at an address begins, by call frame information, which is never stripped.
    pub(crate) fn begin(&self, address: u64) -> Option<u64> {
        let after = self.begins.partition_point(|&begin| u64::from(begin) <= address);
        Some(self.begins[after.checked_sub(1)?].into())
    }
}

/// Files read so far, for all processes of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Binaries {
    known: Rc<RefCell<HashMap<PathBuf, Rc<Binary>>>>,
    helper: Helper,
}

impl Binaries {
    /// Reading files takes long, and so may looking into them: `helper` is told.
    pub(crate) fn of(helper: Helper) -> Self {
        Self { known: Rc::default(), helper }
    }

    /// The file at `path` as the process at `root` sees it.
    pub(crate) fn get(&self, root: &Path, path: &Path) -> Rc<Binary> {
        self.helper.is_wanted();
        let (key, read) = found(root, path);
        self.known.borrow_mut().entry(key).or_insert_with(|| Rc::new(Binary::open(&read))).clone()
    }

    /// Its build id alone, empty when it has none: for that, no more is read of a file that nothing was looked up in.
    pub(crate) fn build_id(&self, root: &Path, path: &Path) -> Box<[u8]> {
        let (key, read) = found(root, path);
        if let Some(binary) = self.known.borrow().get(&key) {
            return binary.build_id.clone();
        }
        let data = modules::open(&read).map(ReadCache::new);
        let elf = data.as_ref().and_then(|data| ElfFile64::parse(data).ok());
        elf.map_or_else(Box::default, |elf| binaries::build_id(&elf))
    }
}

/// What names a file for all processes, and where it can be read.
fn found(root: &Path, path: &Path) -> (PathBuf, PathBuf) {
    // The whole path, so that another root's files are others.
    let there = root.join(path.strip_prefix("/").unwrap_or(path));
    match there.canonicalize() {
        Ok(real) => (real, there),
        // The process is gone, and its root with it.
        Err(_) => (path.to_owned(), path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Binary {
        Binary::open(&std::env::current_exe().unwrap())
    }

    #[inline(never)]
    extern "C" fn landmark() -> u32 {
        line!()
    }

    #[test]
    fn this_test_finds_itself() {
        let binary = own();
        let line = landmark();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let pc = landmark as *const () as u64;
        let (start, offset) = maps
            .lines()
            .find_map(|l| {
                let mut fields = l.split_whitespace();
                let (start, end) = fields.next()?.split_once('-')?;
                let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
                let offset = u64::from_str_radix(fields.nth(1)?, 16).unwrap();
                (start..end).contains(&pc).then_some((start, offset))
            })
            .unwrap();
        let address = binary.address(offset + (pc - start)).unwrap();
        let found = binary.functions(address);
        let innermost = &found[0];
        assert!(innermost.name.ends_with("landmark"), "{found:?}");
        let (file, at) = innermost.source.clone().unwrap();
        assert!(file.ends_with("binaries.rs"), "{file}");
        assert!(at.abs_diff(line) <= 2, "{at} is near {line}");
        assert!(!binary.rows.is_empty());
    }

    /// Against the notes as `readelf` tells them, whether all of the file was read or no more than that.
    #[test]
    fn build_ids_are_those_of_the_notes() {
        let binaries = Binaries::default();
        for path in ["/bin/true", std::env::current_exe().unwrap().to_str().unwrap()] {
            let Ok(told) = std::process::Command::new("readelf").args(["-n", path]).output() else {
                return crate::cpython::interpreters::skip("no readelf");
            };
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            let [root, path] = ["/", path].map(Path::new);
            let alone = binaries.build_id(root, path);
            assert_eq!(alone, binaries.get(root, path).build_id);
            assert_eq!(alone, binaries.build_id(root, path));
            let digits: String = alone.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                digits.len() >= 16 && told.contains(&format!("Build ID: {digits}\n")),
                "{told}"
            );
        }
        for path in ["/dev/null", "/nowhere", "/"] {
            assert!(binaries.build_id(Path::new("/"), Path::new(path)).is_empty(), "{path}");
        }
    }

    #[test]
    fn what_is_no_binary_is_empty() {
        for path in ["/dev/null", "/proc/self/maps", "/nowhere", "/"] {
            let binary = Binary::open(Path::new(path));
            assert!(binary.rows.is_empty() && binary.functions(0).is_empty(), "{path}");
            assert_eq!(binary.address(0), None);
        }
        assert!(Binary::parse(&b"\x7fELF\x02\x01\x01 and nothing more"[..]).is_none());
    }

    #[test]
    fn cut_and_broken_files_are_survived() {
        let bytes = std::fs::read("/bin/true").unwrap();
        for cut in (0..bytes.len()).step_by(997) {
            let _ = Binary::parse(&bytes[..cut]);
        }
        let mut broken = bytes.clone();
        for at in (0..bytes.len()).step_by(331) {
            broken[at] ^= 0xff;
            if at % 5 == 0 {
                let _ = Binary::parse(&broken[..]);
            }
        }
    }
}
