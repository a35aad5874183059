//! What is readable of a damaged trace, told and saved.

use std::io::{self, Write};

use crate::error::Error;
use crate::reader::Damage;

/// What [`check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Records that can be read.
    pub records: u64,
    /// What cannot.
    pub damage: Damage,
    /// The first thing that is wrong.
    pub first: Option<Error>,
}

/// Reads all of a trace and tells what is wrong with it. Errors when it is none.
pub fn check(bytes: &[u8]) -> Result<Report, Error> {
    let _ = bytes;
    todo!()
}

/// Writes what is readable of a trace as a sound trace.
pub fn recover<W: Write>(bytes: &[u8], out: W) -> io::Result<Report> {
    let _ = (bytes, out);
    todo!()
}
