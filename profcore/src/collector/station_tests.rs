//! The station as a whole: from the words of a session to the records of a trace.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use profformat::record::{Class, Header, Record};
use profformat::{TraceReader, ids::ProcessId};

use super::binaries::Binaries;
use super::drain::{Drain, Threads};
use super::intake::Intake;
use super::listen::Listener;
use super::perf::Events;
use super::policy::{Policy, Verdict};
use super::procfs;
use super::recorder::Recorder;
use super::region::Region;
use super::trace::Trace;
use crate::config::Config;
use crate::cpython::interpreters;
use crate::event::{UNKNOWN_CODE, flag, frame_word, head_word, kind, stack_flag, stack_word};
use crate::handshake::{self, Hello, Kind};
use crate::live::Live;
use crate::modules::Modules;
use crate::ring::registry;
use crate::session::{
    Count, Loss, LostKind, SLOTS, Session, Slot, area, python_state, slot_word, word,
};
use crate::sync::Ordering;

/// Memory that a trace is written to.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<Vec<u8>>>);

impl Write for Shelf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn station() -> (Shelf, Trace, Drain) {
    let shelf = Shelf::default();
    let mut trace = Trace::begin(Box::new(shelf.clone()), &Header::default()).unwrap();
    let id = ProcessId::new(0);
    trace.write(&Record::Process(profformat::record::Process {
        id,
        parent: None,
        pid: 0,
        time: trace.time(0),
        command: Vec::new(),
        python: String::new(),
        profiled: true,
    }));
    let (region, _memory) = Region::create().unwrap();
    let recorder = Recorder::new(0, id, 0x030b_07f0, Modules::default(), Binaries::default());
    (shelf, trace, Drain::new(0, false, Intake::alone(region), recorder, Events::default()))
}

fn records(shelf: &Shelf, trace: Trace) -> (Vec<Record>, Vec<usize>) {
    let end = trace.time(1_000_000);
    assert!(trace.finish(end).is_none());
    let bytes = shelf.0.lock().unwrap().clone();
    let mut reader = TraceReader::new(&bytes).unwrap();
    let mut found = Vec::new();
    while let Some(record) = reader.next_record() {
        found.push(record.unwrap());
    }
    let depth = |record: &Record| match record {
        Record::Sample(sample) => Some(reader.tables().walk(sample.stack).count()),
        _ => None,
    };
    let depths = found.iter().filter_map(depth).collect();
    (found, depths)
}

fn claim(session: Session, tid: u32) -> (Slot, registry::Owner) {
    let states = (1..SLOTS).map(|at| (at, session.slot(at).word(slot_word::STATE)));
    let (at, owner) = registry::claim(session.word(word::SLOTS_HIGH), states, tid).unwrap();
    (session.slot(at), owner)
}

fn tick(slot: Slot, time: u64, common: usize, frames: &[u64], flags: u8) {
    let len = 5 + frames.len();
    let mut event = slot.ring().reserve(len, crate::ring::spsc::Share::All).unwrap();
    event.word(head_word(len, kind::TICK, flag::REST, 0));
    for word in [time, 10, 0, stack_word(common, frames.len(), 0, flags, 0)] {
        event.word(word);
    }
    for &frame in frames {
        event.word(frame);
    }
    event.commit();
}

