//! Finds the shim, and the words that make the loader load it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use super::{elf, shown};

const FILE: &str = "libprofshim.so";
/// Says where the shim is, when it is not beside the command.
const VARIABLE: &str = "PROF_SHIM";

/// The shim under a path that the loader understands. Dropping it takes its link away.
#[derive(Debug)]
pub(super) struct Preload {
    path: PathBuf,
    folder: Option<PathBuf>,
}

impl Preload {
    /// Finds the shim.
    ///
    /// # Errors
    /// One line: where it was looked for, or what it cannot be loaded beside.
    pub(super) fn find() -> Result<Self, String> {
        let before = std::env::var_os("LD_PRELOAD").unwrap_or_default();
        if let Some(sanitizer) = sanitizer(before.as_bytes()) {
            let name = shown(Path::new(OsStr::from_bytes(sanitizer)));
            return Err(format!(
                "LD_PRELOAD names {name}, a sanitizer, which must be loaded first; so must the profiler: run without it"
            ));
        }
        let path = locate()?;
        if !is_split(&path) {
            return Ok(Self { path, folder: None });
        }
        link(&path).ok_or_else(|| {
            let path = shown(&path);
            format!("{path}: the loader takes no such path, and no link to it could be made")
        })
    }

    /// The value of `LD_PRELOAD`: the shim, then what it was before.
    pub(super) fn value(&self) -> OsString {
        let before = std::env::var_os("LD_PRELOAD").unwrap_or_default();
        joined(before.as_bytes(), self.path.as_os_str().as_bytes())
    }
}

impl Drop for Preload {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_dir(folder);
        }
    }
}

fn locate() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        let no = |what: &str| Err(format!("{VARIABLE} names {}, which is no {what}", shown(&path)));
        return match fs::canonicalize(&path) {
            // Of anything else the loader would complain, in the midst of what the program says.
            Ok(found) if found.is_file() && elf::is_library(&found) => Ok(found),
            Ok(found) if found.is_file() => no("library"),
            _ => no("file"),
        };
    }
    let command = std::env::current_exe().map_err(|e| format!("cannot find {FILE}: {e}"))?;
    let folder = command.parent().unwrap_or(Path::new("/"));
    for place in [folder.join(FILE), folder.join("../lib").join(FILE)] {
        if let Ok(found) = fs::canonicalize(&place)
            && found.is_file()
        {
            return Ok(found);
        }
    }
    let folder = shown(folder);
    Err(format!("cannot find {FILE} in {folder} or its ../lib; {VARIABLE} can say where it is"))
}

/// True for a path that the loader would take apart or expand.
fn is_split(path: &Path) -> bool {
    path.as_os_str().as_bytes().iter().any(|b| b" :$\t\n".contains(b))
}

/// A link to the shim in a fresh folder of ours.
fn link(shim: &Path) -> Option<Preload> {
    let variables = ["XDG_RUNTIME_DIR", "TMPDIR"];
    let named = variables.into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let usual = ["/tmp", "/var/tmp", "/dev/shm"].into_iter().map(PathBuf::from);
    named.chain(usual).filter(|base| base.is_absolute() && !is_split(base)).find_map(|base| {
        let folder = base.join(format!("prof-{:016x}", random()));
        DirBuilder::new().mode(0o700).create(&folder).ok()?;
        let preload = Preload { path: folder.join(FILE), folder: Some(folder) };
        symlink(shim, &preload.path).ok().map(|()| preload)
    })
}

/// Our entry first, and not twice: an allocator that is preloaded too is then the next one, and what it does is seen.
fn joined(before: &[u8], shim: &[u8]) -> OsString {
    let others = before.split(|b| b" :".contains(b)).filter(|entry| !entry.is_empty());
    let others = others.filter(|&entry| entry != shim);
    OsString::from_vec(std::iter::once(shim).chain(others).collect::<Vec<_>>().join(&b':'))
}

/// The runtime of a sanitizer in the value of `LD_PRELOAD`: it ends the program if it does not come first.
fn sanitizer(before: &[u8]) -> Option<&[u8]> {
    before
        .split(|b| b" :".contains(b))
        .find(|entry| elf::is_sanitizer(entry.rsplit(|&b| b == b'/').next().unwrap_or(entry)))
}

/// A number nobody can guess; 0 if the kernel has none to give, which makes a name that may be taken.
pub(super) fn random() -> u64 {
    let mut bytes = [0; 8];
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    u64::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_preload_is_kept_behind_ours() {
        assert_eq!(joined(b"", b"/s.so"), "/s.so");
        assert_eq!(joined(b"/a.so", b"/s.so"), "/s.so:/a.so");
        assert_eq!(joined(b"/a.so /s.so", b"/s.so"), "/s.so:/a.so");
        assert_eq!(joined(b"/as.so:: b.so ", b"/s.so"), "/s.so:/as.so:b.so");
    }

    #[test]
    fn a_sanitizer_is_found_by_its_file_name() {
        assert_eq!(sanitizer(b"/lib/libasan.so.8:x.so"), Some(&b"/lib/libasan.so.8"[..]));
        assert_eq!(sanitizer(b"a.so liblsan.so.0"), Some(&b"liblsan.so.0"[..]));
        assert_eq!(sanitizer(b"/libasan.so/a.so:notlibasan.so"), None);
    }

    #[test]
    fn awkward_paths_are_linked_and_the_link_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let shim = folder.path().join("with space:and$.so");
        fs::write(&shim, "x").unwrap();
        assert!(is_split(&shim));
        let preload = link(&shim).unwrap();
        assert!(!is_split(&preload.path));
        assert_eq!(fs::read(&preload.path).unwrap(), b"x");
        let place = preload.folder.clone().unwrap();
        drop(preload);
        assert!(!place.exists() && shim.exists());
    }
}
