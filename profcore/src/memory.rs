//! What the hooks tell about memory: exact counters, the footprint, and samples by bytes.
//!
//! The hooks call these around the next allocator, and only for calls that succeeded. The `usual` forms
//! are the hot path, a few instructions that add to words of the thread's slot: when one says `false` it has
//! done nothing, and the hook calls the full form (best as its last act, so that the hot path has no stack
//! frame). The shim's hottest hooks have that path in assembly, by the places in [`hot`]. What becomes an event
//! goes on in [`sample`]. Nothing here locks, allocates, calls libc or touches errno.
//!
//! Every byte is counted once: a `malloc` made by Python's own allocators (`thread::python_depth` > 0)
//! changes only the footprint, because the Python call around it is what the program asked for.
//!
//! Units: addresses and `bytes` as the allocator has them; a native block's bytes are its usable size, a
//! Python block's the size asked for. `caller` is an address in the code that called, 0 if not known.

#[cfg(feature = "embed")]
pub(crate) mod embedded;
mod footprint;
pub mod hot;
mod mappings;
mod sample;
mod sampler;
#[cfg(test)]
mod tests;
#[cfg(feature = "embed")]
pub(crate) mod uncounted;

pub use mappings::{Backing, mapped, remapped, unmapped};
pub use sample::Resizing;

use crate::cpython;
use crate::process;
use crate::session::{Count, Session, Slot, control, slot_word, word};
use crate::stack;
use crate::sync::AtomicU64;
use crate::sync::Ordering::Relaxed;
use crate::thread;
use footprint::Holder;
use sample::Origin;

/// Python's small allocator hands out multiples of this, up to [`SMALL`] bytes.
const ALIGNMENT: usize = 16;
/// Largest block of Python's small allocator.
pub const SMALL: usize = 512;

/// [`control`] bits of what the hooks watch. A kind that is not sampled is still watched until the first
/// stack could be walked, because its slow path is where that is made ready.
static WATCHED: AtomicU64 = AtomicU64::new(0);

/// Begins to watch what the session samples, and for the time being all else.
pub(crate) fn begin_watching() {
    WATCHED.store(control::MEMORY | control::COPIES, Relaxed);
}

#[cold]
fn stop_watching(kind: u64) {
    WATCHED.fetch_and(!kind, Relaxed);
}

/// Whether hooks of allocation have anything to tell.
#[inline(always)]
pub fn watches_blocks() -> bool {
    WATCHED.load(Relaxed) & control::MEMORY != 0
}

/// Whether hooks of copies have anything to tell.
#[inline(always)]
pub fn watches_copies() -> bool {
    WATCHED.load(Relaxed) & control::COPIES != 0
}

/// Whether the session samples memory: Python's own allocators need not be wrapped otherwise.
pub fn is_sampled() -> bool {
    process::session()
        .is_some_and(|session| session.word(word::CONTROL).load(Relaxed) & control::MEMORY != 0)
}

/// Whether Python has started, and no thread but the first has come up yet: what allocators it uses is decided by now,
/// and nobody else can be calling them.
#[inline]
pub fn python_has_just_started() -> bool {
    // Slot 0 is nobody's.
    stack::is_warm()
        && process::session()
            .is_some_and(|session| session.word(word::SLOTS_HIGH).load(Relaxed) <= 2)
        && cpython::installed().is_some()
}

/// A native block of `bytes` was handed out at `address`.
pub fn allocated(address: usize, bytes: usize, caller: usize) {
    let Some(slot) = thread::current() else { return nobody_allocated(bytes) };
    if thread::python_depth() != 0 {
        return footprint::hold(slot, Holder::Native, bytes as i64);
    }
    footprint::hold(slot, Holder::Native, bytes as i64);
    count(slot, address, bytes, Origin::Native { caller });
}

/// The native block at `address` is about to be given back.
pub fn freeing(address: usize, bytes: usize) {
    let Some(slot) = thread::current() else {
        nobody_frees(address);
        return nobody_held(-(bytes as i64));
    };
    footprint::hold(slot, Holder::Native, -(bytes as i64));
    end(slot, address);
}

/// The native block at `address` is about to be resized. Its address can belong to another thread as soon
/// as the allocator has it, so the block is not followed again before [`resized`] (or one of its siblings),
/// which must be called with what this returns.
#[inline]
pub fn resizing(address: usize) -> Resizing {
    if thread::python_depth() != 0 { Resizing::not_followed(address) } else { lift(address) }
}

