//! Short forms of what most writers do.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::TraceWriter;
use crate::ids::{ProcessId, StackId, ThreadId};
use crate::io::{self, Write};
use crate::record::{Frame, Function, Lang, Process, Record, Thread};
use crate::units::Timestamp;

impl<W: Write> TraceWriter<W> {
    /// Adds a profiled process that is there from the start and gives its id.
    ///
    /// # Errors
    /// When the output fails or there are [`crate::limit::PROCESSES`] already.
    pub fn process(&mut self, pid: u32, command: &[&str]) -> io::Result<ProcessId> {
        let id = ProcessId::new(self.process_count);
        self.write(&Record::Process(Process {
            id,
            parent: None,
            pid,
            time: Timestamp::ZERO,
            command: command.iter().map(|word| word.as_bytes().to_owned()).collect(),
            python: String::new(),
            profiled: true,
        }))?;
        Ok(id)
    }

    /// Adds a thread that is there from the start and gives its id.
    ///
    /// # Errors
    /// When the output fails, when `process` is not defined, or when there are too many threads.
    pub fn thread(&mut self, process: ProcessId, tid: u32, name: &str) -> io::Result<ThreadId> {
        let id = ThreadId::new(self.thread_count);
        let (time, name) = (Timestamp::ZERO, name.as_bytes().to_owned());
        self.write(&Record::Thread(Thread { id, process, tid, time, name }))?;
        Ok(id)
    }

    /// The stack of a native function at a line of a file, called from `parent`. The line of its definition is
    /// not known; who knows it uses [`function`](Self::function), [`frame`](Self::frame) and
    /// [`stack`](Self::stack).
    pub fn call(&mut self, parent: Option<StackId>, name: &str, file: &str, line: u32) -> StackId {
        let (name, file) = (self.string(name.as_bytes()), self.string(file.as_bytes()));
        let function = self.function(Function { name, file, first_line: 0, lang: Lang::Native });
        let frame = self.frame(Frame { function, line });
        self.stack(parent, frame)
    }
}
