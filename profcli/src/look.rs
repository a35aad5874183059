//! How tables on a terminal look, and which rows they have: the same options for every command that prints some.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use profformat::export::text::Options;

#[derive(Default, clap::Args)]
pub(crate) struct Look {
    /// Rows of each table
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Only files whose path fits this pattern (`*` any text, `?` one character)
    #[arg(long, value_name = "GLOB")]
    pub(crate) file: Option<String>,
    /// Width in columns; without it the terminal's
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    /// Colors; auto is on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value = "auto")]
    color: Color,
    /// Nothing but ASCII
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Look {
    pub(crate) fn width(&self) -> usize {
        self.width.unwrap_or_else(|| width(&io::stdout()))
    }

    /// Are colors written to an output that is a terminal, or not?
    pub(crate) fn has_colors(&self, is_terminal: bool) -> bool {
        match self.color {
            Color::Auto => is_terminal && colors_wanted(),
            Color::Always => true,
            Color::Never => false,
        }
    }

    pub(crate) fn is_ascii(&self) -> bool {
        self.ascii || ascii_only()
    }
}

/// The look of a summary on standard error.
pub(crate) fn summary_options() -> Options {
    let stderr = io::stderr();
    Options {
        width: width(&stderr),
        color: stderr.is_terminal() && colors_wanted(),
        ascii: ascii_only(),
        ..Options::default()
    }
}

pub(crate) fn colors_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != *"dumb")
}

/// Does the environment ask for a locale without UTF-8?
pub(crate) fn ascii_only() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    // Without any of them (a service, a container) files and terminals are UTF-8 more often than not.
    locale.is_some_and(|locale| locale == *"C" || locale == *"POSIX")
}

/// Columns: the terminal's, else `COLUMNS`, else 100.
fn width(stream: &impl std::os::fd::AsFd) -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    let window = rustix::termios::tcgetwinsize(stream).ok();
    window.map(|size| usize::from(size.ws_col)).filter(|&n| n > 0).or_else(columns).unwrap_or(100)
}
