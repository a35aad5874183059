//! Where a writer's bytes go: `std::io`, or without it as much of it as a writer needs.

#[cfg(not(feature = "std"))]
pub use self::without::{Error, ErrorKind, Result, Write};
#[cfg(feature = "std")]
pub use std::io::{Error, ErrorKind, Result, Write};

#[cfg(not(feature = "std"))]
mod without {
    use alloc::string::String;
    use alloc::vec::Vec;

    /// What can go wrong with an output.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ErrorKind {
        /// What should be written is no good.
        InvalidInput,
        /// The output takes nothing more.
        WriteZero,
        /// It must be tried again.
        Interrupted,
        /// Something else.
        Other,
    }

    /// Why something could not be written.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("{what}")]
    pub struct Error {
        kind: ErrorKind,
        what: String,
    }

    /// What writing gives.
    pub type Result<T> = core::result::Result<T, Error>;

    impl Error {
        /// An error of a kind, in words.
        pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
            Self { kind, what: what.into() }
        }

        /// Its kind.
        pub fn kind(&self) -> ErrorKind {
            self.kind
        }
    }

    impl From<ErrorKind> for Error {
        fn from(kind: ErrorKind) -> Self {
            Self::new(kind, "the output could not be written")
        }
    }

    /// An output of bytes.
    pub trait Write {
        /// Writes some of `bytes` and says how many.
        fn write(&mut self, bytes: &[u8]) -> Result<usize>;

        /// Passes on what was written.
        fn flush(&mut self) -> Result<()>;
    }

    impl Write for Vec<u8> {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    impl<W: Write> Write for &mut W {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            (**self).write(bytes)
        }

        fn flush(&mut self) -> Result<()> {
            (**self).flush()
        }
    }
}
