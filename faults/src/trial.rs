//! Where a row is tried: its scratch folder, its strength, programs compiled for it, an interpreter.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::row::Broken;

/// How much is done in each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// As the catalogue asks.
    Full,
    /// The same in small, for every change of the code.
    Short,
}

/// What all trials have in common.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The command, with the shim beside it.
    pub(crate) prof: PathBuf,
    pub(crate) strength: Strength,
    /// How many times as long as on an idle machine a run may take before it hangs.
    pub(crate) patience: u32,
    /// Minutes of mutation for row 23; `None`: as the strength says.
    pub(crate) fuzz_minutes: Option<f64>,
    /// Minutes of the long run.
    pub(crate) soak_minutes: f64,
}

/// One row being tried.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) settings: Settings,
    scratch: TempDir,
}

impl Trial {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Broken> {
        Ok(Self { settings: settings.clone(), scratch: tempfile::tempdir()? })
    }

    /// Scratch of this row alone.
    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// A number for each strength.
    pub(crate) fn pick<T>(&self, full: T, short: T) -> T {
        match self.settings.strength {
            Strength::Full => full,
            Strength::Short => short,
        }
    }

    /// `libprofshim.so`.
    pub(crate) fn shim(&self) -> PathBuf {
        self.settings.prof.with_file_name("libprofshim.so")
    }

    /// Compiles a program of `faults/programs` or `profshim/tests/programs`.
    pub(crate) fn compile(&self, name: &str) -> Result<PathBuf, Broken> {
        self.compile_as(name, name, &[])
    }

    /// Compiles one under a name of its own, with further options.
    ///
    /// Lines at the top of a program have the same meaning as in `profshim/tests/programs`: `// gcc: ` has options of
    /// the compiler, `// library: loaded` or `linked` makes two products of it.
    pub(crate) fn compile_as(
        &self,
        name: &str,
        product: &str,
        more: &[&str],
    ) -> Result<PathBuf, Broken> {
        let (compiler, source) = source(name)?;
        let text = std::fs::read_to_string(&source)?;
        let told = |mark| text.lines().find_map(|line: &str| line.strip_prefix(mark));
        let options: Vec<&str> = told("// gcc: ").unwrap_or_default().split_whitespace().collect();
        let product = self.folder().join(product);
        let library = product.with_extension("so");
        let build = |to: &Path, own: &[&OsStr]| {
            let mut command = Command::new(compiler);
            command.args(["-O1", "-w", "-fno-builtin", "-pthread", "-I"]).arg(programs());
            command.args(options.iter().copied().chain(more.iter().copied()));
            command.arg("-o").arg(to).arg(&source).args(own).arg("-ldl").stdin(Stdio::null());
            let output = command.output().map_err(|_| Broken::missing(compiler))?;
            let words = || format!("{name}: {}", String::from_utf8_lossy(&output.stderr));
            crate::row::holds(output.status.success(), words)
        };
        let kind = told("// library: ");
        if kind.is_some() {
            build(&library, &["-DLIBRARY".as_ref(), "-shared".as_ref(), "-fPIC".as_ref()])?;
        }
        match kind {
            Some("linked") => build(&product, &[library.as_os_str()])?,
            _ => build(&product, &[])?,
        }
        Ok(product)
    }

    /// The interpreter that the rows are tried with: pyenv's 3.13, or whatever `python3` is.
    pub(crate) fn python(&self) -> Result<PathBuf, Broken> {
        let home = std::env::home_dir().unwrap_or_default();
        let versions = std::fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten();
        let newest = versions
            .flatten()
            .map(|entry| entry.path().join("bin/python3.13"))
            .filter(|path| path.is_file())
            .max();
        let usual = || Some(PathBuf::from("/usr/bin/python3")).filter(|path| path.is_file());
        let found = newest.or_else(usual);
        found.ok_or_else(|| Broken::missing("python3"))
    }

    /// A Python program of `faults/programs`.
    pub(crate) fn script(&self, name: &str) -> PathBuf {
        programs().join(name)
    }
}

/// `Err` if a tool is not on this machine.
pub(crate) fn need(tool: &str) -> Result<(), Broken> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    if found { Ok(()) } else { Err(Broken::missing(tool)) }
}

/// Where this crate's programs are.
fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs")
}

/// The workspace's top folder.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a member of a workspace")
}

/// The compiler and the source of a program.
fn source(name: &str) -> Result<(&'static str, PathBuf), Broken> {
    let folders = [programs(), workspace().join("profshim/tests/programs")];
    let kinds = [("gcc", "c"), ("g++", "cpp")];
    folders
        .iter()
        .flat_map(|folder| kinds.map(|(gcc, kind)| (gcc, folder.join(name).with_extension(kind))))
        .find(|(_, path)| path.is_file())
        .ok_or_else(|| Broken::fault(format!("there is no program {name}")))
}
