//! What our exporter makes for `go tool pprof`, read with prost.
//!
//! It is no trace: samples of the same thread, stack and class are one, and there is no time. So it has no figure
//! for writing here (that is the export of a trace), and its bytes are spread over events that it no longer has.

use std::io::Read;

use flate2::read::GzDecoder;
use profformat::analysis::Profile;
use profformat::export::pprof::message;
use profformat::export::{Format as Output, export};
use prost::Message;

use crate::events::Event;
use crate::format::{Clock, Column, Format, timed};
use crate::load::Load;
use crate::ours;

/// A file of pprof, made once for each load.
#[derive(Default)]
pub(crate) struct Pprof {
    events: usize,
    bytes: Vec<u8>,
}

impl<E: Event> Format<E> for Pprof {
    fn name(&self) -> &'static str {
        "pprof (sums only)"
    }

    fn write(&mut self, load: &Load<E>, out: &mut Vec<u8>, _: &mut Clock) {
        if self.events != load.events.len() || self.bytes.is_empty() {
            self.events = load.events.len();
            self.bytes.clear();
            let mut trace = Vec::new();
            ours::write(load, false, &mut trace);
            let profile = Profile::from_bytes(&trace).expect("a trace");
            export(&profile, Output::Pprof, E::METRIC, &mut self.bytes).expect("memory");
        }
        out.extend_from_slice(&self.bytes);
    }

    fn read(&mut self, bytes: &[u8], load: &Load<E>, clock: &mut Clock) {
        let (read, seconds) = timed(|| read(bytes));
        // Runs that are added up are no longer events.
        if load.run.is_none() {
            clock.add(Column::Read, seconds);
        }
        // Nanoseconds for time, and bytes for memory.
        assert!(read == load.sum || read == load.sum * 1_000, "{read} is not {}", load.sum);
    }
}

fn read(bytes: &[u8]) -> u64 {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).expect("gzip");
    let profile = message::Profile::decode(&plain[..]).expect("a file of pprof");
    profile.sample.iter().map(|sample| sample.value[1] as u64).sum()
}
