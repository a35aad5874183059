//! `prof view`: a trace as a page in the browser.

use std::ffi::{OsStr, OsString};
use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use rustix::fs::{Access, access};

use crate::convert::{self, ConvertError, Input, convert};
use crate::output::shown;
use crate::words::{answer, complain};

/// Folders that are tried for a page.
const MAX_NUMBER: u32 = 9999;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input,
    /// The page to write; without it, one in a folder of its own among the temporary files
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, thiserror::Error)]
enum ViewError {
    #[error(
        "there is no program to show a page with: set BROWSER to one, or write the page with `prof convert --to html -o PAGE.html`"
    )]
    NoBrowser,
    #[error("cannot make a folder for the page in {}: {error}", shown(folder))]
    Folder { folder: PathBuf, error: io::Error },
    #[error(transparent)]
    Convert(#[from] ConvertError),
    #[error("{said}: open {} yourself", shown(path))]
    NotShown { said: String, path: PathBuf },
}

pub(crate) fn run(args: Args) -> ExitCode {
    match view(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

fn view(args: Args) -> Result<(), ViewError> {
    let mut browsers = browsers(std::env::var_os("BROWSER").as_deref());
    browsers.retain(|words| is_there(&words[0]));
    if browsers.is_empty() {
        return Err(ViewError::NoBrowser);
    }
    let (path, folder) = match args.output {
        Some(path) => (path, None),
        None => {
            let folder = private_folder()?;
            (folder.join("profile.html"), Some(folder))
        }
    };
    let page = convert::Args::page(args.input, path.clone(), args.force);
    if let Err(error) = convert(&page) {
        if let Some(folder) = folder {
            // That it cannot be removed is no news of its own.
            let _ = std::fs::remove_dir(folder);
        }
        return Err(error.into());
    }
    // Before the browser: it can take as long as it likes.
    answer(&format!("{}\n", shown(&path)), ExitCode::SUCCESS);
    show(&browsers, &path)
}

/// The commands that can show a page, each as words: those of `BROWSER`, which is a list, then the desktop's.
fn browsers(wanted: Option<&OsStr>) -> Vec<Vec<OsString>> {
    let wanted = wanted.unwrap_or_default().as_bytes().split(|byte| *byte == b':');
    let words = |command: &[u8]| -> Vec<OsString> {
        let words = command.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.map(|word| OsString::from_vec(word.to_vec())).collect()
    };
    let mut browsers: Vec<Vec<OsString>> = wanted.map(words).collect();
    browsers.retain(|words| !words.is_empty());
    browsers.push(vec!["xdg-open".into()]);
    browsers
}

/// Whether a program can be started by this name.
fn is_there(program: &OsStr) -> bool {
    let runs = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if program.as_bytes().contains(&b'/') {
        return runs(Path::new(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| runs(&folder.join(program)))
}

/// Starts the first browser that takes the page.
fn show(browsers: &[Vec<OsString>], path: &Path) -> Result<(), ViewError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut said = String::new();
    for words in browsers {
        let shown = shown(Path::new(&words[0]));
        // What else it says is mostly of no use, and much; a browser in the terminal draws on standard output.
        said = match command(words, &absolute).stderr(Stdio::null()).status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => format!("{shown} did not show the page ({status})"),
            Err(error) => format!("cannot start {shown}: {error}"),
        };
    }
    Err(ViewError::NotShown { said, path: path.into() })
}

/// The command with the page in the place of `%s`, or at its end.
fn command(words: &[OsString], page: &Path) -> Command {
    let mut command = Command::new(&words[0]);
    let mut named = false;
    for word in &words[1..] {
        let is_place = word == "%s";
        named |= is_place;
        command.arg(if is_place { page.as_os_str() } else { word });
    }
    if !named {
        command.arg(page);
    }
    command
}

/// A fresh folder that only its owner may look into.
fn private_folder() -> Result<PathBuf, ViewError> {
    let temporary = std::env::temp_dir();
    let process = std::process::id();
    let mut number = 1;
    loop {
        let folder = temporary.join(format!("prof-view-{process}-{number}"));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MAX_NUMBER => {
                number += 1;
            }
            Err(error) => return Err(ViewError::Folder { folder: temporary, error }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(wanted: &str) -> Vec<Vec<String>> {
        let of = |words: &Vec<OsString>| -> Vec<String> {
            command(words, Path::new("/t/p.html"))
                .get_args()
                .map(|word| word.to_string_lossy().into_owned())
                .collect()
        };
        browsers(Some(OsStr::new(wanted))).iter().map(of).collect()
    }

    #[test]
    fn browser_is_a_list_of_commands() {
        assert_eq!(words(""), [["/t/p.html"]]);
        let found = words("firefox:lynx -x %s -y::w3m -T");
        let page = "/t/p.html";
        assert_eq!(found, [vec![page], vec!["-x", page, "-y"], vec!["-T", page], vec![page]]);
    }

    #[test]
    fn programs_are_looked_for_as_a_shell_does() {
        assert!(is_there(OsStr::new("sh")) && is_there(OsStr::new("/bin/sh")));
        assert!(!is_there(OsStr::new("/etc/passwd")) && !is_there(OsStr::new("no-such-browser")));
    }
}
