//! Where a program's streams go while a live view has the terminal.
//!
//! What it would write there goes to a file, both streams into one, in the order in which it writes. What it would read
//! there is nothing: keys are the view's. Streams that go elsewhere, and all of them when the view is on another
//! terminal, are left alone.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use crate::live::Viewer;
use crate::output::{create, shown};

/// Names that are tried: app.out, app-2.out, app-3.out, …
const MAX_NUMBER: u32 = 9999;

/// The streams that are not the command's own.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub(super) all: [Option<Arc<OwnedFd>>; 3],
    /// The file with what the program writes, if it writes on the view's terminal.
    pub(super) output: Option<PathBuf>,
}

impl Streams {
    /// Finds what is in the view's way, and other places for it: a file beside the trace.
    ///
    /// # Errors
    /// One line: what stands in the way and what to do.
    pub(super) fn out_of_the_way(viewer: &Viewer, trace: &Path) -> Result<Self, String> {
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let ours: [BorrowedFd<'_>; 3] = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
        let [reads, writes, complains] = ours.map(|stream| viewer.is_in_the_way(stream));
        let mut streams = Self::default();
        if reads {
            let nothing = File::open("/dev/null").map_err(|e| format!("/dev/null: {e}"))?;
            streams.all[0] = Some(Arc::new(nothing.into()));
        }
        if writes || complains {
            let (file, path) = open(trace)?;
            let file = Arc::new(OwnedFd::from(file));
            streams.all[1] = writes.then(|| Arc::clone(&file));
            streams.all[2] = complains.then_some(file);
            streams.output = Some(path);
        }
        Ok(streams)
    }

    /// The program was not started: leaves nothing behind.
    pub(super) fn discard(&self) {
        if let Some(path) = &self.output {
            let _ = fs::remove_file(path);
        }
    }
}

/// A new file beside the trace, named after it, to which is appended whoever writes.
fn open(trace: &Path) -> Result<(File, PathBuf), String> {
    let stem = trace.file_stem().unwrap_or(trace.as_os_str());
    for number in 1..=MAX_NUMBER {
        let mut name = stem.to_owned();
        if number > 1 {
            name.push(format!("-{number}"));
        }
        name.push(".out");
        let path = trace.with_file_name(name);
        match create(&path) {
            Ok(file) => {
                rustix::fs::fcntl_setfl(&file, OFlags::APPEND)
                    .map_err(|error| format!("cannot append to {}: {error}", shown(&path)))?;
                return Ok((file, path));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(format!(
                    "cannot write the program's output to {}: {error}; choose a place with -o",
                    shown(&path)
                ));
            }
        }
    }
    Err("too many outputs are here: choose a name with -o".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_output_is_named_after_the_trace_and_never_over_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("app-2.proftrace");
        let (mut file, path) = open(&trace).unwrap();
        assert_eq!(path, folder.path().join("app-2.out"));
        let mut again = file.try_clone().unwrap();
        file.write_all(b"one ").unwrap();
        again.write_all(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert_eq!(open(&trace).unwrap().1, folder.path().join("app-2-2.out"));
        assert!(open(&folder.path().join("no/a")).unwrap_err().contains("choose a place"));
    }
}
