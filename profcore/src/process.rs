//! The process's session: joined in the constructor, exchanged in a forked child, never torn down.

use crate::config::SESSION_VARIABLE;
use crate::cpython::{self, Found};
use crate::event::{head_word, kind};
use crate::handshake::{self, Hello, Kind};
use crate::memory;
use crate::ring::spsc::Share;
use crate::session::{MAGIC, SLOTS, Session, area, slot_word, word};
#[cfg(feature = "embed")]
use crate::signal::lent;
use crate::signal::{self, dispositions};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::mapping;
use crate::sys::sigset::Masked;
use crate::sys::{syscall, tls, vdso};
use crate::thread::{self, Since};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize};

/// The session's first word; null: dormant.
static WORDS: AtomicPtr<AtomicU64> = AtomicPtr::new(core::ptr::null_mut());
/// The process profiles itself.
static EMBEDDED: AtomicBool = AtomicBool::new(false);
/// Whose session that is.
static PID: AtomicU32 = AtomicU32::new(0);

/// Where the collector listens: kept, because a forked child must not ask libc for its environment.
static NAME: [AtomicU8; 107] = [const { AtomicU8::new(0) }; 107];
static NAME_LENGTH: AtomicUsize = AtomicUsize::new(0);

/// The session of this process; `None` while it is dormant.
#[inline]
pub(crate) fn session() -> Option<Session> {
    // Acquire (on x86_64 an ordinary load): pairs with the Release in `activate`.
    let first = WORDS.load(Ordering::Acquire);
    if first.is_null() {
        return None;
    }
    // SAFETY: not null means that `activate` stored the first of a whole session's words. They are unmapped
    // only in a forked child that has no other thread, after this was set to null.
    Session::new(unsafe { core::slice::from_raw_parts(first, area::END) })
}

/// Whether this process is profiled.
#[inline]
pub fn is_active() -> bool {
    !WORDS.load(Ordering::Relaxed).is_null()
}

/// Whether the caller runs in the process that joined the session, and not in a vfork child of it.
pub(crate) fn is_own() -> bool {
    PID.load(Ordering::Relaxed) == syscall::getpid()
}

/// Joins the collector that the environment names, if there is one and it wants this process. To be called
/// once, from the constructor: it reads the environment and asks the loader.
pub fn start() {
    if is_active() || !read_name() {
        return;
    }
    vdso::find();
    let found = cpython::find();
    let hello = Hello::new(Kind::Constructor, found.version_hex());
    let Some(memory) = with_name(|name| handshake::ask(name, hello)) else { return };
    let Ok(words) = mapping::map_shared(memory.fd, area::END) else { return };
    drop(memory);
    if !activate(words, &found) {
        // SAFETY: `activate` has refused the mapping and kept nothing of it.
        unsafe { mapping::unmap(words) };
    }
}

/// Begins to profile this process in the session at `words`; `false` if that is not one.
pub(crate) fn activate(words: &'static [AtomicU64], found: &Found) -> bool {
    let Some(session) = Session::new(words) else { return false };
    if session.word(word::MAGIC).load(Ordering::Acquire) != MAGIC {
        return false;
    }
    let store = |index, value| session.word(index).store(value, Ordering::Relaxed);
    found.announce(session);
    if let Found::Known(python) = found {
        cpython::install(*python);
    }
    memory::begin_watching();
    store(word::SHIM_TEXT, start as *const () as u64);
    // Before anybody can see the session: hooks read guarded memory as soon as they do.
    store(word::SIGNAL, signal::install() as u64);
    PID.store(syscall::getpid(), Ordering::Relaxed);
    WORDS.store(words.as_ptr().cast_mut(), Ordering::Release);
    thread::settle(session, tls::block(), Since::Now);
    true
}

/// Begins to profile this process in a session of its own memory, which another thread of it drains. False if it is
/// profiled already.
#[cfg(feature = "embed")]
pub(crate) fn embed(words: &'static [AtomicU64]) -> bool {
    let Some(session) = Session::new(words).filter(|_| !is_active()) else { return false };
    vdso::find();
    EMBEDDED.store(true, Ordering::Relaxed);
    session.word(word::MAGIC).store(MAGIC, Ordering::Relaxed);
    session.word(word::SIGNAL).store(signal::install_tick() as u64, Ordering::Relaxed);
    PID.store(syscall::getpid(), Ordering::Relaxed);
    WORDS.store(words.as_ptr().cast_mut(), Ordering::Release);
    true
}

/// Has the children of forks not profiled: `also` is called in each of them, on its only thread. To be called once.
#[cfg(feature = "embed")]
pub(crate) fn at_fork(also: fn()) {
    static ALSO: std::sync::OnceLock<fn()> = std::sync::OnceLock::new();
    extern "C" fn child() {
        WORDS.store(core::ptr::null_mut(), Ordering::Relaxed);
        thread::forget();
        lent::forked_child(tls::block());
        if let Some(also) = ALSO.get() {
            also();
        }
    }
    let _ = ALSO.set(also);
    // SAFETY: `child` is a function of the form that is called, and stays. Without memory for it, a forked child goes on
    // in a copy of its parent's session that nobody reads.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(child)) };
}

/// Whether this process profiles itself: it is the program's own memory, threads and signals that are used, and nothing
/// of it is interposed.
#[inline]
pub(crate) fn is_embedded() -> bool {
    cfg!(feature = "embed") && EMBEDDED.load(Ordering::Relaxed)
}

/// Tells the collector where the code of `memmove` begins, so that its time goes by its name. For the constructor.
pub fn copies_by(address: usize) {
    if let Some(session) = session() {
        session.word(word::COPY_CODE).store(address as u64, Ordering::Relaxed);
    }
}

