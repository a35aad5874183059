//! What is to be started: a program, a Python file, or a Python module.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::{NOT_EXECUTABLE, NOT_FOUND, Refusal, elf, shown};

/// The interpreter that runs `.py` files and modules.
const PYTHON: &str = "python3";
/// Where programs are looked for without PATH, as `execvp` does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// `#!` lines that lead from one script to the next.
const MAX_SCRIPTS: usize = 4;

/// A program that can be started.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The file to execute.
    pub(super) program: PathBuf,
    /// Its arguments, its own name first.
    pub(super) arguments: Vec<OsString>,
    /// The interpreter of its `#!` line, links resolved.
    pub(super) script_interpreter: Option<PathBuf>,
    /// Name of a trace of it, without extension.
    pub(super) trace_name: OsString,
}

/// Finds what the command names and looks whether it can be profiled.
///
/// # Errors
/// 127: there is no such program or file; 126: it is not executable; 125: it cannot be profiled.
pub(super) fn resolve(command: &[OsString]) -> Result<Target, Refusal> {
    let Some(first) = command.first() else { return Err(String::from("no program given").into()) };
    let arguments = if first == "-m" {
        if command.len() < 2 {
            return Err(String::from("-m needs the name of a module").into());
        }
        with_python(command)
    } else if first.as_bytes().starts_with(b"-") {
        let option = super::escape(first.as_bytes());
        return Err(format!("unknown option {option} (see prof run --help)").into());
    } else if first.as_bytes().ends_with(b".py") {
        look_at_script(Path::new(first))?;
        with_python(command)
    } else {
        command.to_vec()
    };
    let program = find(&arguments[0])?;
    let script_interpreter = inspect(&program)?;
    Ok(Target { trace_name: trace_name(&arguments), program, arguments, script_interpreter })
}

fn with_python(command: &[OsString]) -> Vec<OsString> {
    std::iter::once(PYTHON.into()).chain(command.iter().cloned()).collect()
}

fn look_at_script(path: &Path) -> Result<(), Refusal> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(Refusal::new(NOT_EXECUTABLE, format!("{}: is a directory", shown(path))))
        }
        Ok(_) => match rustix::fs::access(path, Access::READ_OK) {
            Ok(()) => Ok(()),
            Err(error) => Err(Refusal::new(NOT_EXECUTABLE, format!("{}: {error}", shown(path)))),
        },
        Err(_) => Err(Refusal::new(NOT_FOUND, format!("{}: no such file", shown(path)))),
    }
}

/// The file that a shell would execute.
fn find(name: &OsStr) -> Result<PathBuf, Refusal> {
    let words = |what: &str| format!("{}: {what}", super::escape(name.as_bytes()));
    if name.is_empty() {
        return Err(Refusal::new(NOT_FOUND, "no such program: the name is empty"));
    }
    if name.as_bytes().contains(&b'/') {
        return match executable(Path::new(name)) {
            Found::Yes => Ok(name.into()),
            Found::Directory => Err(Refusal::new(NOT_EXECUTABLE, words("is a directory"))),
            Found::Denied => Err(Refusal::new(NOT_EXECUTABLE, words("is not executable"))),
            Found::Missing => Err(Refusal::new(NOT_FOUND, words("no such program"))),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let mut denied = false;
    for folder in std::env::split_paths(&path) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        let file = folder.join(name);
        match executable(&file) {
            Found::Yes => return Ok(file),
            Found::Denied => denied = true,
            Found::Directory | Found::Missing => {}
        }
    }
    Err(match denied {
        true => Refusal::new(NOT_EXECUTABLE, words("is not executable")),
        false => Refusal::new(NOT_FOUND, words("no such program in PATH")),
    })
}

enum Found {
    Yes,
    Directory,
    Denied,
    Missing,
}

fn executable(path: &Path) -> Found {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Found::Directory,
        Ok(found) if !found.is_file() => Found::Denied,
        Ok(_) if rustix::fs::access(path, Access::EXEC_OK).is_ok() => Found::Yes,
        Ok(_) => Found::Denied,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Found::Denied,
        Err(_) => Found::Missing,
    }
}

