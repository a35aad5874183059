//! What a process and its collector say to each other before there is session memory: one question, one
//! answer, 64 bytes each, over an abstract SOCK_SEQPACKET socket.

use crate::sys::socket::{Descriptor, Socket};
use crate::sys::syscall::{self, Errno};

/// Bytes of either message: eight little-endian words.
pub(crate) const BYTES: usize = 64;

const HELLO: u64 = u64::from_le_bytes(*b"PROFHEL1");
const REPLY: u64 = u64::from_le_bytes(*b"PROFREP1");

/// An answer is waited for in steps of so many milliseconds. After each it is looked whether the collector is stopped:
/// then the program goes on without it.
const STEP_MS: i64 = 100;
/// Steps for a collector that runs, on a machine that is busy.
const STEPS: usize = 100;
/// Steps for one of which nobody can say whether it runs: it is in another pid namespace, or there is no `/proc`.
const BLIND_STEPS: usize = 10;

/// At which point of its life a process asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Kind {
    /// In the constructor: after an exec.
    Constructor = 1,
    /// In the child step of a fork.
    Forked = 2,
    /// A thread before its exec: wants its perf event ended.
    Exec = 3,
}

/// What a process says of itself. Its process id is checked against the socket's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) kind: Kind,
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    pub(crate) parent: u32,
    /// In the form of `Py_Version`; 0: not Python.
    pub(crate) python: u64,
}

impl Hello {
    /// As the calling process would say it.
    pub(crate) fn new(kind: Kind, python: u64) -> Self {
        Self {
            kind,
            pid: syscall::getpid(),
            tid: syscall::gettid(),
            parent: syscall::getppid(),
            python,
        }
    }

    pub(crate) fn encode(self) -> [u8; BYTES] {
        let Self { kind, pid, tid, parent, python } = self;
        to_bytes([HELLO, kind as u64, pid.into(), tid.into(), parent.into(), python, 0, 0])
    }

    /// `None` if it is no hello of this version.
    #[cfg_attr(not(any(test, feature = "record")), expect(dead_code, reason = "collector's side"))]
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let [HELLO, kind, pid, tid, parent, python, _, _] = from_bytes(bytes)? else { return None };
        let kind = match kind {
            1 => Kind::Constructor,
            2 => Kind::Forked,
            3 => Kind::Exec,
            _ => return None,
        };
        let narrow = |word: u64| u32::try_from(word).ok();
        Some(Self { kind, pid: narrow(pid)?, tid: narrow(tid)?, parent: narrow(parent)?, python })
    }
}

/// The collector's answer: whether the session's memfd comes with this message, or the process stays
/// dormant.
#[cfg_attr(not(any(test, feature = "record")), expect(dead_code, reason = "collector's side"))]
pub(crate) fn reply(profile: bool) -> [u8; BYTES] {
    to_bytes([REPLY, profile.into(), 0, 0, 0, 0, 0, 0])
}

/// Whether the answer is to profile; `None` if it is no answer of this version.
fn decode_reply(bytes: &[u8]) -> Option<bool> {
    match from_bytes(bytes)? {
        [REPLY, 0, ..] => Some(false),
        [REPLY, 1, ..] => Some(true),
        _ => None,
    }
}

fn to_bytes(words: [u64; 8]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (part, word) in bytes.chunks_exact_mut(8).zip(words) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn from_bytes(bytes: &[u8]) -> Option<[u64; 8]> {
    let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
    let mut words = [0; 8];
    for (word, part) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(part.try_into().ok()?);
    }
    Some(words)
}

/// Has the collector end the calling thread's perf event; false if nobody answered.
pub(crate) fn end_perf_event(name: &[u8]) -> bool {
    let ended = Socket::connect(name, STEP_MS).and_then(|socket| {
        let peer = socket.peer()?;
        socket.send(&Hello::new(Kind::Exec, 0).encode())?;
        receive(&socket, peer.pid as u32, &mut [0; BYTES])
    });
    ended.is_ok_and(|(length, _)| length == BYTES)
}

/// Asks the collector that listens at the abstract `name`: the session's memory, or `None` to stay dormant
/// (told so, nobody listens, or it did not answer in time). Async-signal-safe; leaves no other descriptor.
pub(crate) fn ask(name: &[u8], hello: Hello) -> Option<Descriptor> {
    let socket = Socket::connect(name, STEP_MS).ok()?;
    // A name outlives its collector. Who else takes it must not hand us memory that it can take away.
    let peer = socket.peer().ok()?;
    if peer.uid != 0 && peer.uid != syscall::effective_user() {
        return None;
    }
    socket.send(&hello.encode()).ok()?;
    let mut bytes = [0; BYTES];
    let (length, memory) = receive(&socket, peer.pid as u32, &mut bytes).ok()?;
    let profile = decode_reply(bytes.get(..length)?)?;
    memory.filter(|_| profile)
}

