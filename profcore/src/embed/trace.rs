//! A snapshot as a trace of ours, which `prof report` reads.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use profformat::ids::{BinaryId, FrameId, ProcessId, StackId, ThreadId};
use profformat::record::{
    Alloc, Binary, Class, Domain, Frame, Function, Header, Lang, Outcome, Process, ProcessEnd,
    Record, Thread,
};
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

use super::remarks::{self, TOOL};
use super::samples::Kept;
use super::symbols::{Frame as Named, Symbols};
use super::{Module, Snapshot, What, modules};
use crate::modules::ANONYMOUS;
use crate::redact::redact;

/// The only process of a snapshot.
const PROCESS: ProcessId = ProcessId::new(0);

impl Snapshot {
    /// Writes it as a trace: one process with its command line (values of arguments that are named like secrets are
    /// hidden), its threads, samples of CPU time and of allocations with their stacks.
    ///
    /// Blocks that are held at its end are in the trace as never freed; those that were allocated before its beginning
    /// stand at time 0 and count as allocated there, and a note says how many bytes they are. Whether other blocks were
    /// freed, and when, is not in it, nor are labels, for which the format has no place yet. With the feature
    /// `symbolize` frames have names and lines, see `Symbols` for what that costs; without, they are told as
    /// `module+0xoffset`.
    ///
    /// # Errors
    /// Those of `out`; what was written until then is a trace that ends early. `InvalidInput` if there are more than
    /// 131,072 threads.
    pub fn write_trace(&self, out: impl Write) -> io::Result<()> {
        let command = command();
        let header = Header {
            trace_id: random(),
            start_unix_ns: nanos(self.began),
            // Not known here. Traces of one machine are put side by side by their wall clocks then.
            start_monotonic_ns: 0,
            cpu_interval_ns: self.cpu_interval_ns,
            memory_interval: self.alloc_interval,
            copy_interval: 0,
            command: command.clone(),
            tool: TOOL.to_owned(),
        };
        // Every nanosecond, so that sums are those of the snapshot.
        let options = Options { time_unit_ns: 1, ..Options::default() };
        let mut trace = Trace {
            snapshot: self,
            writer: TraceWriter::new(out, &header, options)?,
            symbols: self.symbols(),
            frames: HashMap::new(),
            threads: HashMap::new(),
            blocks: 0,
        };
        trace.process(command)?;
        trace.samples()?;
        trace.finish()
    }
}

/// A trace that is being written.
struct Trace<'s, W: Write> {
    snapshot: &'s Snapshot,
    writer: TraceWriter<W>,
    symbols: Symbols<'s>,
    /// Functions at an address, outermost first; the flag: at the instruction itself.
    frames: HashMap<(u64, bool), Vec<FrameId>>,
    /// By the place where its name is.
    threads: HashMap<*const (u32, String), ThreadId>,
    /// Numbers that were given to blocks.
    blocks: u64,
}

/// What a sampled block's allocation and the block are recognized by, in samples and among the live ones.
type Birth<'s> = (u64, *const (u32, String), &'s [u64]);

fn birth(kept: &Kept) -> Birth<'_> {
    (kept.time_ns, Arc::as_ptr(&kept.thread), &kept.stack)
}

impl<'s, W: Write> Trace<'s, W> {
    fn process(&mut self, command: Vec<Vec<u8>>) -> io::Result<()> {
        self.writer.write(&Record::Process(Process {
            id: PROCESS,
            parent: None,
            pid: std::process::id(),
            time: Timestamp::ZERO,
            command,
            python: String::new(),
            profiled: true,
        }))
    }

    fn samples(&mut self) -> io::Result<()> {
        let snapshot = self.snapshot;
        let mut held = self.older()?;
        for kept in snapshot.samples.iter() {
            match kept.what {
                What::Cpu { ns: weight_ns } => {
                    let (time, thread, stack) = self.place(kept)?;
                    let class = Class::Native;
                    let sample =
                        profformat::record::Sample { time, thread, stack, weight_ns, class };
                    self.writer.write(&Record::Sample(sample))?;
                }
                What::Alloc { bytes, size } => {
                    let is_held = held.get_mut(&birth(kept)).is_some_and(take_one);
                    self.alloc(kept, bytes, size, is_held)?;
                }
            }
        }
        Ok(())
    }

