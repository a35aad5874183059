//! The file of a trace, in which each write is whole or not there: a full disk leaves no half chunk.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;

/// A regular file that is written from its beginning. The trace's writer gives it one chunk at a time.
#[derive(Debug)]
pub struct TraceFile {
    file: File,
    /// Where whole writes end.
    end: u64,
}

impl TraceFile {
    /// Writes to an empty file.
    pub fn new(file: File) -> Self {
        Self { file, end: 0 }
    }
}

impl Write for TraceFile {
    /// Takes all of the bytes. After an error the file is as long as before.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut at = self.end;
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.file.write_at(rest, at) {
                Ok(0) => return self.cut(ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    rest = &rest[taken..];
                    at += taken as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.cut(error),
            }
        }
        self.end = at;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TraceFile {
    fn cut(&self, error: io::Error) -> io::Result<usize> {
        // A file that cannot be cut ends in half a chunk, which readers pass over.
        let _ = self.file.set_len(self.end);
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, SealFlags};

    /// A file that can hold two pages and no more.
    fn two_pages() -> File {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create(c"two-pages", flags).unwrap();
        rustix::fs::ftruncate(&memory, 8192).unwrap();
        rustix::fs::fcntl_add_seals(&memory, SealFlags::GROW).unwrap();
        memory.into()
    }

    #[test]
    fn what_does_not_fit_is_not_there() {
        let mut out = TraceFile::new(two_pages());
        assert_eq!(out.write(&[1; 5000]).unwrap(), 5000);
        let length = |out: &TraceFile| out.file.metadata().unwrap().len();
        assert_eq!(length(&out), 8192);
        // The kernel takes what fits into the second page, and refuses the rest.
        assert!(out.write(&[2; 5000]).is_err());
        assert_eq!(length(&out), 5000, "the beginning of the second write is gone again");
        let mut kept = vec![0; 5000];
        out.file.read_exact_at(&mut kept, 0).unwrap();
        assert!(kept.iter().all(|&byte| byte == 1));
    }
}
