//! The trace, read on as it grows.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use profformat::analysis::live::Live;
use profformat::follow::Follower;

/// Bytes that are read at once, and between two looks at the keys.
const PIECE: usize = 256 << 10;
const PORTION: usize = 8 << 20;

/// A trace and what it says so far.
#[derive(Debug)]
pub(super) struct Feed {
    file: File,
    /// Bytes that were read.
    pub(super) at: u64,
    pub(super) follower: Follower,
    pub(super) live: Live,
    piece: Vec<u8>,
}

/// Why a trace cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Trace(#[from] profformat::Error),
}

impl Feed {
    /// Opens a trace. A pipe or a device is none: to open one can take for ever.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let (follower, live) = (Follower::new(), Live::new());
        Ok(Self { file, at: 0, follower, live, piece: vec![0; PIECE] })
    }

    /// Reads what has come; true if there is more.
    pub(super) fn read(&mut self) -> Result<bool, FeedError> {
        let end = self.at + PORTION as u64;
        while self.at < end {
            let length = match self.file.read_at(&mut self.piece, self.at) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if length == 0 {
                return Ok(false);
            }
            self.at += length as u64;
            let live = &mut self.live;
            self.follower.read(&self.piece[..length], |block, tables| live.block(block, tables))?;
        }
        Ok(true)
    }
}