/// A drain may come between a process's greeting and its first words in the session.
#[test]
fn an_interpreter_that_a_process_greets_with_is_not_found_late() {
    let Some(interpreter) = interpreters::all().into_iter().next() else {
        return interpreters::skip("there is no interpreter to find");
    };
    let mut python = Command::new(&interpreter.path)
        .args(["-I", "-c", "print(flush=True); input()"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    for (greeting, state) in
        [(interpreter.version_hex, python_state::NONE), (0, python_state::FOUND_LATE)]
    {
        let (_, mut trace, drain) = station();
        let session = drain.session().unwrap();
        let modules = Modules::parse(&procfs::maps(python.id()));
        let id = ProcessId::new(0);
        let mut recorder = Recorder::new(python.id(), id, greeting, modules, Binaries::default());
        recorder.look_for_late_python(session, &mut trace);
        assert_eq!(session.word(word::PY_STATE).load(Ordering::Relaxed), state);
    }
    python.stdin.take().unwrap().write_all(b"\n").unwrap();
    python.wait().unwrap();
}

/// The drain began long before: it may have read a library's tables meanwhile.
#[test]
fn a_peak_has_its_own_time_however_long_the_drain_takes() {
    let (shelf, mut trace, mut drain) = station();
    let session = drain.session().unwrap();
    // Traces have microseconds.
    let peak = super::now() / 1_000 * 1_000;
    session.word(word::PEAK_BYTES).store(1_000, Ordering::Relaxed);
    session.word(word::PEAK_TIME).store(peak, Ordering::Relaxed);
    let expected = trace.time(peak);
    drain.drain(peak - 100_000_000, true, &mut trace, &mut Threads::default());
    let (records, _) = records(&shelf, trace);
    let peaks = records.iter().filter_map(|record| match record {
        Record::Footprint(point) if point.peak => Some((point.time, point.native_bytes)),
        _ => None,
    });
    assert_eq!(peaks.collect::<Vec<_>>(), [(expected, 1_000)]);
}

#[test]
fn events_become_records_and_slots_become_free() {
    let (shelf, mut trace, mut drain) = station();
    let mut threads = Threads::default();
    let session = drain.session().unwrap();
    let (first, owner) = claim(session, 7);
    let (second, _) = claim(session, 8);
    let unknown = frame_word(UNKNOWN_CODE, 0);
    tick(second, 200, 0, &[], 0);
    tick(first, 500, 0, &[unknown; 3], stack_flag::PYTHON);
    tick(second, 300, 0, &[unknown], stack_flag::PYTHON);
    tick(second, 950, 0, &[], 0);
    tick(first, 900, 2, &[], stack_flag::PYTHON);
    tick(first, 901, 2, &[unknown], stack_flag::PYTHON | stack_flag::TORN);
    assert!(registry::retire(first.word(slot_word::STATE), owner));
    drain.drain(1_000, false, &mut trace, &mut threads);
    assert_eq!(registry::owner(first.word(slot_word::STATE)).state, registry::State::Free);
    let (_, next) = claim(session, 9);
    assert_eq!(next.generation, owner.generation + 1, "the slot is somebody else's");
    drain.drain(2_000, true, &mut trace, &mut threads);
    drain.finish(Some(100), 2_000, &mut trace);

    let (records, depths) = records(&shelf, trace);
    // In order of time over both slots; the torn one has a root that says so.
    assert_eq!(depths, [0, 1, 3, 2, 4, 0]);
    let tids: Vec<_> = records
        .iter()
        .filter_map(|r| if let Record::Thread(t) = r { Some(t.tid) } else { None })
        .collect();
    assert_eq!(tids, [7, 8, 9]);
    assert_eq!(records.iter().filter(|r| matches!(r, Record::ThreadEnd(_))).count(), 3);
    let classes: Vec<_> = records
        .iter()
        .filter_map(|r| if let Record::Sample(s) = r { Some(s.class) } else { None })
        .collect();
    let (python, native) = (Class::Python, Class::Native);
    assert_eq!(
        classes,
        [native, python, python, python, python, python],
        "once Python, last words too"
    );
    assert_eq!(drain.sampled_ns(), 60);
}

#[test]
fn a_code_object_that_never_comes_is_waited_for_and_then_named_unknown() {
    let (shelf, mut trace, mut drain) = station();
    let mut threads = Threads::default();
    let (slot, _) = claim(drain.session().unwrap(), 7);
    tick(slot, 1, 0, &[frame_word(5, 0)], stack_flag::PYTHON);
    tick(slot, 2, 1, &[frame_word(5, 0)], stack_flag::PYTHON);
    drain.drain(10, false, &mut trace, &mut threads);
    assert_eq!(drain.sampled_ns(), 0, "it is held back");
    for _ in 0..10 {
        drain.drain(10, false, &mut trace, &mut threads);
    }
    assert_eq!(drain.sampled_ns(), 20, "both have come");
    assert_eq!(records(&shelf, trace).1, [1, 2]);
}

#[test]
fn any_words_are_survived() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let (shelf, mut trace, mut drain) = station();
    let mut threads = Threads::default();
    let session = drain.session().unwrap();
    for round in 0..6_u64 {
        for cell in session.area(0, area::CODE_ARENA + 4096) {
            cell.store(next() >> (next() % 64), Ordering::Relaxed);
        }
        session
            .word(word::SLOTS_HIGH)
            .store(if round == 0 { u64::MAX } else { 40 }, Ordering::Relaxed);
        for at in 1..40 {
            let slot = session.slot(at);
            for cell in slot.words() {
                // Half of the words look like parts of small events.
                let word = if next() & 1 == 0 { next() } else { next() & 0x0000_0000_0007_001f };
                cell.store(word, Ordering::Relaxed);
            }
            slot.word(slot_word::STATE).store((round + 1) << 34 | 7 << 2 | 1, Ordering::Relaxed);
            slot.word(slot_word::TAIL).store(next() % 5000, Ordering::Relaxed);
            let tail = slot.word(slot_word::TAIL).load(Ordering::Relaxed);
            slot.word(slot_word::HEAD).store(tail + next() % 6000, Ordering::Relaxed);
        }
        drain.drain(1_000_000, round == 5, &mut trace, &mut threads);
        drain.write_counters(1_000_000, &mut trace);
    }
    drain.finish(Some(u64::MAX), 1_000_000, &mut trace);
    let (records, _) = records(&shelf, trace);
    assert!(records.len() > 40);
}

#[test]
fn a_handshake_gives_a_session_to_whom_it_is_due() {
    let pid = std::process::id();
    let (sender, arrivals) = mpsc::channel();
    let config = Config { copy_interval: 0, ..Config::default() };
    let listener =
        Listener::start(config, Policy::new(true, None), Events::default(), sender).unwrap();
    listener.set_root(pid + 1);
    let ask = |hello| handshake::ask(listener.name().as_bytes(), hello);
    let native = Hello::new(Kind::Constructor, 0);
    assert!(ask(native).is_none(), "neither Python nor the program that was asked for");
    let arrival = arrivals.recv().unwrap();
    assert_eq!((arrival.verdict, arrival.pid, arrival.forked), (Verdict::Dormant, pid, false));
    assert!(ask(Hello::new(Kind::Constructor, 0x030b_07f0)).is_some());
    let arrival = arrivals.recv().unwrap();
    let (region, _) = arrival.region.unwrap();
    let session = region.session().unwrap();
    let control = session.word(word::CONTROL).load(Ordering::Relaxed);
    use crate::session::control::{CPU, MEMORY, NATIVE};
    assert_eq!(control, CPU | MEMORY | NATIVE);
    assert!(!arrival.modules.is_empty() && arrival.same_pids && arrival.pidfd.is_some());
}

#[test]
fn ticks_cut_off_by_the_end_of_their_process_are_told() {
    let (shelf, mut trace, mut drain) = station();
    let (slot, _) = claim(drain.session().unwrap(), 70);
    let mut threads = Threads::default();
    slot.add(Count::Ticks, 5);
    slot.add(Count::Samples, 3);
    slot.lose(LostKind::Tick, Loss::Off);
    drain.drain(100, true, &mut trace, &mut threads);
    drain.write_counters(100, &mut trace);
    drain.finish(None, 200, &mut trace);
    let end = trace.time(300);
    assert!(trace.finish(end).is_none());
    let bytes = shelf.0.lock().unwrap().clone();
    let mut reader = TraceReader::new(&bytes).unwrap();
    let mut told = Vec::new();
    while let Some(record) = reader.next_record() {
        if let Record::Counter(counter) = record.unwrap()
            && reader.tables().string(counter.name) == b"lost.unfinished"
        {
            told.push(counter.value);
        }
    }
    assert_eq!(told, [1]);
}

#[test]
fn an_end_that_is_only_marked_is_recorded_once() {
    let (shelf, mut trace, mut drain) = station();
    let session = drain.session().unwrap();
    let (slot, _) = claim(session, 7);
    let mut threads = Threads::default();
    let live = Live::of(session);
    // Traces have microseconds.
    let start = super::now() / 1_000 * 1_000;
    for block in 1..=4 {
        live.insert(64 * block, block);
    }
    let mark = |block: u64, count| {
        live.mark_ended(64 * block);
        session.word(word::LAST_END_MARKED).store(start + 1_000 * block, Ordering::Relaxed);
        session.word(word::ENDS_MARKED).store(count, Ordering::Release);
    };
    mark(1, 1);
    mark(2, 2);
    tick(slot, start, 0, &[], 0);
    drain.drain(start + 10_000, false, &mut trace, &mut threads);
    let tell = |block: u64, at: u64| {
        let mut event = slot.ring().reserve(3, crate::ring::spsc::Share::All).unwrap();
        let words = [head_word(3, kind::FREE, 0, 0), start + at, block];
        words.into_iter().for_each(|word| event.word(word));
        event.commit();
    };
    mark(3, 3);
    // The program has used the address again.
    live.remove(64);
    tell(1, 9_000);
    // And another one, whose mark it does not come to take away any more.
    mark(4, 4);
    tell(4, 3_000);
    drain.drain(start + 20_000, true, &mut trace, &mut threads);
    let (records, _) = records(&shelf, trace);
    let ends = records.iter().filter_map(|record| match record {
        Record::Free(free) => Some((free.time.as_nanos(), free.block)),
        _ => None,
    });
    let mut ends: Vec<_> = ends.collect();
    ends.sort_unstable();
    let begun = ends[0].0;
    let ends: Vec<_> = ends.into_iter().map(|(time, block)| (time - begun, block)).collect();
    let expected = [(0, 1), (0, 2), (1_000, 4), (2_000, 3)];
    assert_eq!(ends, expected, "with the time of the last mark of a look");
}

#[test]
fn owners_that_tell_little_touch_little_of_a_ring() {
    let (shelf, mut trace, mut drain) = station();
    let session = drain.session().unwrap();
    let mut threads = Threads::default();
    for owner in 1..=100 {
        let (slot, owner) = claim(session, owner);
        tick(slot, 10, 0, &[frame_word(UNKNOWN_CODE, 0); 20], 0);
        assert!(registry::retire(slot.word(slot_word::STATE), owner));
        drain.drain(1_000, false, &mut trace, &mut threads);
    }
    let touched = session.slot(1).ring().words.iter();
    let touched = touched.filter(|word| word.load(Ordering::Relaxed) != 0).count();
    assert!((20..=30).contains(&touched), "{touched} words");
    let (records, depths) = records(&shelf, trace);
    let is_end = |record: &&Record| matches!(record, Record::ThreadEnd(_));
    assert_eq!(records.iter().filter(is_end).count(), 100);
    assert_eq!(depths, [20; 100]);
}

#[test]
fn threads_that_come_too_late_for_a_number_are_told_together() {
    let (shelf, mut trace, mut drain) = station();
    let session = drain.session().unwrap();
    let mut threads = Threads::few(3);
    for tid in 1..=10 {
        let (slot, owner) = claim(session, tid);
        tick(slot, 10, 0, &[frame_word(UNKNOWN_CODE, 0)], 0);
        if tid != 9 {
            assert!(registry::retire(slot.word(slot_word::STATE), owner));
        }
        drain.drain(1_000, tid == 10, &mut trace, &mut threads);
    }
    drain.finish(None, 2_000, &mut trace);
    let (records, depths) = records(&shelf, trace);
    assert_eq!(depths.len(), 10, "nobody's sample is left out");
    let numbers = |pick: fn(&Record) -> Option<u32>| -> Vec<u32> {
        records.iter().filter_map(pick).collect()
    };
    let begun = numbers(|record| match record {
        Record::Thread(thread) => Some(thread.tid),
        _ => None,
    });
    assert_eq!(begun, [1, 2, 3, 0]);
    let ended = numbers(|record| match record {
        Record::ThreadEnd(end) => Some(end.id.number()),
        _ => None,
    });
    assert_eq!(ended, [0, 1, 2, 3]);
    let of = numbers(|record| match record {
        Record::Sample(sample) => Some(sample.thread.number()),
        _ => None,
    });
    assert_eq!(of, [0, 1, 2, 3, 3, 3, 3, 3, 3, 3]);
}

#[test]
fn what_no_later_sample_took_over_is_told_with_the_last() {
    let (shelf, mut trace, mut drain) = station();
    let session = drain.session().unwrap();
    let (slot, owner) = claim(session, 7);
    let mut threads = Threads::default();
    let start = super::now();
    let words = [start, 64, 1_000, 5, 0, stack_word(0, 0, 0, 0, 0)];
    let mut event = slot.ring().reserve(7, crate::ring::spsc::Share::All).unwrap();
    event.word(head_word(7, kind::ALLOC, flag::PYTHON, 0));
    words.into_iter().for_each(|word| event.word(word));
    event.commit();
    slot.word(slot_word::ALLOC_CARRIED).store(30_000, Ordering::Relaxed);
    // Of copies there is no last one.
    slot.word(slot_word::COPY_CARRIED).store(500, Ordering::Relaxed);
    drain.drain(start + 10_000, false, &mut trace, &mut threads);
    assert_eq!(slot.word(slot_word::ALLOC_CARRIED).load(Ordering::Relaxed), 30_000, "not yet");
    assert!(registry::retire(slot.word(slot_word::STATE), owner));
    drain.drain(start + 20_000, false, &mut trace, &mut threads);
    drain.drain(start + 30_000, true, &mut trace, &mut threads);
    assert_eq!(slot.word(slot_word::ALLOC_CARRIED).load(Ordering::Relaxed), 0);
    let (records, _) = records(&shelf, trace);
    let told = records.iter().filter_map(|record| match record {
        Record::Alloc(alloc) => Some((alloc.weight, alloc.block)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(1_000, 5), (30_000, 0)]);
}
