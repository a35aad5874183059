//! Which files are the user's, and how places are called.
//!
//! *Your code* is every Python file that lies under the folder of the script or under the working folder of
//! the run, and is not installed: no part of its path is `site-packages`, `dist-packages` or
//! `lib/pythonX.Y`, and it is not a name in angle brackets. Both folders come from the trace alone: an
//! argument of the command that is the end of a file's path is the script; what stands before it is the
//! working folder (likewise for `-m package.module`). When no script is found, or it is an installed one
//! (in a `bin` folder), every file that is not installed is the user's.

use std::collections::HashSet;

use super::page::foreign;
use crate::analysis::Profile;
use crate::analysis::sites::places::shown;
use crate::ids::StringId;
use crate::record::Lang;
use crate::tables::Tables;

/// Different commands that a script is looked for in, and arguments of each: every one is compared with every file.
const COMMANDS: usize = 32;
const ARGUMENTS: usize = 32;

/// What is known of a file. Its names are made when they are asked for: there can be a million files.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::export) struct Place<'a> {
    /// The user's own code.
    pub(in crate::export) yours: bool,
    /// A Python file, in contrast to a native module or a name without a place.
    pub(in crate::export) python: bool,
    short: &'a [u8],
    base: &'a [u8],
    package: &'a [u8],
}

impl Place<'_> {
    /// The path without the folders that say nothing, escaped.
    pub(in crate::export) fn short(&self) -> String {
        foreign(&shown(self.short))
    }

    /// The last part of the path, escaped.
    pub(super) fn base(&self) -> String {
        foreign(&shown(self.base))
    }

    /// Package or module that the file belongs to, for sentences, escaped.
    pub(super) fn package(&self) -> String {
        foreign(&shown(self.package))
    }
}

/// The files of a trace.
#[derive(Debug)]
pub(in crate::export) struct Places<'a> {
    tables: &'a Tables,
    /// By string: is it the file of a function, and of one in Python?
    python: Vec<Option<bool>>,
    roots: Vec<Vec<u8>>,
}

impl<'a> Places<'a> {
    pub(in crate::export) fn new(profile: &'a Profile) -> Self {
        let tables = &profile.tables;
        let mut python = vec![None; tables.counts()[0]];
        for function in tables.functions() {
            if let Some(known) = python.get_mut(function.file.index()) {
                *known = Some(*known == Some(true) || function.lang == Lang::Python);
            }
        }
        let files = python.iter().zip(0..).filter(|(python, _)| **python == Some(true));
        let files: Vec<&[u8]> = files.map(|(_, id)| tables.string(StringId::new(id))).collect();
        let roots = roots(profile, &files);
        Self { tables, python, roots }
    }

    /// The files whose path is such, in order of their numbers.
    pub(super) fn all(&self, is_such: impl Fn(&[u8]) -> bool) -> Vec<StringId> {
        let files = (0..).zip(&self.python).filter(|(_, python)| python.is_some());
        let files = files.map(|(id, _)| StringId::new(id));
        files.filter(|file| is_such(self.tables.string(*file))).collect()
    }

    pub(in crate::export) fn of(&self, file: StringId) -> Place<'a> {
        match self.python.get(file.index()) {
            Some(&Some(python)) => place(self.tables.string(file), python, &self.roots),
            _ => Place::default(),
        }
    }
}

/// What is known of a file by its path; `roots` are those of [`roots_of`].
pub(super) fn place<'a>(path: &'a [u8], python: bool, roots: &[Vec<u8>]) -> Place<'a> {
    let installed = installed(path);
    let relative = !path.starts_with(b"/");
    let root = roots.iter().filter(|root| under(path, root)).max_by_key(|root| root.len());
    let yours = python && installed.is_none() && (relative || roots.is_empty() || root.is_some());
    let short = match (installed, root) {
        _ if !python => base(path),
        (Some(behind), _) => &path[behind..],
        (None, Some(root)) => &path[root.len()..],
        (None, None) => path,
    };
    let package = match installed {
        _ if !python => base(path),
        Some(behind) => path[behind..].split(|&b| b == b'/').next().unwrap_or_default(),
        None => base(path),
    };
    let package = package.strip_suffix(b".py").unwrap_or(package);
    Place { yours, python, short, base: name(path), package }
}

