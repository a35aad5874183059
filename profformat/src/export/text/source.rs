//! Lines of source code.

/// Where lines of source come from. A trace names files of the machine it was made on; whoever can open
/// them safely implements this.
pub trait Source {
    /// The text of a line (the first is 1) without its line break; `None` when it cannot be read. Bytes that
    /// are not UTF-8 may be replaced; the report escapes the rest.
    fn line(&self, file: &[u8], line: u32) -> Option<String>;

    /// A whole file, for outputs that carry it with them.
    fn whole(&self, file: &[u8]) -> Whole {
        let _ = file;
        Whole::Missing
    }
}

/// What there is of a whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whole {
    /// Its text. Bytes that are not UTF-8 may be replaced.
    Text(String),
    /// It was changed since the run.
    Changed,
    /// It cannot be read, or is not for others to see.
    #[default]
    Missing,
}

/// No source at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSource;

impl Source for NoSource {
    fn line(&self, _file: &[u8], _line: u32) -> Option<String> {
        None
    }
}