/// Header words that say the same in every process of an image.
const FACTS: [usize; 13] = [
    word::SIGNAL,
    word::PY_VERSION,
    word::PY_STATE,
    word::PY_EVAL_START,
    word::PY_EVAL_END,
    word::PY_EVAL_OTHER_START,
    word::PY_EVAL_OTHER_END,
    word::PY_TEXT,
    word::SHIM_TEXT,
    word::PY_RUNTIME_START,
    word::PY_RUNTIME_END,
    word::PY_CODE_TYPE,
    word::COPY_CODE,
];

/// What a forked child takes over from its parent's session.
struct Inheritance {
    facts: [(usize, u64); FACTS.len()],
    footprint: [(usize, u64); 2],
}

impl Inheritance {
    fn of(parent: Session) -> Self {
        let load = |index| (index, parent.word(index).load(Ordering::Relaxed));
        // What threads had not yet added to the totals is the child's as well: it has a copy of the memory.
        let total = |index, pending| {
            let slots = 1..(load(word::SLOTS_HIGH).1 as usize).min(SLOTS);
            let pending = slots.map(|slot| parent.slot(slot).word(pending).load(Ordering::Relaxed));
            (index, pending.fold(load(index).1, u64::wrapping_add))
        };
        Self {
            facts: FACTS.map(load),
            footprint: [
                total(word::FOOTPRINT_NATIVE, slot_word::PENDING_NATIVE),
                total(word::FOOTPRINT_PYTHON, slot_word::PENDING_PYTHON),
            ],
        }
    }

    /// Bytes of the footprint.
    fn bytes(&self) -> u64 {
        self.footprint.iter().map(|&(_, bytes)| (bytes as i64).max(0) as u64).sum()
    }

    fn version_hex(&self) -> u64 {
        self.facts.iter().find(|(index, _)| *index == word::PY_VERSION).map_or(0, |fact| fact.1)
    }
}

/// In the child of a fork, on its only thread: leaves the parent's session and asks for one of its own;
/// dormant without it. Async-signal-safe.
pub fn forked_child() {
    let Some(parent) = session() else { return };
    WORDS.store(core::ptr::null_mut(), Ordering::Relaxed);
    PID.store(syscall::getpid(), Ordering::Relaxed);
    dispositions::forked_child();
    let in_use = thread::forget();
    let words = parent.area(0, area::END);
    let inheritance = Inheritance::of(parent);
    let hello = Hello::new(Kind::Forked, inheritance.version_hex());
    let memory = with_name(|name| handshake::ask(name, hello));
    // In the place of the parent's: a hook that the fork interrupted goes on with words that are ours.
    let is_mapped = memory.is_some_and(|memory| mapping::map_over(memory.fd, words).is_ok());
    if is_mapped && parent.word(word::MAGIC).load(Ordering::Acquire) == MAGIC {
        parent.word(word::INHERITED).store(inheritance.bytes(), Ordering::Relaxed);
        // Release: who sees the footprint sees whose it is.
        for (index, value) in inheritance.facts.into_iter().chain(inheritance.footprint) {
            parent.word(index).store(value, Ordering::Release);
        }
        WORDS.store(words.as_ptr().cast_mut(), Ordering::Release);
        thread::settle(parent, tls::block(), Since::Birth);
    } else if in_use {
        mapping::zeros_over(words);
    } else {
        // SAFETY: the child has one thread, which is not in a hook (`in_use`) and has forgotten its slot.
        unsafe { mapping::unmap(words) };
    }
}

/// The process passes its own exit path (a destructor, `_exit`): the rest of this thread's clock is written
/// and the collector told. Nothing is torn down: other threads may still run, and this one does.
pub fn exiting() {
    let Some(session) = session() else { return };
    // A vfork child leaves by `_exit` on its parent's memory. A destructor is often followed by `_exit`.
    if !is_own() || session.word(word::EXITED).swap(1, Ordering::AcqRel) != 0 {
        return;
    }
    let Some(slot) = thread::existing() else { return };
    let quiet = Masked::block(signal::mask());
    thread::note_blocked(session, slot, &quiet);
    thread::write_rest(session, slot);
    if let Some(_busy) = thread::enter()
        && let Some(mut room) = slot.ring().reserve(2, Share::All)
    {
        room.word(head_word(2, kind::EXIT, 0, 0));
        room.word(syscall::monotonic());
        room.commit();
    }
}

/// Reads the collector's name from the environment; `false` without one.
fn read_name() -> bool {
    let mut variable = [0_u8; session_variable_bytes()];
    variable[..SESSION_VARIABLE.len()].copy_from_slice(SESSION_VARIABLE.as_bytes());
    // SAFETY: a terminated name; the constructor runs before the program can change its environment.
    let value = unsafe { libc::getenv(variable.as_ptr().cast()) };
    if value.is_null() {
        return false;
    }
    // SAFETY: the environment's strings are terminated.
    let name = unsafe { core::ffi::CStr::from_ptr(value) }.to_bytes();
    if name.is_empty() || name.len() > NAME.len() {
        return false;
    }
    set_name(name);
    true
}

const fn session_variable_bytes() -> usize {
    SESSION_VARIABLE.len() + 1
}

pub(crate) fn set_name(name: &[u8]) {
    for (to, &from) in NAME.iter().zip(name) {
        to.store(from, Ordering::Relaxed);
    }
    NAME_LENGTH.store(name.len().min(NAME.len()), Ordering::Relaxed);
}

pub(crate) fn with_name<T>(use_it: impl FnOnce(&[u8]) -> T) -> T {
    let mut name = [0; NAME.len()];
    for (to, from) in name.iter_mut().zip(&NAME) {
        *to = from.load(Ordering::Relaxed);
    }
    use_it(&name[..NAME_LENGTH.load(Ordering::Relaxed).min(name.len())])
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