/// Waits for the answer as long as the collector may still give one.
fn receive(
    socket: &Socket,
    collector: u32,
    into: &mut [u8],
) -> Result<(usize, Option<Descriptor>), Errno> {
    let mut steps = 0;
    loop {
        match socket.receive(into) {
            Err(Errno(libc::EAGAIN)) => steps += 1,
            received => return received,
        }
        let most = match is_stopped(collector) {
            Some(true) => 0,
            Some(false) => STEPS,
            None => BLIND_STEPS,
        };
        if steps >= most {
            return Err(Errno(libc::EAGAIN));
        }
    }
}

/// Whether a process is stopped; `None` if that cannot be said.
fn is_stopped(pid: u32) -> Option<bool> {
    if pid == 0 {
        return None;
    }
    let mut stat = [0; 256];
    let length = syscall::read_start(&stat_path(pid), &mut stat).ok()?;
    state(stat.get(..length)?).map(|state| state == b'T')
}

/// `/proc/PID/stat` with zeros behind it.
fn stat_path(pid: u32) -> [u8; 32] {
    const FOLDER: &[u8] = b"/proc/";
    const FILE: &[u8] = b"/stat";
    let mut path = [0; 32];
    path[..FOLDER.len()].copy_from_slice(FOLDER);
    let end = FOLDER.len() + pid.max(1).ilog10() as usize + 1;
    let mut rest = pid;
    for digit in path[FOLDER.len()..end].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    path[end..end + FILE.len()].copy_from_slice(FILE);
    path
}

/// The letter behind the name, which stands in brackets and may hold some itself.
fn state(stat: &[u8]) -> Option<u8> {
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    stat.get(name_end + 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_went_out() {
        for kind in [Kind::Constructor, Kind::Forked, Kind::Exec] {
            let hello = Hello { kind, pid: 1, tid: u32::MAX, parent: 0, python: 0x030b_07f0 };
            assert_eq!(Hello::decode(&hello.encode()), Some(hello));
            assert_eq!(&hello.encode()[..8], b"PROFHEL1");
        }
        for profile in [false, true] {
            assert_eq!(decode_reply(&reply(profile)), Some(profile));
            assert_eq!(&reply(profile)[..8], b"PROFREP1");
        }
    }

    #[test]
    fn what_is_not_a_message_is_none() {
        let good = Hello::new(Kind::Constructor, 0).encode();
        assert_eq!(Hello::decode(&good[..63]), None);
        assert_eq!(Hello::decode(&[]), None);
        for (at, byte) in [(0, b'Q'), (7, b'2'), (8, 4), (8, 0), (20, 1), (28, 1), (36, 1)] {
            let mut bad = good;
            bad[at] = byte;
            assert_eq!(Hello::decode(&bad), None, "byte {at} is {byte}");
        }
        assert_eq!(decode_reply(&good), None);
        let mut bad = reply(true);
        bad[8] = 2;
        assert_eq!(decode_reply(&bad), None);
    }

    #[test]
    fn the_state_of_a_process_is_read_off_its_stat() {
        assert_eq!(&stat_path(7)[..13], b"/proc/7/stat\0");
        assert_eq!(&stat_path(4_194_304)[..19], b"/proc/4194304/stat\0");
        assert_eq!(state(b"12 (a) b) (c) T 7 1 1"), Some(b'T'));
        assert_eq!(state(b"12 (a"), None);
        assert_eq!(state(b"12 (a)"), None);
        assert_eq!(is_stopped(0), None);
        assert_eq!(is_stopped(u32::MAX), None);
        assert_eq!(is_stopped(std::process::id()), Some(false));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-STOP", &pid]).status().unwrap();
        assert!(sent.success());
        while is_stopped(child.id()) == Some(false) {
            std::thread::yield_now();
        }
        assert_eq!(is_stopped(child.id()), Some(true));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn nobody_there_is_dormant() {
        assert!(ask(b"prof-test-nobody-listens-here", Hello::new(Kind::Constructor, 0)).is_none());
        assert!(ask(&[b'x'; 200], Hello::new(Kind::Constructor, 0)).is_none(), "too long a name");
    }
}