pub(super) fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

/// The last part of a path, with its folder where it alone says nothing.
fn name(path: &[u8]) -> &[u8] {
    let base = base(path);
    let folder =
        path[..path.len() - base.len()].strip_suffix(b"/").filter(|folder| !folder.is_empty());
    match folder {
        Some(folder) if matches!(base, b"__init__.py" | b"__main__.py") => {
            let start = folder.len() - self::base(folder).len();
            &path[start..]
        }
        _ => base,
    }
}

/// Is the path of installed code, and where does the telling part of it begin?
fn installed(path: &[u8]) -> Option<usize> {
    if path.is_empty() || path.starts_with(b"<") {
        return Some(0);
    }
    let mut found = None;
    let (mut start, mut before): (usize, &[u8]) = (0, b"");
    for part in path.split(|&b| b == b'/') {
        let end = start + part.len();
        let is_version = part.strip_prefix(b"python").is_some_and(|rest| {
            rest.first().is_some_and(u8::is_ascii_digit) && rest.contains(&b'.')
        });
        let library = matches!(before, b"lib" | b"lib64") && is_version;
        if (library || part == b"site-packages" || part == b"dist-packages") && end < path.len() {
            found = Some(end + 1);
        }
        (before, start) = (part, end + 1);
    }
    found
}

/// Roots end in `/`.
fn under(path: &[u8], root: &[u8]) -> bool {
    path.len() > root.len() && path.starts_with(root)
}

/// The script's folder and the working folder, as far as the trace tells.
fn roots(profile: &Profile, files: &[&[u8]]) -> Vec<Vec<u8>> {
    let profiled = profile.processes.iter().filter(|(process, _)| process.profiled);
    let commands =
        std::iter::once(&profile.header.command).chain(profiled.map(|(p, _)| &p.command));
    roots_of(commands, files)
}

/// The same as far as commands and files tell.
pub(super) fn roots_of<'c>(
    commands: impl Iterator<Item = &'c Vec<Vec<u8>>>,
    files: &[&[u8]],
) -> Vec<Vec<u8>> {
    let mut known = HashSet::new();
    let different = commands.filter(|command| known.insert(*command)).take(COMMANDS);
    let mut roots: Vec<Vec<u8>> =
        different.flat_map(|command| of_command(command, files)).collect();
    roots.retain(|root| {
        let folder = root.strip_suffix(b"/").unwrap_or(root);
        !root.is_empty() && installed(root).is_none() && !matches!(base(folder), b"bin" | b"sbin")
    });
    roots.sort_unstable();
    roots.dedup();
    roots
}

fn of_command(command: &[Vec<u8>], files: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut before: &[u8] = b"";
    for argument in command.iter().take(ARGUMENTS) {
        let ends: Vec<Vec<u8>> = if before == b"-m" {
            let path: Vec<u8> =
                argument.iter().map(|&b| if b == b'.' { b'/' } else { b }).collect();
            [&b".py"[..], b"/__main__.py"].iter().map(|end| [&path[..], *end].concat()).collect()
        } else if argument.starts_with(b"-") || argument.is_empty() {
            Vec::new()
        } else {
            vec![argument.clone()]
        };
        before = argument;
        let mut ends = ends.iter().map(|end| Script::of(end));
        let found = ends.find_map(|end| files.iter().find_map(|file| end.folders(file)));
        if let Some(found) = found {
            return found;
        }
    }
    Vec::new()
}

