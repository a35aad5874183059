//! Writes a small trace with everything an export can show: `write_trace OUT`.

use std::fs::File;
use std::io::{self, BufWriter};

use profformat::ids::{ProcessId, StackId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

const MS: u64 = 1_000_000;

fn main() -> io::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("usage: write_trace OUT"));
    };
    let header = Header {
        start_unix_ns: 1_700_000_000_000_000_000,
        cpu_interval_ns: 10 * MS,
        memory_interval: 131_072,
        copy_interval: 1 << 20,
        command: vec![b"python3".to_vec(), b"app.py".to_vec()],
        tool: "write_trace".to_owned(),
        ..Header::default()
    };
    let out = BufWriter::new(File::create_new(path)?);
    let mut writer = TraceWriter::new(out, &header, Options::default())?;
    let stacks = stacks(&mut writer);
    let copiers = [&b"CPython"[..], b"numpy", b""].map(|name| writer.string(name));
    let process = ProcessId::new(0);
    writer.write(&Record::Process(Process {
        id: process,
        parent: None,
        pid: 4242,
        time: Timestamp::ZERO,
        command: header.command.clone(),
        python: "3.11.7".to_owned(),
        profiled: true,
    }))?;
    for number in 0..2u32 {
        writer.write(&Record::Thread(Thread {
            id: ThreadId::new(number),
            process,
            tid: 4242 + number,
            time: Timestamp::ZERO,
            name: if number == 0 { b"MainThread".to_vec() } else { b"Thread-1 (work)".to_vec() },
        }))?;
    }
    for at in 0..500u64 {
        let time = Timestamp::from_nanos(at * 10 * MS);
        let thread = ThreadId::new((at % 3 / 2) as u32);
        let class = Class::ALL[(at * at % 11 % 6) as usize];
        let stack = stacks.get((at * 7 % 13) as usize % (stacks.len() + 1)).copied();
        let weight_ns = 10 * MS + at * 31;
        writer.write(&Record::Sample(Sample { time, thread, stack, weight_ns, class }))?;
        let size = 100 + at * 17;
        let domain = if at % 4 == 0 { Domain::Native } else { Domain::Python };
        let (weight, block) = (131_072 + at, at + 1);
        writer.write(&Record::Alloc(Alloc { time, thread, stack, size, weight, domain, block }))?;
        if at % 2 == 0 && at > 20 {
            writer.write(&Record::Free(Free { time, thread, block: at - 20 }))?;
        }
        if at % 10 == 0 {
            let (size, weight, copier) = (1 << 16, 1 << 20, copiers[at as usize / 10 % 3]);
            writer.write(&Record::Copied(Copied { time, thread, stack, size, weight, copier }))?;
        }
        if at % 5 == 0 {
            writer.write(&Record::Footprint(Footprint {
                time,
                process,
                native_bytes: 1000 * at,
                python_bytes: 100_000 + (at % 300) * 4096,
                peak: at < 300,
            }))?;
        }
    }
    let time = Timestamp::from_nanos(5000 * MS);
    for (name, value) in [(counter::TICKS, 503), (counter::SAMPLES, 500), ("lost.ring_full", 3)] {
        let name = writer.string(name.as_bytes());
        writer.write(&Record::Counter(Counter { time, process, name, value }))?;
    }
    let end = ProcessEnd { id: process, time, outcome: Outcome::Exited(0), cpu_ns: 0 };
    writer.write(&Record::ProcessEnd(end))?;
    writer.finish(time)?;
    Ok(())
}

/// A few stacks: callers, a recursion, native leaves, a stack without Python.
fn stacks<W: io::Write>(writer: &mut TraceWriter<W>) -> Vec<StackId> {
    let mut frame = |name: &str, file: &str, first_line: u32, line: u32, lang: Lang| {
        let (name, file) = (writer.string(name.as_bytes()), writer.string(file.as_bytes()));
        let function = writer.function(Function { name, file, first_line, lang });
        writer.frame(Frame { function, line })
    };
    let main = frame("<module>", "app.py", 1, 40, Lang::Python);
    let load = frame("Loader.load; \"quoted\"", "lib/größe.py", 10, 14, Lang::Python);
    let fib = frame("fib", "app.py", 20, 22, Lang::Python);
    let zlib = frame("libz.so.1", "/usr/lib/x86_64-linux-gnu/libz.so.1", 0, 0, Lang::Native);
    let kernel = frame("[kernel]", "", 0, 0, Lang::Other);
    let root = writer.stack(None, main);
    let loaded = writer.stack(Some(root), load);
    let mut stacks = vec![root, loaded];
    stacks.push(writer.stack(Some(loaded), zlib));
    stacks.push(writer.stack(Some(loaded), kernel));
    let mut deep = root;
    for _ in 0..4 {
        deep = writer.stack(Some(deep), fib);
        stacks.push(deep);
    }
    stacks.push(writer.stack(None, zlib));
    stacks
}
