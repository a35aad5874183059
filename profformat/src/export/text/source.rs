//! Lines of source code.

/// Where lines of source come from. A trace names files of the machine it was made on; whoever can open
/// them safely implements this.
pub trait Source {
    /// The text of a line (the first is 1) without its line break; `None` when it cannot be read. Bytes that
    /// are not UTF-8 may be replaced; the report escapes the rest.
    fn line(&self, file: &[u8], line: u32) -> Option<String>;
}

/// No source at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSource;

impl Source for NoSource {
    fn line(&self, _file: &[u8], _line: u32) -> Option<String> {
        None
    }
}
