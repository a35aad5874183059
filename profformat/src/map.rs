//! Traces are read mapped.

use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use crate::error::Error;

/// A file as bytes. Dereferences to `[u8]`.
#[derive(Debug)]
pub struct Mapped(Option<memmap2::Mmap>);

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// A path for an error message: foreign text, so nothing in it may steer a terminal.
fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// Maps a regular file for reading. The error names the path.
pub fn open(path: &Path) -> Result<Mapped, Error> {
    let fail = |error: std::io::Error| Error::Open { path: shown(path), reason: error.to_string() };
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        // A pipe or a device has no length that could be mapped.
        return Err(fail(std::io::Error::other("it is not a regular file")));
    }
    if metadata.len() == 0 {
        return Ok(Mapped(None));
    }
    // SAFETY: the mapping is private to reading and is never written through. The one hazard left is another
    // process that shortens the file while it is mapped: that ends this process by SIGBUS, it cannot
    // break memory safety, and the collector never shortens a trace.
    let map = unsafe { memmap2::Mmap::map(&file) }.map_err(fail)?;
    Ok(Mapped(Some(map)))
}