/// An argument that may be the path of a script.
struct Script<'a> {
    argument: &'a [u8],
    /// Without the steps that it begins with.
    rest: &'a [u8],
    /// One of those leads out of the working folder.
    above: bool,
}

impl<'a> Script<'a> {
    fn of(argument: &'a [u8]) -> Self {
        let (mut rest, mut above) = (argument, false);
        while let Some((shorter, up)) = rest
            .strip_prefix(b"./")
            .map(|shorter| (shorter, false))
            .or_else(|| rest.strip_prefix(b"../").map(|shorter| (shorter, true)))
        {
            (rest, above) = (shorter, above | up);
        }
        Self { argument, rest, above }
    }

    /// The folders that follow from the argument having started `file`.
    fn folders(&self, file: &[u8]) -> Option<Vec<Vec<u8>>> {
        let folder = |path: &[u8]| path[..path.len() - base(path).len()].to_vec();
        if file == self.argument {
            return Some(vec![folder(file)]);
        }
        let working = file.strip_suffix(self.rest).filter(|working| working.ends_with(b"/"))?;
        let mut folders = vec![folder(file)];
        if !self.above {
            folders.push(working.to_vec());
        }
        Some(folders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Function;

    fn of_each<T>(command: &[&str], files: &[&str], of: impl Fn(Place<'_>) -> T) -> Vec<T> {
        let mut profile = Profile::default();
        profile.header.command = command.iter().map(|a| a.as_bytes().to_vec()).collect();
        let ids: Vec<StringId> =
            files.iter().map(|file| profile.tables.push_string(file.as_bytes())).collect();
        for &file in &ids {
            profile.tables.push_function(Function {
                name: file,
                file,
                first_line: 1,
                lang: Lang::Python,
            });
        }
        let places = Places::new(&profile);
        ids.iter().map(|&id| of(places.of(id))).collect()
    }

    fn yours(command: &[&str], files: &[&str]) -> Vec<bool> {
        of_each(command, files, |place| place.yours)
    }

    #[test]
    fn the_scripts_folder_and_the_working_folder_are_yours() {
        let files = [
            "/w/a/tools/run.py",
            "/w/a/lib/x.py",
            "/w/b/y.py",
            "/w/a/v/lib/python3.11/site-packages/n/z.py",
        ];
        assert_eq!(yours(&["python3", "tools/run.py"], &files), [true, true, false, false]);
        assert_eq!(yours(&["python3", "/w/a/tools/run.py"], &files), [true, false, false, false]);
        assert_eq!(yours(&["python3", "../a/tools/run.py"], &files), [true, false, false, false]);
        assert_eq!(yours(&["./tools/run.py"], &files), [true, true, false, false]);
    }

    #[test]
    fn a_module_gives_the_working_folder() {
        let files =
            ["/w/pkg/sub/__main__.py", "/w/other.py", "/x/other.py", "/usr/lib/python3.11/json.py"];
        assert_eq!(yours(&["-m", "pkg.sub"], &files), [true, true, false, false]);
    }

    #[test]
    fn an_installed_script_leaves_everything_not_installed() {
        let files = [
            "/v/bin/pytest",
            "/w/test.py",
            "<frozen importlib>",
            "/usr/lib/python3/dist-packages/a.py",
        ];
        assert_eq!(yours(&["/v/bin/pytest"], &files), [true, true, false, false]);
        assert_eq!(yours(&["nothing"], &["rel.py", ""]), [true, false]);
    }

    #[test]
    fn short_names_leave_out_what_says_nothing() {
        let files =
            ["/w/a/run.py", "/w/a/sub/x.py", "/v/lib/python3.11/site-packages/docutils/nodes.py"];
        let short = of_each(&["run.py"], &files, |place| place.short());
        assert_eq!(short, ["run.py", "sub/x.py", "docutils/nodes.py"]);
        let names = of_each(&["run.py"], &files, |place| [place.package(), place.base()]);
        assert_eq!(names[2], ["docutils", "nodes.py"]);
    }
}