/// Follows `#!` lines to the program that the kernel loads, and looks whether the shim can be loaded into it.
/// Returns the first script's interpreter.
fn inspect(program: &Path) -> Result<Option<PathBuf>, Refusal> {
    let mut interpreter = None;
    let mut file = program.to_path_buf();
    for _ in 0..MAX_SCRIPTS {
        let refuse = |why: &str| Err(Refusal::from(format!("{} {why}", shown(&file))));
        match elf::inspect(&file) {
            elf::Kind::Dynamic | elf::Kind::Unreadable => return Ok(interpreter),
            elf::Kind::Privileged => {
                return refuse("is setuid, setgid or has capabilities: it cannot be profiled");
            }
            elf::Kind::Static => {
                return refuse("is a static program: it cannot be profiled (link it dynamically)");
            }
            elf::Kind::Sanitized => {
                return refuse(
                    "is built with a sanitizer, which must be loaded first; so must the profiler: build it without",
                );
            }
            elf::Kind::Foreign => {
                return refuse("is no x86-64 program with glibc: it cannot be profiled");
            }
            elf::Kind::Script(next) => {
                if let Err(mut refusal) = find(next.as_os_str()) {
                    refusal.words = format!("{}: interpreter {}", shown(&file), refusal.words);
                    return Err(refusal);
                }
                interpreter.get_or_insert_with(|| fs::canonicalize(&next).unwrap_or(next.clone()));
                file = next;
            }
        }
    }
    Ok(interpreter)
}

/// A trace's name after its program: of a Python program, the file's or module's.
fn trace_name(arguments: &[OsString]) -> OsString {
    let mut words = arguments.iter().map(|word| word.as_bytes());
    let program = file_name(words.next().unwrap_or_default());
    let mut name = program;
    if program.starts_with(b"python") || program.starts_with(b"pypy") {
        while let Some(word) = words.next() {
            match word {
                b"-m" => name = words.next().unwrap_or(program),
                b"-W" | b"-X" | b"--check-hash-based-pycs" => {
                    words.next();
                    continue;
                }
                b"-c" | b"-" => {}
                _ if word.starts_with(b"-") => continue,
                _ => name = file_name(word),
            }
            break;
        }
    }
    let name = name.strip_suffix(b".py").unwrap_or(name);
    let mut clean: Vec<u8> = name.iter().take(100).map(|&b| plain(b)).collect();
    if matches!(clean.first(), None | Some(b'.' | b'-')) {
        clean.splice(0..0, *b"prof");
    }
    OsString::from_vec(clean)
}

fn plain(byte: u8) -> u8 {
    if byte.is_ascii_control() || byte == b'/' { b'_' } else { byte }
}

fn file_name(path: &[u8]) -> &[u8] {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn name(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
        trace_name(&words).into_string().unwrap()
    }

    #[test]
    fn traces_are_named_after_the_program() {
        assert_eq!(name("/usr/bin/python3 -u -X dev dir/app.py --x"), "app");
        assert_eq!(name("python3.11 -m pkg.tool run"), "pkg.tool");
        assert_eq!(name("python3 -c pass"), "python3");
        assert_eq!(name("python3"), "python3");
        assert_eq!(name("./native-program -m x"), "native-program");
        assert_eq!(name("python3 .hidden.py"), "prof.hidden");
        assert_eq!(name("python3 folder/"), "folder");
        assert_eq!(name("python3 a\nb.py"), "a_b");
        assert_eq!(name(&format!("/bin/{}", "x".repeat(300))).len(), 100);
    }

    fn status(words: &[&str]) -> u8 {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        resolve(&words).map_or_else(|refusal| refusal.status, |_| 0)
    }

    #[test]
    fn statuses_are_those_of_a_shell() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("plain"), "x").unwrap();
        fs::write(at("app.py"), "pass").unwrap();
        fs::create_dir(at("dir.py")).unwrap();
        assert_eq!(status(&[&at("missing")]), NOT_FOUND);
        assert_eq!(status(&[&at("missing.py")]), NOT_FOUND);
        assert_eq!(status(&["no-such-program-anywhere"]), NOT_FOUND);
        assert_eq!(status(&[""]), NOT_FOUND);
        assert_eq!(status(&[&at("plain")]), NOT_EXECUTABLE);
        assert_eq!(status(&[&at("plain"), "x"]), NOT_EXECUTABLE);
        assert_eq!(status(&[folder.path().to_str().unwrap()]), NOT_EXECUTABLE);
        assert_eq!(status(&[&at("dir.py")]), NOT_EXECUTABLE);
        assert_eq!(status(&["--bogus", "x"]), 125);
        assert_eq!(status(&["-m"]), 125);
        assert_eq!(status(&["/bin/sh", "-c", "true"]), 0);
    }

    #[test]
    fn scripts_lead_to_their_interpreter() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("tool");
        let make = |text: &str| {
            fs::write(&script, text).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            resolve(&[script.clone().into()])
        };
        let found = make("#!/bin/sh -e\ntrue\n").unwrap();
        assert_eq!(found.script_interpreter, Some(fs::canonicalize("/bin/sh").unwrap()));
        let missing = make("#!/no/such/interpreter\n").unwrap_err();
        assert_eq!(missing.status, NOT_FOUND);
        assert!(missing.words.contains("/no/such/interpreter"), "{}", missing.words);
    }
}
