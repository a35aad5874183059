//! A clock above the kernel's tick: perf events on threads' CPU clocks, opened here, whose overflow is a signal there.
//!
//! A timer on a CPU clock is looked at when the kernel ticks; a perf event has a timer of its own in the kernel and is
//! exact to microseconds. Three dangers are kept out. Each overflow queues a signal, and a full queue would turn it
//! into a SIGIO that kills: an event ticks only as often as was paid in advance, which is what the thread has taken in
//! already plus a reserve, as long as the queue has room. An event that outlives an exec would kill the new program:
//! the kernel removes it there, and before that the thread asks us to end it (`exec`). And an event belongs to one
//! thread alone: nothing is inherited.
//!
//! Layout, flags and requests: `perf_event_open(2)` and `linux/perf_event.h`.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ring::registry::{self, Owner, State};
use crate::session::{Count, Slot, slot_word};
use crate::sync::Ordering;

/// `struct perf_event_attr`, version 7.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    rest: [u32; 19],
}

const _: () = assert!(size_of::<Attributes>() == 128);

const SOFTWARE: u32 = 1;
const TASK_CLOCK: u64 = 1;
const DISABLED: u64 = 1;
const REMOVE_ON_EXEC: u64 = 1 << 36;
const CLOSE_ON_EXEC: libc::c_ulong = 8;
/// Adds so many ticks to those that the event may still send, and lets it run.
const REFRESH: libc::c_ulong = 0x2402;
/// Sets the nanoseconds between two ticks.
const PERIOD: libc::c_ulong = 0x4008_2404;
/// `fcntl`: the signal, and the one thread it goes to.
const SET_SIGNAL: libc::c_int = 10;
const SET_OWNER: libc::c_int = 15;

/// Least reserve of ticks.
const LEAST_PAID: u64 = 16;
/// The reserve lasts so long: ten drains.
const RESERVE_NS: u64 = 500_000_000;
/// Part of the room in the queue of signals that one payment may take: one in this many.
const ROOM_SHARE: u64 = 4;

/// The events of a run by pid and thread id: opened and paid by drains, ended by the listener before an exec.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Arc<Mutex<HashMap<(u32, u32), OwnedFd>>>);

/// What a drain knows of a thread's event.
#[derive(Debug, Default)]
pub(crate) struct Paid {
    /// Ticks of the slot when the event was opened, and ticks paid for since.
    before: u64,
    ticks: u64,
    period: u64,
    is_open: bool,
    failed: bool,
}

impl Events {
    /// Why there can be no events, as far as it can be known in advance.
    pub(crate) fn refusal() -> Option<io::Error> {
        open(0, 1_000_000_000).err()
    }

    /// Ends a thread's event. Its owner asks for it before an exec, a drain when the thread is gone.
    pub(crate) fn end(&self, pid: u32, tid: u32) {
        self.lock().remove(&(pid, tid));
    }

    /// Opens the event of a live thread, and pays it. `room`: signals that may still be queued. An error comes once for
    /// each thread: it keeps its timer.
    pub(crate) fn tend(
        &self,
        who: (u32, Owner),
        slot: Slot,
        signal: i32,
        room: &mut u64,
        paid: &mut Paid,
    ) -> io::Result<()> {
        let (pid, owner) = who;
        let interval = slot.word(slot_word::INTERVAL).load(Ordering::Relaxed);
        let reserve = (RESERVE_NS / interval.max(1)).max(LEAST_PAID);
        if paid.failed || owner.state != State::Live || interval == 0 || signal <= 0 {
            return Ok(());
        }
        let mut events = self.lock();
        if !paid.is_open {
            // A thread that is about to exec changes the word under us. One that is new in the slot is not yet done with it.
            let word = slot.word(slot_word::PERF);
            let settled = slot.word(slot_word::PERF_FOR).load(Ordering::Acquire);
            if settled != u64::from(owner.generation) {
                return Ok(());
            }
            if word.load(Ordering::Acquire) != 0 || *room < reserve.saturating_mul(ROOM_SHARE) {
                return Ok(());
            }
            let opened = open(owner.tid, interval);
            if opened.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::ESRCH)) {
                // The thread has just ended.
                return Ok(());
            }
            paid.failed = true;
            let event = opened?;
            send_to(&event, owner.tid, signal)?;
            paid.failed = false;
            let name = event.as_raw_fd() as u64 + 1;
            let owns = registry::owner(slot.word(slot_word::STATE)) == owner;
            if !owns || word.compare_exchange(0, name, Ordering::AcqRel, Ordering::Acquire).is_err()
            {
                return Ok(());
            }
            let before = ticks(slot);
            *paid = Paid { before, ticks: 0, period: interval, is_open: true, failed: false };
            events.insert((pid, owner.tid), event);
        }
        let Some(event) = events.get(&(pid, owner.tid)) else {
            // Ended before an exec, which then failed: the next drain opens another.
            paid.is_open = false;
            return Ok(());
        };
        if paid.period != interval {
            request(event.as_raw_fd(), PERIOD, (&raw const interval).expose_provenance())?;
            paid.period = interval;
        }
        let taken = ticks(slot).wrapping_sub(paid.before);
        let missing = reserve.saturating_sub(paid.ticks.saturating_sub(taken));
        if missing >= reserve.div_ceil(4) && *room >= missing.saturating_mul(ROOM_SHARE) {
            *room -= missing;
            // Ticks of the thread's timer count as taken too: never more is paid than was taken and the reserve.
            paid.ticks = paid.ticks.max(taken) + missing;
            request(event.as_raw_fd(), REFRESH, missing as usize)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(u32, u32), OwnedFd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Paid {
    /// True while the thread's event is open.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }
}

fn ticks(slot: Slot) -> u64 {
    slot.word(slot_word::COUNTERS + Count::Ticks as usize).load(Ordering::Relaxed)
}

/// An event on the CPU clock of a thread (0: the caller), which does not tick yet.
fn open(tid: u32, period: u64) -> io::Result<OwnedFd> {
    let attributes = Attributes {
        kind: SOFTWARE,
        size: size_of::<Attributes>() as u32,
        config: TASK_CLOCK,
        period,
        flags: DISABLED | REMOVE_ON_EXEC,
        wakeup_events: 1,
        ..Attributes::default()
    };
    let any_cpu = -1 as libc::c_long;
    let no_group = -1 as libc::c_long;
    // SAFETY: the kernel reads `size` bytes of the attributes, and makes a descriptor.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            libc::c_long::from(tid),
            any_cpu,
            no_group,
            CLOSE_ON_EXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made by the kernel, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Has the event's overflows told to a thread, by a signal of that number.
fn send_to(event: &OwnedFd, tid: u32, signal: i32) -> io::Result<()> {
    // `struct f_owner_ex`, F_OWNER_TID.
    let owner = [0, tid as i32];
    let fd = event.as_raw_fd();
    // SAFETY: the kernel reads two ints; the other calls pass no memory.
    let results = unsafe {
        [
            libc::fcntl(fd, SET_OWNER, &raw const owner),
            libc::fcntl(fd, SET_SIGNAL, signal),
            libc::fcntl(fd, libc::F_SETFL, libc::O_ASYNC),
        ]
    };
    if results.contains(&-1) { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn request(fd: RawFd, number: libc::c_ulong, argument: usize) -> io::Result<()> {
    // SAFETY: REFRESH takes a number, PERIOD the address of one of 64 bits, which the caller passes.
    let result = unsafe { libc::ioctl(fd, number, argument) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
