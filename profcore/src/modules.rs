//! The code mapped into a process: from an instruction's address to its module.

use std::fs::File;
use std::path::Path;

/// Most ranges and bytes of a mappings list that are looked at: a program can map what it likes.
const MAX_RANGES: usize = 65_536;
/// Longest module path that is kept.
const MAX_PATH: usize = 4096;
/// The path of code that has no file.
pub(crate) const ANONYMOUS: &[u8] = b"[anonymous]";

/// Where an instruction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the interpreter's evaluation function.
    Eval,
    /// Elsewhere in the interpreter's module.
    Interpreter,
    /// In libc, libm, the loader or the vdso: called by anybody.
    Libc,
    /// In our own shim.
    Shim,
    /// In any other module.
    Foreign,
    /// In no module that is known.
    Nowhere,
    /// The event does not say where.
    Untold,
}

/// Addresses that tell the interpreter's and our shim's modules from others; 0: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anchors {
    /// Inside the interpreter's code.
    pub(crate) interpreter: u64,
    /// Parts of the evaluation function: first address, and the one after its last.
    pub(crate) eval: [(u64, u64); 2],
    /// Inside the shim's code.
    pub(crate) shim: u64,
    /// Where the code of `memmove` begins.
    pub(crate) copy: u64,
}

/// A mapped file, or a name in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Module {
    path: Vec<u8>,
    libc: bool,
}

#[derive(Clone, Copy, Debug)]
struct Range {
    start: u64,
    end: u64,
    /// Where in the file it begins.
    offset: u64,
    module: u32,
    /// Where the file's first byte is mapped; 0: not right before this.
    #[cfg_attr(not(feature = "embed"), expect(dead_code, reason = "who embeds reads it there"))]
    head: u64,
}

/// A range of addresses, and what of which file is mapped there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapped<'m> {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Of `start`, in the file.
    pub(crate) offset: u64,
    pub(crate) path: &'m [u8],
}

/// Executable ranges of a process, sorted by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modules {
    modules: Vec<Module>,
    ranges: Vec<Range>,
    anchors: Anchors,
}

impl Modules {
    /// Takes `/proc/PID/maps` in. Lines that are not of its form are passed over.
    pub(crate) fn parse(maps: &[u8]) -> Self {
        let mut found = Self::default();
        let mut begun: (u64, &[u8]) = (0, b"");
        for line in maps.split(|&b| b == b'\n') {
            if found.ranges.len() == MAX_RANGES {
                break;
            }
            let Some((start, end, offset, is_code, path)) = range(line) else { continue };
            if offset == 0 {
                begun = (start, path);
            }
            if !is_code {
                continue;
            }
            let head = if begun.1 == path { begun.0 } else { 0 };
            let module = match found.modules.iter().rposition(|m| m.path == path) {
                Some(known) => known,
                None => {
                    found.modules.push(Module { path: path.to_vec(), libc: is_libc(path) });
                    found.modules.len() - 1
                }
            };
            found.ranges.push(Range { start, end, offset, module: module as u32, head });
        }
        // The kernel lists them in order; a list from elsewhere need not.
        found.ranges.sort_by_key(|r| r.start);
        found
    }

    /// True when no range is known: the list could not be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Takes over the ranges of a newer list; the anchors stay.
    pub(crate) fn replace(&mut self, newer: Self) {
        self.modules = newer.modules;
        self.ranges = newer.ranges;
    }

    /// Sets the addresses that tell the interpreter and the shim.
    pub(crate) fn anchor(&mut self, anchors: Anchors) {
        self.anchors = anchors;
    }

    /// Where an address stands, and the path of its module (empty for [`Place::Nowhere`]).
    pub(crate) fn place(&self, pc: u64) -> (Place, &[u8]) {
        let Some(index) = self.find(pc) else { return (Place::Nowhere, b"") };
        let module = &self.modules[index];
        let same = |anchor: u64| anchor != 0 && self.find(anchor) == Some(index);
        let place = if same(self.anchors.shim) {
            Place::Shim
        } else if self.anchors.eval.iter().any(|part| (part.0..part.1).contains(&pc)) {
            Place::Eval
        } else if same(self.anchors.interpreter) {
            Place::Interpreter
        } else if module.libc {
            Place::Libc
        } else {
            Place::Foreign
        };
        (place, &module.path)
    }

