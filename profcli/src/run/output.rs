//! The trace file: new, ours alone, never over somebody's file.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use profcore::collector::{Output as Writer, TraceFile};

use crate::output::{create, create_beside, is_our_trace, shown};

const EXTENSION: &str = "proftrace";
/// Names that are tried: app, app-2, app-3, …
const MAX_NUMBER: u32 = 9999;

/// An opened trace file.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    path: PathBuf,
    /// With `--force`: where the file really is until the program has been started.
    temporary: Option<PathBuf>,
}

/// Opens the trace for writing: `requested`, or a free name after the program in the current folder.
///
/// # Errors
/// One line: what stands in the way and what to do.
pub(super) fn open(requested: Option<&Path>, name: &OsStr, force: bool) -> Result<Output, String> {
    let Some(path) = requested else { return open_free(name) };
    let in_the_way = match create(path) {
        Ok(file) => return Ok(Output { file, path: path.into(), temporary: None }),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(format!("cannot write {}: {error}", shown(path)));
        }
        Err(_) => path,
    };
    if !force {
        return Err(format!(
            "{} exists: choose another name, or --force to replace a trace",
            shown(in_the_way)
        ));
    }
    if !is_our_trace(path) {
        return Err(format!(
            "{} is not a trace of yours: --force does not replace it",
            shown(path)
        ));
    }
    let (file, temporary) = create_beside(path)
        .map_err(|error| format!("cannot write beside {}: {error}", shown(path)))?;
    Ok(Output { file, path: path.into(), temporary: Some(temporary) })
}

fn open_free(name: &OsStr) -> Result<Output, String> {
    for number in 1..=MAX_NUMBER {
        let mut file_name = name.to_owned();
        if number > 1 {
            file_name.push(format!("-{number}"));
        }
        file_name.push(format!(".{EXTENSION}"));
        let path = PathBuf::from(file_name);
        match create(&path) {
            Ok(file) => return Ok(Output { file, path, temporary: None }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                let path = shown(&path);
                return Err(format!("cannot write {path} here: {error}; choose a place with -o"));
            }
        }
    }
    Err("too many traces are here: choose a name with -o".into())
}

impl Output {
    /// Where the trace will be when the program has been started.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the collector writes to.
    pub(super) fn writer(&self) -> io::Result<Writer> {
        Ok(Box::new(TraceFile::new(self.file.try_clone()?)))
    }

    /// The program was not started: leaves nothing behind.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(self.temporary.as_ref().unwrap_or(&self.path));
    }

    /// The program was started: a replaced trace gives way. Returns the path of the trace.
    pub(super) fn take_place(&mut self) -> PathBuf {
        if let Some(temporary) = self.temporary.take()
            && fs::rename(&temporary, &self.path).is_err()
        {
            return temporary;
        }
        self.path.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_trace_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.proftrace");
        let output = open(Some(&path), OsStr::new("x"), false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(open(Some(&path), OsStr::new("x"), false).unwrap_err().contains("exists"));
        output.discard();
        assert!(!path.exists());
        let error = open(Some(&folder.path().join("no/a")), OsStr::new("x"), false).unwrap_err();
        assert!(error.contains("No such file"), "{error}");
    }

    #[test]
    fn force_replaces_nothing_but_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        fs::write(&path, "dear reader").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for name in [&path, &link, &folder.path().to_path_buf()] {
            let error = open(Some(name), OsStr::new("x"), true).unwrap_err();
            assert!(error.contains("not a trace"), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"dear reader");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
