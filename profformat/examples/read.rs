//! Adds up the time in a trace: `cargo run -p profformat --example read app.proftrace`.

use profformat::{Block, TraceReader, map};

fn main() -> Result<(), profformat::Error> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "app.proftrace".into());
    let bytes = map::open(path.as_ref())?;
    let mut reader = TraceReader::new(&bytes)?;
    let mut ns = 0;
    while let Some(block) = reader.next_block() {
        if let Block::Samples(samples) = block? {
            ns += samples.iter().map(|sample| sample.weight_ns).sum::<u64>();
        }
    }
    println!("{:.3} s in {} stacks", ns as f64 / 1e9, reader.tables().stacks().len());
    Ok(())
}