    /// The name of the function that begins at an address, if nothing but its address says what it is.
    pub(crate) fn known_function(&self, begin: u64) -> Option<&'static str> {
        (begin != 0 && begin == self.anchors.copy).then_some("memmove")
    }

    /// The range that holds an address.
    pub(crate) fn mapped(&self, pc: u64) -> Option<Mapped<'_>> {
        let Range { start, end, offset, module, .. } = *self.range(pc)?;
        Some(Mapped { start, end, offset, path: &self.modules[module as usize].path })
    }

    /// Where the first byte of the file is mapped that is mapped at `pc`: right before, as the loader does it.
    #[cfg(feature = "embed")]
    pub(crate) fn head(&self, pc: u64) -> Option<u64> {
        self.range(pc).map(|range| range.head).filter(|&head| head != 0)
    }

    /// First addresses of all ranges.
    pub(crate) fn starts(&self) -> impl Iterator<Item = u64> {
        self.ranges.iter().map(|range| range.start)
    }

    /// Every file, by its first range.
    pub(crate) fn files(&self) -> impl Iterator<Item = Mapped<'_>> {
        let mut seen = vec![false; self.modules.len()];
        let first =
            move |range: &&Range| !std::mem::replace(&mut seen[range.module as usize], true);
        self.ranges.iter().filter(first).filter_map(|range| self.mapped(range.start))
    }

    /// An address in the interpreter's module, and the module's path; empty when there is none.
    pub(crate) fn interpreter(&self) -> (u64, &[u8]) {
        let anchor = self.anchors.interpreter;
        (anchor, self.find(anchor).map_or(b"", |index| &self.modules[index].path))
    }

    fn find(&self, pc: u64) -> Option<usize> {
        Some(self.range(pc)?.module as usize)
    }

    fn range(&self, pc: u64) -> Option<&Range> {
        let after = self.ranges.partition_point(|r| r.start <= pc);
        self.ranges[..after].last().filter(|range| pc < range.end)
    }
}

/// Start, end, offset and path of a line's range, and whether it is executable. One that is not is told only if a file
/// begins there: most of a large program's are its data.
fn range(line: &[u8]) -> Option<(u64, u64, u64, bool, &[u8])> {
    let mut rest = line;
    let mut field = || {
        let end = rest.iter().position(|&b| b == b' ').unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail.trim_ascii_start();
        word
    };
    let addresses = field();
    let permissions = field();
    let (offset, _device, _inode) = (field(), field(), field());
    let is_code = permissions.get(2) == Some(&b'x');
    if !is_code && (rest.is_empty() || offset.iter().any(|&digit| digit != b'0')) {
        return None;
    }
    let dash = addresses.iter().position(|&b| b == b'-')?;
    let start = hex(&addresses[..dash])?;
    let end = hex(&addresses[dash + 1..])?;
    let path = if rest.is_empty() { ANONYMOUS } else { &rest[..rest.len().min(MAX_PATH)] };
    (start < end).then_some((start, end, hex(offset)?, is_code, path))
}