/// The allocator resized the block from `old_bytes` to `bytes`, at `address` from now on.
pub fn resized(resizing: Resizing, old_bytes: usize, address: usize, bytes: usize, caller: usize) {
    let growth = (bytes as i64).wrapping_sub(old_bytes as i64);
    let Some(slot) = thread::current() else {
        nobody_held(growth);
        return nobody_counted(growth.max(0) as u64);
    };
    if thread::python_depth() != 0 {
        slot.word(slot_word::RESIZED_FROM).store(old_bytes as u64, Relaxed);
        return footprint::hold(slot, Holder::Native, growth);
    }
    footprint::hold(slot, Holder::Native, growth);
    grow(slot, resizing, old_bytes, address, bytes, Origin::Native { caller });
}

/// The allocator refused: the block is where it was.
#[inline]
pub fn resize_failed(resizing: Resizing) {
    if resizing.is_followed() {
        sample::put_back(resizing);
    }
}

/// The allocator took the resize to nothing as a `free`.
pub fn resize_freed(resizing: Resizing, old_bytes: usize) {
    let Some(slot) = thread::current() else { return nobody_held(-(old_bytes as i64)) };
    footprint::hold(slot, Holder::Native, -(old_bytes as i64));
    if resizing.is_followed() {
        sample::lifted_ended(slot, resizing);
    }
}

/// [`copied`] for a thread with a slot, with no sample point in the bytes.
#[inline(always)]
pub fn usual_copied(bytes: usize) -> bool {
    let Some(slot) = thread::existing() else { return false };
    let usual = pass(slot, COPIES, bytes);
    if usual {
        slot.add(Count::CopyCalls, 1);
    }
    usual
}

/// `bytes` were copied.
pub fn copied(bytes: usize, caller: usize) {
    let Some(slot) = thread::current() else { return nobody_copied(bytes) };
    slot.add(Count::CopyCalls, 1);
    if !pass_or_meet(slot, COPIES, bytes) {
        sample::copied(slot, bytes, caller);
    }
}

/// [`python_allocated`] for a thread with a slot, with no sample point in the bytes.
#[inline(always)]
pub fn usual_python_allocated(bytes: usize) -> bool {
    let bytes = python_bytes(bytes);
    let Some(slot) = thread::existing() else { return false };
    let usual = pass(slot, ALLOCATIONS, bytes);
    if usual {
        slot.add(Count::AllocPythonBytes, bytes as u64);
        slot.add(Count::AllocCalls, 1);
    }
    usual
}

/// Python's allocators handed out a block; `bytes` is what was asked for.
pub fn python_allocated(address: usize, bytes: usize) {
    let bytes = python_bytes(bytes);
    let Some(slot) = thread::current() else { return nobody_counted_python(bytes) };
    slot.add(Count::AllocPythonBytes, bytes as u64);
    count(slot, address, bytes, Origin::Python);
}

/// Python's allocators are about to take the block at `address` back.
#[inline(always)]
pub fn python_freeing(address: usize) {
    if followed(address) {
        python_freeing_followed(address);
    }
}

#[cold]
fn python_freeing_followed(address: usize) {
    match thread::current() {
        Some(slot) => sample::freeing(slot, address),
        None => nobody_frees(address),
    }
}

/// Python's allocators are about to resize the block at `address`; see [`resizing`].
#[inline]
pub fn python_resizing(address: usize) -> Resizing {
    if let Some(slot) = thread::current() {
        slot.word(slot_word::RESIZED_FROM).store(0, Relaxed);
    }
    lift(address)
}

/// Python's allocators resized the block to `bytes`, at `address` from now on.
///
/// What it had before is known if `realloc` did it. Otherwise it was a small block: at the same address it
/// has the same size class as before, at another it is a new block, and the old one has ended.
pub fn python_resized(resizing: Resizing, address: usize, bytes: usize) {
    let Some(slot) = thread::current() else { return };
    let bytes = python_bytes(bytes);
    let old_bytes = slot.word(slot_word::RESIZED_FROM).load(Relaxed) as usize;
    if old_bytes != 0 {
        slot.add(Count::AllocPythonBytes, bytes.saturating_sub(old_bytes) as u64);
        grow(slot, resizing, old_bytes, address, bytes, Origin::Python);
    } else if address == resizing.address() {
        resize_failed(resizing);
    } else {
        if resizing.is_followed() {
            sample::lifted_ended(slot, resizing);
        }
        python_allocated(address, bytes);
    }
}

/// Python's small allocator obtained an arena.
pub fn arena_allocated(bytes: usize) {
    hold_arena(bytes as i64);
}

/// Python's small allocator gave an arena back.
pub fn arena_freed(bytes: usize) {
    hold_arena(-(bytes as i64));
}

