//! The programs, and what stands where in their sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run::output;

/// A program of `profcli/tests/truth`.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What it is called in tables.
    pub name: &'static str,
    /// Its file in that folder.
    pub file: &'static str,
    /// Arguments behind the first.
    pub arguments: &'static [&'static str],
    /// A C file beside it, which it wants as a library, named by its last argument.
    pub library: Option<&'static str>,
    /// A package that it needs.
    pub needs: Option<&'static str>,
    /// It mostly waits, so that a tool is to be asked for wall time.
    pub waits: bool,
    /// How many times as long it runs as others: its threads share that time.
    pub times: f64,
    /// Most samples per second: for each of them the kernel works a little in the thread's own time, outside of all
    /// samples, and this program knows to a point what part of its time was the kernel's.
    pub rate: f64,
}

pub(super) const fn plain(name: &'static str, file: &'static str) -> Program {
    Program {
        name,
        file,
        arguments: &[],
        library: None,
        needs: None,
        waits: false,
        times: 1.0,
        rate: f64::INFINITY,
    }
}

const fn waiting(name: &'static str, file: &'static str) -> Program {
    Program { waits: true, ..plain(name, file) }
}

const fn fight(name: &'static str, threads: &'static [&'static str]) -> Program {
    Program { arguments: threads, times: 4.0, rate: 250.0, ..plain(name, "gil_fight.py") }
}

/// All of them.
pub const PROGRAMS: [Program; 20] = [
    plain("loop without calls", "loop.py"),
    plain("bigint a*b", "bigint.py"),
    plain("sha256", "sha256.py"),
    Program { needs: Some("numpy"), ..plain("numpy a@a", "matmul.py") },
    plain("sorted with a key", "sorted_key.py"),
    plain("regex", "regex.py"),
    plain("json", "json_documents.py"),
    plain("zlib in two threads", "zlib_threads.py"),
    plain("kernel reads", "kernel_reads.py"),
    plain("gc of cycles", "gc_cycles.py"),
    plain("generator chains", "generators.py"),
    plain("deep recursion", "recursion.py"),
    plain("exceptions", "exceptions.py"),
    plain("asyncio gather", "asyncio_gather.py"),
    plain("process pool", "process_pool.py"),
    fight("GIL fight of 2", &["2"]),
    fight("GIL fight of 8", &["8"]),
    waiting("sleep", "sleep.py"),
    waiting("socket wait", "socket_wait.py"),
    waiting("lock wait", "lock_wait.py"),
];

impl Program {
    /// Where it is.
    pub fn path(&self) -> PathBuf {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = crate_folder.parent().expect("a member of a workspace");
        workspace.join("profcli/tests/truth").join(self.file)
    }

    /// Its command line behind the interpreter. `length`: its first argument, before that is multiplied by `times`.
    pub fn words(&self, length: f64) -> Vec<String> {
        let path = self.path().to_string_lossy().into_owned();
        let arguments = self.arguments.iter().map(ToString::to_string);
        [path, (length * self.times).to_string()].into_iter().chain(arguments).collect()
    }

    /// Builds its library into a folder; `None` if it wants none.
    ///
    /// # Errors
    /// In words, when there is no C compiler.
    pub fn library(&self, folder: &Path) -> Result<Option<PathBuf>, String> {
        let Some(file) = self.library else { return Ok(None) };
        let library = folder.join(file).with_extension("so");
        let mut compile = Command::new("cc");
        compile.args(["-O2", "-g", "-shared", "-fPIC", "-o"]).arg(&library);
        output(compile.arg(self.path().with_file_name(file)), folder)?;
        Ok(Some(library))
    }

    /// The numbers of the lines that end in `# TAG`, by tag.
    ///
    /// # Panics
    /// If the source cannot be read: then the workspace is not whole.
    pub fn tags(&self) -> BTreeMap<String, u32> {
        let path = self.path();
        let source = fs::read_to_string(&path);
        tags(&source.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }
}

fn tags(source: &str) -> BTreeMap<String, u32> {
    let is_tag = |tag: &str| !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_uppercase());
    let lines = (1..).zip(source.lines());
    let tagged = lines.filter_map(|(number, line)| Some((line.rsplit_once("# ")?.1, number)));
    tagged.filter(|(tag, _)| is_tag(tag)).map(|(tag, number)| (tag.to_owned(), number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::memory;

    #[test]
    fn tags_end_their_lines() {
        let source = "x = 1  # ONE\n# a word\ny = 2  # TWO\nz = '# NOT ONE'\n";
        let expected = [("ONE".to_owned(), 1), ("TWO".to_owned(), 3)];
        assert_eq!(tags(source), BTreeMap::from(expected));
    }

    #[test]
    fn every_program_is_there() {
        for program in PROGRAMS.iter().chain(&memory::programs::PROGRAMS) {
            assert!(program.path().is_file(), "{}", program.file);
            let beside = |file| program.path().with_file_name(file).is_file();
            assert!(program.library.is_none_or(beside), "{:?}", program.library);
        }
    }
}
