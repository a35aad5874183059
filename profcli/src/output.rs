//! Files that commands write: new, their owner's alone, whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use profformat::export::escape::escape;

/// Names that are tried for a file that will take another's place.
const MAX_NUMBER: u32 = 9999;

/// Longest path in a message, in bytes; no file has a longer one.
const LONGEST_SHOWN: usize = 4096;

/// A path as a terminal may be shown it.
pub(crate) fn shown(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    match bytes.get(..LONGEST_SHOWN) {
        Some(start) => escape(start) + "…",
        None => escape(bytes),
    }
}

/// What may be in an output's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replace {
    /// Nothing, and there is no option that would change that.
    Never,
    /// Nothing: `--force` was not given.
    Unforced,
    /// A regular file.
    File,
    /// A trace of this user's.
    Trace,
}

/// Why an output was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{} is there already: give another name", shown(.0))]
    Exists(PathBuf),
    #[error("{} is there already: give another name, or --force to replace it", shown(.0))]
    Unforced(PathBuf),
    #[error("{} is not a regular file: it is not replaced", shown(.0))]
    Special(PathBuf),
    #[error("{} is not a trace of yours: --force does not replace it", shown(.0))]
    NotOurs(PathBuf),
    #[error("{} is what is read: give another name", shown(.0))]
    Input(PathBuf),
    #[error("cannot write {}: {error}", shown(path))]
    Write { path: PathBuf, error: io::Error },
}

/// Says no before the inputs are read, which can take a while.
pub(crate) fn refuse<P: AsRef<Path>>(
    path: &Path,
    replace: Replace,
    inputs: &[P],
) -> Result<(), Refusal> {
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    match replace {
        Replace::Never => return Err(Refusal::Exists(path.into())),
        Replace::Unforced => return Err(Refusal::Unforced(path.into())),
        Replace::File | Replace::Trace => {}
    }
    let same = |input: &P| {
        let input = fs::metadata(input.as_ref());
        input.is_ok_and(|input| (input.dev(), input.ino()) == (there.dev(), there.ino()))
    };
    if !there.is_file() {
        Err(Refusal::Special(path.into()))
    } else if inputs.iter().any(same) {
        Err(Refusal::Input(path.into()))
    } else if replace == Replace::Trace && !is_our_trace(path) {
        Err(Refusal::NotOurs(path.into()))
    } else {
        Ok(())
    }
}

/// An output that is being written. It is removed unless it is [kept](Self::keep): half an output is none.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    path: PathBuf,
    /// Where the file really is while something else has its place.
    temporary: Option<PathBuf>,
    kept: bool,
}

impl Output {
    /// Opens a file for writing. What it replaces stays until it is whole.
    pub(crate) fn open<P: AsRef<Path>>(
        path: &Path,
        replace: Replace,
        inputs: &[P],
    ) -> Result<Self, Refusal> {
        refuse(path, replace, inputs)?;
        let fail = |error| Refusal::Write { path: path.into(), error };
        let (file, temporary) = match create(path) {
            Ok(file) => (file, None),
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(fail(error)),
            Err(_) => {
                // Something can have come there since it was looked at.
                refuse(path, replace, inputs)?;
                let (file, temporary) = create_beside(path).map_err(fail)?;
                (file, Some(temporary))
            }
        };
        Ok(Self { file, path: path.into(), temporary, kept: false })
    }

    /// Where to write to.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// It is whole: takes its place.
    pub(crate) fn keep(mut self) -> Result<(), Refusal> {
        if let Some(temporary) = &self.temporary {
            let moved = fs::rename(temporary, &self.path);
            moved.map_err(|error| Refusal::Write { path: self.path.clone(), error })?;
        }
        self.kept = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.kept {
            // That it cannot be removed is no news of its own.
            let _ = fs::remove_file(self.temporary.as_ref().unwrap_or(&self.path));
        }
    }
}

/// Makes a file that is not there yet, readable for its owner only.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    // create_new is O_EXCL, which follows no link either; O_CLOEXEC is the standard library's habit.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .custom_flags(libc::O_NOFOLLOW)
        .mode(0o600)
        .open(path)
}

/// Makes a file in the same folder, which will take the place of `path`.
pub(crate) fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let process = std::process::id();
    for number in 1..MAX_NUMBER {
        let beside = path.with_file_name(format!(".prof-{process}-{number}.new"));
        match create(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (file, beside)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// True for a regular file of this user that begins as a trace.
pub(crate) fn is_our_trace(path: &Path) -> bool {
    let open = || -> io::Result<bool> {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let found = file.metadata()?;
        if !found.is_file() || found.uid() != rustix::process::geteuid().as_raw() {
            return Ok(false);
        }
        let mut start = Vec::new();
        file.take(64 * 1024).read_to_end(&mut start)?;
        Ok(profformat::TraceReader::new(&start).is_ok())
    };
    open().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_is_not_kept_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        fs::write(&path, "dear reader").unwrap();
        let none: [&Path; 0] = [];
        drop(Output::open(&path, Replace::File, &none).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"dear reader");
        Output::open(&path, Replace::File, &none).unwrap().keep().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_must_not_be_replaced_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        fs::write(&path, "dear reader").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let said = |path: &Path, replace, input: &Path| {
            Output::open(path, replace, &[input]).unwrap_err().to_string()
        };
        assert!(said(&path, Replace::Never, &link).contains("give another name"));
        assert!(said(&path, Replace::Unforced, &link).contains("--force"));
        assert!(said(&path, Replace::File, &link).contains("is what is read"));
        assert!(said(&path, Replace::Trace, folder.path()).contains("not a trace of yours"));
        assert!(said(&link, Replace::File, folder.path()).contains("not a regular file"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