fn hold_arena(change: i64) {
    match (thread::current(), process::session()) {
        (Some(slot), _) => footprint::hold(slot, Holder::Python, change),
        (None, Some(session)) => footprint::settle(session, Holder::Python, change),
        (None, None) => {}
    }
}

/// What a Python block of this size takes up.
#[inline]
fn python_bytes(asked: usize) -> usize {
    match asked {
        0 => ALIGNMENT,
        1..=SMALL => asked.next_multiple_of(ALIGNMENT),
        _ => asked,
    }
}

/// Counts new bytes, and samples them when their turn has come.
fn count(slot: Slot, address: usize, bytes: usize, origin: Origin) {
    slot.add(Count::AllocCalls, 1);
    if !pass_or_meet(slot, ALLOCATIONS, bytes) {
        sample::allocated(slot, address, bytes, origin);
    }
}

/// Counts a resize: its growth is new bytes.
fn grow(
    slot: Slot,
    resizing: Resizing,
    old_bytes: usize,
    address: usize,
    bytes: usize,
    origin: Origin,
) {
    let growth = bytes.saturating_sub(old_bytes);
    slot.add(Count::AllocCalls, 1);
    let passed = pass_or_meet(slot, ALLOCATIONS, growth);
    if !passed || resizing.is_followed() {
        let growth = if passed { 0 } else { growth };
        sample::resized(slot, resizing, old_bytes, address, bytes, growth, origin);
    }
}

/// A counter of bytes, and the slot word that says at which of its values the next sample point is.
type Sampled = (Count, usize);
const ALLOCATIONS: Sampled = (Count::AllocBytes, slot_word::ALLOC_POINT);
const COPIES: Sampled = (Count::CopyBytes, slot_word::COPY_POINT);

/// Counts bytes; false, and nothing done, if a sample point is among them.
#[inline]
fn pass(slot: Slot, (count, point): Sampled, bytes: usize) -> bool {
    let cell = slot.word(slot_word::COUNTERS + count as usize);
    let total = cell.load(Relaxed).wrapping_add(bytes as u64);
    let passes = total < slot.word(point).load(Relaxed);
    if passes {
        cell.store(total, Relaxed);
    }
    passes
}

/// Counts bytes; false if a sample point is among them.
#[inline]
fn pass_or_meet(slot: Slot, sampled: Sampled, bytes: usize) -> bool {
    let passes = pass(slot, sampled, bytes);
    if !passes {
        slot.add(sampled.0, bytes as u64);
    }
    passes
}

/// Tells the end of a block if it is followed.
fn end(slot: Slot, address: usize) {
    if followed(address) {
        sample::freeing(slot, address);
    }
}

/// Stops following the block while the allocator may move it.
#[inline]
fn lift(address: usize) -> Resizing {
    match thread::current().filter(|_| followed(address)) {
        Some(slot) => sample::lift(slot, address),
        None => Resizing::not_followed(address),
    }
}

#[inline]
fn followed(address: usize) -> bool {
    process::session().is_some_and(|session| sample::may_be_followed(session, address))
}

// Threads without a slot of their own count in slot 0, which has many writers, and are not sampled. A
// block that such a thread frees is marked in the live table.

#[cold]
fn nobody_allocated(bytes: usize) {
    nobody_held(bytes as i64);
    if thread::python_depth() == 0 {
        nobody_counted(bytes as u64);
    }
}

#[cold]
fn nobody_frees(address: usize) {
    if let Some(session) = process::session().filter(|_| followed(address)) {
        sample::freeing_by_nobody(session, address);
    }
}

#[cold]
fn nobody_held(change: i64) {
    if let Some(session) = process::session() {
        footprint::settle(session, Holder::Native, change);
    }
}

#[cold]
fn nobody_counted(bytes: u64) {
    if thread::python_depth() == 0 {
        add_for_nobody(&[(Count::AllocBytes, bytes), (Count::AllocCalls, 1)]);
    }
}

#[cold]
fn nobody_counted_python(bytes: usize) {
    let bytes = bytes as u64;
    add_for_nobody(&[
        (Count::AllocBytes, bytes),
        (Count::AllocPythonBytes, bytes),
        (Count::AllocCalls, 1),
    ]);
}

#[cold]
fn nobody_copied(bytes: usize) {
    add_for_nobody(&[(Count::CopyBytes, bytes as u64), (Count::CopyCalls, 1)]);
}

fn add_for_nobody(counts: &[(Count, u64)]) {
    let Some(slot) = process::session().map(nobody) else { return };
    for &(count, amount) in counts {
        slot.word(slot_word::COUNTERS + count as usize).fetch_add(amount, Relaxed);
    }
}

fn nobody(session: Session) -> Slot {
    session.slot(0)
}
