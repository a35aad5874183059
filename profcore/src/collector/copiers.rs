//! Whose code copies: short names of modules, such as `CPython`, `numpy`, `libz`, or the program's own.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use profformat::ids::StringId;

use super::trace::Trace;
use crate::modules::{Modules, Place, file_name};

/// What belongs to the interpreter, its own extension modules too.
const CPYTHON: &[u8] = b"CPython";
const LIBC: &[u8] = b"libc";
const UNKNOWN: &[u8] = b"[unknown]";
/// The folder of the extension modules that come with CPython.
const OWN_EXTENSIONS: &[u8] = b"lib-dynload";
/// What tools that make wheels call the folder of a package's libraries, behind the package's name.
const LIBRARIES: &[u8] = b".libs";
/// What the kernel adds to the path of a file that is not there any more.
const REMOVED: &[u8] = b" (deleted)";
/// What makes a folder a package.
const PACKAGE: &str = "__init__.py";

/// Names of the modules that copied in one process.
#[derive(Debug)]
pub(crate) struct Copiers {
    root: PathBuf,
    /// By path; to look for a package asks the disk.
    known: HashMap<Vec<u8>, StringId>,
}

impl Copiers {
    pub(crate) fn new(pid: u32) -> Self {
        Self { root: PathBuf::from(format!("/proc/{pid}/root")), known: HashMap::new() }
    }

    /// The name of the module that a copy was called from; `pc` is the call's return address.
    pub(crate) fn name(&mut self, pc: u64, modules: &Modules, trace: &mut Trace) -> StringId {
        if pc == 0 {
            return StringId::new(0);
        }
        // The call itself may be the last instruction of its module.
        let (place, path) = modules.place(pc - 1);
        match place {
            Place::Eval | Place::Interpreter => return trace.string(CPYTHON),
            Place::Libc => return trace.string(LIBC),
            Place::Nowhere => return trace.string(UNKNOWN),
            Place::Shim | Place::Foreign | Place::Untold => {}
        }
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let is_package = |folder: &Path| {
            let folder = folder.strip_prefix("/").unwrap_or(folder);
            self.root.join(folder).join(PACKAGE).is_file()
        };
        let name = trace.string(owner(path, is_package));
        self.known.insert(path.to_vec(), name);
        name
    }
}

/// Whose a module is: the Python package's that it lies in, else its own without what a build adds to it.
fn owner(path: &[u8], is_package: impl Fn(&Path) -> bool) -> &[u8] {
    let path = path.strip_suffix(REMOVED).unwrap_or(path);
    let file = Path::new(OsStr::from_bytes(path));
    let folders = || file.ancestors().skip(1).filter(|folder| name_of(folder).is_some());
    let nearest = folders().next().and_then(name_of);
    if nearest == Some(OWN_EXTENSIONS) {
        return CPYTHON;
    }
    if let Some(package) = nearest.and_then(|name| name.strip_suffix(LIBRARIES))
        && !package.is_empty()
    {
        return package;
    }
    let outermost = folders().take_while(|folder| is_package(folder)).last();
    outermost.and_then(name_of).unwrap_or_else(|| stem(file_name(path)))
}

fn name_of(folder: &Path) -> Option<&[u8]> {
    folder.file_name().map(OsStr::as_bytes)
}

/// `libz` of `libz.so.1.2.13`, `_fast` of `_fast.cpython-311-x86_64-linux-gnu.so`; a program's name as it is.
fn stem(name: &[u8]) -> &[u8] {
    let find = |part: &[u8]| name.windows(part.len()).rposition(|window| window == part);
    let Some(end) = find(b".so").filter(|end| matches!(name.get(end + 3), None | Some(b'.')))
    else {
        return name;
    };
    let tags = [&b".cpython-"[..], b".abi3"].into_iter().filter_map(find);
    let end = tags.chain([end]).min().unwrap_or(end);
    if end == 0 { name } else { &name[..end] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_its_packages_or_goes_by_its_own_name() {
        let packages = ["/env/numpy", "/env/numpy/core", "/env/a", "/env/a/b/c"];
        let is_package = |folder: &Path| packages.iter().any(|known| folder == Path::new(known));
        for (path, name) in [
            ("/env/numpy/core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so", "numpy"),
            ("/env/numpy.libs/libopenblas64_p-r0-0cf96a72.3.23.dev.so", "numpy"),
            ("/env/a/b/c/fast.so", "c"),
            ("/env/_fast.cpython-39-x86_64-linux-gnu.so", "_fast"),
            ("/env/fast.abi3.so", "fast"),
            ("/usr/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so", "CPython"),
            ("/usr/lib/x86_64-linux-gnu/libz.so.1.2.13", "libz"),
            ("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "libstdc++"),
            ("/usr/lib/libcrypto.so.3", "libcrypto"),
            ("/opt/libx.so (deleted)", "libx"),
            ("/opt/a.source.so", "a.source"),
            ("/opt/tool.source/tool", "tool"),
            ("/opt/a.source", "a.source"),
            ("/opt/.so", ".so"),
            ("/opt/.libs/libx.so", "libx"),
            ("tool", "tool"),
            ("[anonymous]", "[anonymous]"),
        ] {
            let found = owner(path.as_bytes(), is_package);
            assert_eq!(String::from_utf8_lossy(found), name, "{path}");
        }
    }
}
