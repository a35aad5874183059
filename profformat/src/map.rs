//! Traces are read mapped.

use std::cell::Cell;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use memmap2::UncheckedAdvice;

use crate::error::Error;

/// A file as bytes. Dereferences to `[u8]`.
#[derive(Debug)]
pub struct Mapped(Option<memmap2::Mmap>, Cell<usize>);

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Pages of a mapping are let go of in steps of this many bytes.
const STEP: usize = 16 << 20;

impl Mapped {
    /// Lets go of the pages before `offset`, so that a file that is read from front to end takes no more memory
    /// than a piece of it. Bytes that are read again are read from the file again.
    pub fn release_before(&self, offset: usize) {
        let Some(map) = &self.0 else { return };
        let end = offset.min(map.len()) / STEP * STEP;
        let before = self.1.replace(end);
        let begin = if before <= end { before } else { 0 };
        if begin == end {
            return;
        }
        // SAFETY: dropping pages of a read-only file mapping loses nothing, the next access reads them from the
        // file; so slices of it stay valid and keep their content, as long as nobody changes the file, which is
        // the condition of the mapping itself (see `open`).
        let released =
            unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, begin, end - begin) };
        // Memory that could not be let go of is only memory.
        let _ = released;
    }
}

/// A path for an error message: foreign text, so nothing in it may steer a terminal.
fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// Maps a regular file for reading. The error names the path.
pub fn open(path: &Path) -> Result<Mapped, Error> {
    let fail = |error: std::io::Error| Error::Open { path: shown(path), reason: error.to_string() };
    // A pipe or a device has no length that could be mapped, and to open one can take for ever.
    let refuse = || fail(std::io::Error::other("it is not a regular file"));
    if !std::fs::metadata(path).map_err(fail)?.is_file() {
        return Err(refuse());
    }
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err(refuse());
    }
    if metadata.len() == 0 {
        return Ok(Mapped(None, Cell::new(0)));
    }
    // SAFETY: the mapping is private to reading and is never written through. The one hazard left is another
    // process that shortens the file while it is mapped: that ends this process by SIGBUS, it cannot
    // break memory safety, and the collector never shortens a trace.
    let map = unsafe { memmap2::Mmap::map(&file) }.map_err(fail)?;
    Ok(Mapped(Some(map), Cell::new(0)))
}
