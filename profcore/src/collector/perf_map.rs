//! Names for machine code that a program made while it ran: the map that compilers of that kind leave for profilers.
//!
//! `/tmp/perf-PID.map`, as Linux's `perf` reads it: a line for each function, `START SIZE NAME`, both numbers in hex
//! without a prefix. The process id is the one that the process sees itself. A line may come when the code has run
//! already, and one for the same place again: the last one holds.
//!
//! The folder is everybody's. So a map counts only if it is a regular file of the process's user, no link, and no more
//! than so long; and it is opened in a way that no FIFO can hold us up.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::procfs;

/// Longest map that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;
/// Longest line; a map with a longer one is read up to it.
const MAX_LINE: u64 = 4096;
/// Most functions.
const MAX_FUNCTIONS: usize = 1 << 18;

/// The map of one process, read as far as it was written when a name was last asked for.
#[derive(Debug)]
pub(crate) struct PerfMap {
    /// As the process sees it, and as we do: the first is gone when the process is.
    paths: [PathBuf; 2],
    user: Option<u32>,
    /// Bytes taken in: whole lines.
    read: u64,
    /// Start to end and name.
    functions: BTreeMap<u64, (u64, String)>,
}

impl PerfMap {
    pub(crate) fn of(pid: u32) -> Self {
        let inside = procfs::own_pid(pid).unwrap_or(pid);
        Self::at(
            [
                format!("/proc/{pid}/root/tmp/perf-{inside}.map").into(),
                format!("/tmp/perf-{inside}.map").into(),
            ],
            procfs::user(pid),
        )
    }

    fn at(paths: [PathBuf; 2], user: Option<u32>) -> Self {
        Self { paths, user, read: 0, functions: BTreeMap::new() }
    }

    /// The function at an address, if the map has it.
    pub(crate) fn function(&mut self, pc: u64) -> Option<&str> {
        if self.known(pc).is_none() {
            self.read_on();
        }
        self.known(pc)
    }

    fn known(&self, pc: u64) -> Option<&str> {
        let (_, (end, name)) = self.functions.range(..=pc).next_back()?;
        (pc < *end).then_some(name)
    }

    /// Takes in what was written since.
    fn read_on(&mut self) {
        let Some((file, bytes)) = self.open() else { return };
        if bytes < self.read {
            // Another map in its place.
            self.read = 0;
            self.functions.clear();
        }
        let mut lines = BufReader::new(file);
        if bytes == self.read || lines.seek(SeekFrom::Start(self.read)).is_err() {
            return;
        }
        let mut line = Vec::new();
        while self.functions.len() < MAX_FUNCTIONS && self.read < MAX_BYTES {
            line.clear();
            let mut limited = std::io::Read::take(&mut lines, MAX_LINE);
            if limited.read_until(b'\n', &mut line).is_err() || line.pop() != Some(b'\n') {
                // The rest of this line is still to be written, or it is none.
                return;
            }
            self.read += line.len() as u64 + 1;
            if let Some((start, end, name)) = parse(&line) {
                self.functions.insert(start, (end, name));
            }
        }
    }

    fn open(&self) -> Option<(File, u64)> {
        let user = self.user?;
        self.paths.iter().find_map(|path| {
            let file = open(path)?;
            let metadata = file.metadata().ok()?;
            (metadata.is_file() && metadata.uid() == user).then_some((file, metadata.len()))
        })
    }
}

fn open(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    Some(rustix::fs::open(path, flags | OFlags::NOCTTY, Mode::empty()).ok()?.into())
}

/// Start, end and name of a line.
fn parse(line: &[u8]) -> Option<(u64, u64, String)> {
    let line = std::str::from_utf8(line).ok()?;
    let (start, rest) = line.split_once(' ')?;
    let (size, name) = rest.split_once(' ')?;
    let start = u64::from_str_radix(start.trim_start_matches("0x"), 16).ok()?;
    let size = u64::from_str_radix(size.trim_start_matches("0x"), 16).ok()?;
    let end = start.checked_add(size)?;
    let name = name.trim();
    (start < end && !name.is_empty()).then(|| (start, end, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn map_at(path: &Path) -> PerfMap {
        let user = rustix::process::geteuid().as_raw();
        PerfMap::at(["/nowhere".into(), path.to_owned()], Some(user))
    }

    #[test]
    fn a_map_is_read_as_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("perf-1.map");
        let mut map = map_at(&path);
        assert_eq!(map.function(0x1000), None, "not there yet");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"1000 20 first\nnonsense\n2000 0 empty\n0x3000 0x10 void f(int, char)\n40")
            .unwrap();
        assert_eq!(map.function(0x1000), Some("first"));
        assert_eq!(map.function(0x101f), Some("first"));
        assert_eq!(map.function(0x1020), None, "behind its end");
        assert_eq!(map.function(0x2000), None, "of no bytes");
        assert_eq!(map.function(0x3001), Some("void f(int, char)"));
        file.write_all(b"00 10 half a line at first\n1000 8 again\n").unwrap();
        assert_eq!(map.function(0x4000), Some("half a line at first"));
        assert_eq!(map.function(0x1000), Some("again"), "the last one holds");
        assert_eq!(map.function(0x1008), None);
        std::fs::write(&path, "5000 10 short\n").unwrap();
        assert_eq!(map.function(0x5000), Some("short"), "another map in its place");
        assert_eq!(map.function(0x4000), None);
    }

    #[test]
    fn only_a_regular_file_of_the_same_user_counts() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        std::fs::write(&real, "1000 20 f\n").unwrap();
        assert_eq!(map_at(&real).function(0x1000), Some("f"));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(map_at(&link).function(0x1000), None, "a link");
        assert_eq!(map_at(folder.path()).function(0x1000), None, "a folder");
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(map_at(&fifo).function(0x1000), None, "a FIFO, which nobody writes to");
        let mut others = map_at(&real);
        others.user = others.user.map(|user| user + 1);
        assert_eq!(others.function(0x1000), None, "somebody else's");
    }

    #[test]
    fn odd_lines_are_passed_over() {
        for line in [
            "",
            " ",
            "1000",
            "1000 20",
            "1000 20 ",
            "x 20 f",
            "1000 x f",
            "ffffffffffffffff 2 over the end",
            "10000000000000000 1 too large",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
        assert_eq!(parse(b"1000 20 \xff"), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        let long = "x".repeat(2 * MAX_LINE as usize);
        std::fs::write(&path, format!("1000 20 f\n2000 20 {long}\n3000 20 g\n")).unwrap();
        let mut map = map_at(&path);
        assert_eq!(map.function(0x3000), None);
        assert_eq!(map.function(0x1000), Some("f"), "up to the line that is none");
    }
}
