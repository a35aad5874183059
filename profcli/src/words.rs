//! What a command says: its answer on standard output, what is wrong on standard error, each in one write.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// One line on standard error. Nobody is told when that is closed or full.
pub(crate) fn complain(what: impl Display) {
    let line = format!("prof: {what}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// The answer of a command that ends with `status`; another one if it could not be given.
pub(crate) fn answer(text: &str, status: ExitCode) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => status,
        // Whoever read our output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => status,
        Err(error) => {
            complain(format_args!("cannot write to standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}
