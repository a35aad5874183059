//! Exact figures of a process: counters, losses, footprint. Read at each drain, written when changed.

use std::collections::HashMap;

use profformat::ids::ProcessId;
use profformat::record::{Counter, Footprint, Inherited, Record, counter};

use super::trace::Trace;
use crate::session::{Count, LOSSES, Loss, LostKind, Session, slot_word, word};
use crate::sync::Ordering;

/// Header words: their names in the trace.
const WORDS: [(usize, &str); 11] = [
    (word::CODE_FULL, "code_full"),
    (word::LIVE_FULL, "live_full"),
    (word::PROBE_FAULTS, "probe_faults"),
    (word::TIMER_FAILED, "timer_failed"),
    (word::LOW_ALTERNATES, "low_alternates"),
    (word::TICKS_BLOCKED, "ticks_blocked"),
    (word::MAPPED_ANONYMOUS, counter::MAPPED_BYTES),
    (word::MAPPED_FILES, counter::MAPPED_FILE_BYTES),
    (word::UNMAPPED, counter::UNMAPPED_BYTES),
    (word::MAPPED_HELD, counter::MAPPED_HELD_BYTES),
    (word::MAPPED_PEAK, counter::MAPPED_PEAK_BYTES),
];

const KINDS: [(LostKind, &str); 3] = [
    (LostKind::Tick, counter::LOST),
    (LostKind::Alloc, counter::LOST_ALLOC),
    (LostKind::Copy, counter::LOST_COPY),
];

/// Why a tick was lost that its thread had no time to count.
const UNFINISHED: &str = "unfinished";

/// What was written last of each figure.
#[derive(Debug, Default)]
pub(crate) struct Books {
    counters: HashMap<String, u64>,
    footprint: Option<[u64; 2]>,
    peak: u64,
    has_told_inherited: bool,
}

impl Books {
    /// Writes the counters that changed.
    pub(crate) fn write_counters(
        &mut self,
        process: ProcessId,
        session: Session,
        slots: usize,
        now: u64,
        trace: &mut Trace,
    ) {
        for (name, value) in read(session, slots) {
            self.write(process, &name, value, now, trace);
        }
    }

    /// At the end of a process, or of the recording: ticks that came and were neither sampled nor lost by then were
    /// under way on their threads. By what was written last.
    pub(crate) fn write_unfinished(&mut self, process: ProcessId, now: u64, trace: &mut Trace) {
        let written = |name: &str| self.counters.get(name).copied().unwrap_or(0);
        let lost = Loss::ALL.iter().map(|(_, name)| written(&format!("{}{name}", counter::LOST)));
        let done = written(counter::SAMPLES) + lost.sum::<u64>();
        let unfinished = written(counter::TICKS).saturating_sub(done);
        self.write(process, &format!("{}{UNFINISHED}", counter::LOST), unfinished, now, trace);
    }

    /// Writes one counter if it changed; one that never was anything but 0 is left out.
    pub(crate) fn write(
        &mut self,
        process: ProcessId,
        name: &str,
        value: u64,
        now: u64,
        trace: &mut Trace,
    ) {
        if self.counters.get(name).copied().unwrap_or(0) == value {
            return;
        }
        self.counters.insert(name.to_owned(), value);
        let record = Counter { time: trace.time(now), process, name: trace.label(name), value };
        trace.write(&Record::Counter(record));
    }

    /// Points of the footprint curve since the last drain: a new peak, and the present values; before them, once, what
    /// of them the process began with.
    pub(crate) fn footprint(
        &mut self,
        process: ProcessId,
        session: Session,
        now: u64,
        trace: &Trace,
        mut push: impl FnMut(u64, Record),
    ) {
        // Acquire: what is said to be inherited is there when the footprint is.
        let load = |at: usize| session.word(at).load(Ordering::Acquire);
        let values =
            [word::FOOTPRINT_NATIVE, word::FOOTPRINT_PYTHON].map(|at| not_negative(load(at)));
        let inherited = load(word::INHERITED);
        if inherited > 0 && !std::mem::replace(&mut self.has_told_inherited, true) {
            let time_in_trace = trace.time(now);
            let inherited = Inherited { time: time_in_trace, process, bytes: inherited };
            push(now, Record::Inherited(inherited));
        }
        let mut point = |time: u64, native_bytes: u64, python_bytes: u64, peak: bool| {
            let time_in_trace = trace.time(time);
            push(
                time,
                Record::Footprint(Footprint {
                    time: time_in_trace,
                    process,
                    native_bytes,
                    python_bytes,
                    peak,
                }),
            );
        };
        let peak = load(word::PEAK_BYTES);
        if peak > self.peak {
            self.peak = peak;
            let python = load(word::PEAK_PYTHON).min(peak);
            point(load(word::PEAK_TIME).min(now), peak - python, python, true);
        }
        if self.footprint.unwrap_or_default() != values {
            self.footprint = Some(values);
            point(now, values[0], values[1], false);
        }
    }
}

/// All counters of a session, summed over its slots. What became of ticks is read before the ticks: while threads go
/// on, no tick has an outcome that is not counted as a tick.
fn read(session: Session, slots: usize) -> Vec<(String, u64)> {
    let sum = |at: usize| {
        (0..slots).fold(0_u64, |sum, slot| {
            sum.saturating_add(session.slot(slot).word(at).load(Ordering::Relaxed))
        })
    };
    let counts = Count::ALL
        .iter()
        .rev()
        .map(|&(c, name)| (name.to_owned(), sum(slot_word::COUNTERS + c as usize)));
    let losses = KINDS.iter().flat_map(|&(kind, prefix)| {
        Loss::ALL.iter().map(move |&(loss, name)| {
            (format!("{prefix}{name}"), slot_word::LOST + kind as usize * LOSSES + loss as usize)
        })
    });
    let words = WORDS.iter().map(|&(at, name)| {
        (name.to_owned(), not_negative(session.word(at).load(Ordering::Relaxed)))
    });
    let losses = losses.map(|(name, at)| (name, sum(at)));
    losses.chain(words).chain(counts).collect()
}

/// A total that several threads add to can be below zero for a moment.
fn not_negative(word: u64) -> u64 {
    (word as i64).max(0) as u64
}
