//! Writes a trace: `cargo run -p profformat --example write app.proftrace`.

use profformat::record::{Class, Header, Record, Sample};
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "app.proftrace".into());
    let header = Header { cpu_interval_ns: 10_000_000, ..Header::default() };
    let mut writer =
        TraceWriter::new(std::fs::File::create_new(path)?, &header, Options::default())?;
    let process = writer.process(std::process::id(), &["app", "--fast"])?;
    let thread = writer.thread(process, std::process::id(), "main")?;
    let main = writer.call(None, "main", "app.rs", 3);
    let stack = Some(writer.call(Some(main), "work", "app.rs", 12));
    for i in 1..=100 {
        let (time, weight_ns) = (Timestamp::from_nanos(i * 10_000_000), 10_000_000);
        let class = Class::Native;
        writer.write(&Record::Sample(Sample { time, thread, stack, weight_ns, class }))?;
    }
    writer.finish(Timestamp::from_nanos(1_000_000_000))?;
    Ok(())
}