fn hex(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Opens the file of a module. No pipe or device: opening one can wait, and reading one can do anything.
pub(crate) fn open(path: &Path) -> Option<File> {
    let regular = path.metadata().is_ok_and(|metadata| metadata.is_file());
    regular.then(|| File::open(path).ok())?
}

/// The part of a path after the last slash.
pub(crate) fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

/// True for the C library's family, the loader and the kernel's own code page.
fn is_libc(path: &[u8]) -> bool {
    const STEMS: [&[u8]; 9] = [
        b"libc",
        b"libm",
        b"libmvec",
        b"libpthread",
        b"libdl",
        b"librt",
        b"ld",
        b"ld64",
        b"ld-linux",
    ];
    let name = file_name(path);
    if matches!(name, b"[vdso]" | b"[vsyscall]") || name.starts_with(b"ld-linux-") {
        return true;
    }
    // libc.so.6, libc-2.31.so, ld-2.31.so, ld-musl-x86_64.so.1; but not libcrypto.so, libc++.so.
    let end = name.iter().position(|&b| b == b'.' || b == b'-').unwrap_or(name.len());
    let (stem, tail) = name.split_at(end);
    STEMS.contains(&stem)
        && (tail.starts_with(b".so")
            || tail.starts_with(b"-musl")
            || tail.get(1).is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &[u8] = b"\
55d000000000-55d000001000 r--p 00000000 00:1c 11 /usr/bin/python3.11
55d000001000-55d000300000 r-xp 00001000 00:1c 11                         /usr/bin/python3.11
7f0000000000-7f0000010000 r-xp 00001000 00:1c 12 /opt/with space/libz.so.1.2.13
7f0000020000-7f0000030000 r-xp 00001000 00:1c 13 /usr/lib/x86_64-linux-gnu/libc.so.6
7f0000040000-7f0000050000 r-xp 00001000 00:1c 14 /opt/prof/libprofshim.so
7f0000060000-7f0000061000 rwxp 00000000 00:00 0 \n\
7fff00000000-7fff00002000 r-xp 00000000 00:00 0                          [vdso]
nonsense
zzzz-1 r-xp 0 0 0 x
5-4 r-xp 0 0 0 x
";

    fn modules() -> Modules {
        let mut modules = Modules::parse(MAPS);
        modules.anchor(Anchors {
            interpreter: 0x55d000002000,
            eval: [(0x55d000010000, 0x55d000018000), (0x55d000003000, 0x55d000004000)],
            shim: 0x7f0000041000,
            copy: 0x7f0000021000,
        });
        modules
    }

    #[test]
    fn a_function_without_a_name_is_known_by_where_it_begins() {
        let modules = modules();
        assert_eq!(modules.known_function(0x7f0000021000), Some("memmove"));
        assert_eq!(modules.known_function(0x7f0000021001), None);
        assert_eq!(Modules::parse(MAPS).known_function(0), None, "nobody said where");
    }

    #[test]
    fn addresses_find_their_module() {
        let modules = modules();
        let at = |pc| {
            let (place, path) = modules.place(pc);
            (place, String::from_utf8_lossy(path).into_owned())
        };
        assert_eq!(at(0x55d000010000), (Place::Eval, "/usr/bin/python3.11".into()));
        assert_eq!(at(0x55d000003fff).0, Place::Eval, "its other part");
        assert_eq!(at(0x55d000004000).0, Place::Interpreter);
        assert_eq!(at(0x55d000018000), (Place::Interpreter, "/usr/bin/python3.11".into()));
        assert_eq!(at(0x7f0000000000), (Place::Foreign, "/opt/with space/libz.so.1.2.13".into()));
        assert_eq!(at(0x7f0000020001).0, Place::Libc);
        assert_eq!(at(0x7f0000040000).0, Place::Shim);
        assert_eq!(at(0x7f0000060000), (Place::Foreign, "[anonymous]".into()));
        assert_eq!(at(0x7fff00000000).0, Place::Libc);
        assert_eq!(modules.interpreter().1, b"/usr/bin/python3.11");
        let mapped = modules.mapped(0x7f0000020001).unwrap();
        assert_eq!((mapped.start, mapped.end), (0x7f0000020000, 0x7f0000030000));
        assert_eq!(
            (mapped.offset, mapped.path),
            (0x1000, &b"/usr/lib/x86_64-linux-gnu/libc.so.6"[..])
        );
        assert_eq!(modules.mapped(0x7f0000030000), None);
        let files: Vec<u64> = modules.files().map(|file| file.start).collect();
        assert_eq!(files.len(), 6, "each once: {files:x?}");
    }

    #[cfg(feature = "embed")]
    #[test]
    fn the_beginning_of_a_file_is_known_where_it_is_mapped() {
        let modules = modules();
        assert_eq!(modules.head(0x55d000010000), Some(0x55d000000000));
        assert_eq!(modules.head(0x7f0000000000), None, "only a part of it is mapped");
        assert_eq!(modules.head(0x7fff00000000), Some(0x7fff00000000), "it begins with its code");
        assert_eq!(modules.head(0), None);
    }

    #[test]
    fn gaps_and_edges_are_nowhere() {
        let modules = modules();
        for pc in [0, 4, 0x55d000000fff, 0x7f0000010000, 0x7f0000030000, u64::MAX] {
            assert_eq!(modules.place(pc), (Place::Nowhere, &b""[..]), "{pc:#x}");
        }
        assert!(Modules::parse(b"").is_empty());
    }

    #[test]
    fn without_anchors_an_interpreter_is_a_module_like_others() {
        assert_eq!(Modules::parse(MAPS).place(0x55d000010000).0, Place::Foreign);
    }

    #[test]
    fn the_libc_family_by_name() {
        for name in [
            "/lib/libc.so.6",
            "/lib/libc-2.31.so",
            "/lib/libm.so.6",
            "/lib/libmvec.so.1",
            "/lib/ld-2.31.so",
            "/lib64/ld-linux-x86-64.so.2",
            "/lib/ld-musl-x86_64.so.1",
            "[vdso]",
        ] {
            assert!(is_libc(name.as_bytes()), "{name}");
        }
        for name in
            ["/lib/libcrypto.so.3", "/lib/libc++.so.1", "/lib/libmpdec.so.3", "/opt/ld", "libc"]
        {
            assert!(!is_libc(name.as_bytes()), "{name}");
        }
    }
}