    /// Writes live blocks that no sample of the snapshot has; gives the number of the others by their birth.
    fn older(&mut self) -> io::Result<HashMap<Birth<'s>, usize>> {
        let snapshot = self.snapshot;
        let mut born: HashMap<Birth<'_>, usize> = HashMap::new();
        for kept in snapshot.samples.iter() {
            if let What::Alloc { .. } = kept.what {
                *born.entry(birth(kept)).or_default() += 1;
            }
        }
        let mut held: HashMap<Birth<'_>, usize> = HashMap::new();
        let mut older_bytes = 0u64;
        for kept in &snapshot.live {
            let What::Alloc { bytes, size } = kept.what else { continue };
            if born.get_mut(&birth(kept)).is_some_and(take_one) {
                *held.entry(birth(kept)).or_default() += 1;
            } else {
                older_bytes = older_bytes.saturating_add(bytes);
                self.alloc(kept, bytes, size, true)?;
            }
        }
        if older_bytes > 0 {
            self.note(&format!(
                "{older_bytes} bytes that count as allocated at the beginning are older: blocks that were held already"
            ))?;
        }
        Ok(held)
    }

    fn alloc(&mut self, kept: &Kept, weight: u64, size: u64, held: bool) -> io::Result<()> {
        let (time, thread, stack) = self.place(kept)?;
        self.blocks += u64::from(held);
        // A block that is not held is not followed: when it was freed is not known.
        let block = if held { self.blocks } else { 0 };
        let domain = Domain::Native;
        let alloc = Alloc { time, thread, stack, size, weight, domain, block };
        self.writer.write(&Record::Alloc(alloc))
    }

    fn place(&mut self, kept: &Kept) -> io::Result<(Timestamp, ThreadId, Option<StackId>)> {
        let time = kept.time_ns.saturating_sub(self.snapshot.from_ns);
        let time = time.min(nanos(self.snapshot.length));
        let stack = self.stack(&kept.stack);
        Ok((Timestamp::from_nanos(time), self.thread(&kept.thread)?, stack))
    }

    fn thread(&mut self, named: &Arc<(u32, String)>) -> io::Result<ThreadId> {
        let key = Arc::as_ptr(named);
        if let Some(id) = self.threads.get(&key) {
            return Ok(*id);
        }
        let (tid, name) = (named.0, &named.1);
        let id = ThreadId::new(self.threads.len() as u32);
        let (time, name) = (Timestamp::ZERO, name.as_bytes().to_vec());
        self.writer.write(&Record::Thread(Thread { id, process: PROCESS, tid, time, name }))?;
        self.threads.insert(key, id);
        Ok(id)
    }

    fn stack(&mut self, addresses: &[u64]) -> Option<StackId> {
        let mut stack = None;
        for (depth, &address) in addresses.iter().enumerate().rev() {
            let key = (address, depth == 0);
            let frames = match self.frames.remove(&key) {
                Some(known) => known,
                None => self.functions(address, depth == 0),
            };
            for frame in &frames {
                stack = Some(self.writer.stack(stack, *frame));
            }
            self.frames.insert(key, frames);
        }
        stack
    }

    /// Frames of the functions at an address, outermost first; never none.
    fn functions(&mut self, address: u64, exact: bool) -> Vec<FrameId> {
        let snapshot = self.snapshot;
        let at = address.saturating_sub(u64::from(!exact));
        let module = modules::find(snapshot.modules(), at);
        let path = module.map_or("", |index| &snapshot.modules()[index].path);
        let mut frames = self.symbols.at(address, exact);
        if frames.is_empty() {
            let function = modules::place(snapshot.modules(), at);
            frames.push(Named { function, file: String::new(), line: 0 });
        }
        let binary = module.map_or(BinaryId::NONE, |index| self.binary(&snapshot.modules()[index]));
        let id = |(inner, frame): (usize, &Named)| {
            let file = if frame.file.is_empty() { path } else { &frame.file };
            let name = self.writer.string(frame.function.as_bytes());
            let file = self.writer.string(file.as_bytes());
            let function = Function { name, file, first_line: 0, lang: Lang::Native };
            let function = self.writer.function_of(function, binary);
            let frame = Frame { function, line: frame.line };
            // All but the outermost are in its code.
            let is_inlined = inner + 1 < frames.len();
            if is_inlined { self.writer.inlined(frame) } else { self.writer.frame(frame) }
        };
        frames.iter().enumerate().rev().map(id).collect()
    }

    fn binary(&mut self, module: &Module) -> BinaryId {
        if module.path.as_bytes() == ANONYMOUS {
            return BinaryId::NONE;
        }
        let byte = |digits: &[u8]| {
            let digits = digits.iter().filter_map(|digit| char::from(*digit).to_digit(16));
            digits.fold(0, |byte, digit| byte << 4 | digit as u8)
        };
        let build_id: Vec<u8> = module.build_id.as_bytes().chunks(2).map(byte).collect();
        let path = self.writer.string(module.path.as_bytes());
        let build_id = self.writer.string(&build_id);
        self.writer.binary(Binary { path, build_id })
    }

    fn finish(mut self) -> io::Result<()> {
        let snapshot = self.snapshot;
        for remark in remarks::of_cpu(snapshot) {
            self.note(&remark)?;
        }
        if snapshot.samples.iter().any(|kept| kept.labels.is_some()) {
            self.note("the samples' labels are not in this trace")?;
        }
        let end = Timestamp::from_nanos(nanos(snapshot.length));
        self.writer.write(&Record::ProcessEnd(ProcessEnd {
            id: PROCESS,
            time: end,
            outcome: Outcome::Running,
            cpu_ns: snapshot.cpu_ns,
        }))?;
        self.writer.finish(end)?.flush()
    }

    fn note(&mut self, words: &str) -> io::Result<()> {
        self.writer.write(&Record::Note(words.as_bytes().to_vec()))
    }
}

/// Takes one of a number; false if there was none.
fn take_one(left: &mut usize) -> bool {
    let next = left.checked_sub(1);
    *left = next.unwrap_or(0);
    next.is_some()
}

/// The command line of this process without secrets; empty if the kernel does not show it.
fn command() -> Vec<Vec<u8>> {
    let bytes = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let words = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    if words.is_empty() {
        return Vec::new();
    }
    redact(&words.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect::<Vec<_>>())
}

/// A number that no other trace has. The hasher's keys are the standard library's own randomness.
fn random() -> [u8; 16] {
    let hasher = RandomState::new();
    let [one, two] = [1, 2].map(|number| hasher.hash_one(number).to_le_bytes());
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&one);
    bytes[8..].copy_from_slice(&two);
    bytes
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
