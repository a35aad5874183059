//! Handshakes: processes announce themselves on a socket; the wanted ones get a session.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{
    self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    SocketAddrUnix, SocketFlags, SocketType,
};
use rustix::process::{Pid, PidfdFlags};

use super::perf::Events;
use super::policy::{Candidate, Policy, Verdict};
use super::procfs;
use super::region::Region;
use crate::config::Config;
use crate::handshake;
use crate::modules::Modules;
use crate::session::{self, control};

/// How long a peer may take to say who it is. It keeps nobody else waiting meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most peers that have not said yet who they are; the oldest gives way.
const MAX_SILENT: usize = 64;
/// Before the next try when there were no descriptors left.
const PAUSE: Duration = Duration::from_millis(200);
/// Peers that may wait to be taken: while we are stopped, they are found waiting later.
const BACKLOG: i32 = 4096;

/// Most sessions of one run that are given out, each a mapping and a descriptor here.
const MAX_SESSIONS: usize = 400;

/// A process that announced itself.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) pid: u32,
    pub(crate) parent: Option<u32>,
    /// A fork of the image its parent runs; otherwise a new image in this pid.
    pub(crate) forked: bool,
    pub(crate) verdict: Verdict,
    pub(crate) time_ns: u64,
    /// In `Py_Version`'s form; 0: no Python.
    pub(crate) version: u64,
    pub(crate) command: Vec<Vec<u8>>,
    pub(crate) modules: Modules,
    /// Present when it is profiled; the token counts the sessions in use.
    pub(crate) region: Option<(Region, Arc<()>)>,
    /// Why it is not, though it was to be.
    pub(crate) obstacle: Option<String>,
    /// It sees the same process ids as we do.
    pub(crate) same_pids: bool,
    pub(crate) pidfd: Option<OwnedFd>,
}

/// The socket, and the thread that answers on it. Dropping it ends both.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Arc<OwnedFd>,
    name: String,
    thread: Option<std::thread::JoinHandle<()>>,
    root: Arc<OnceLock<u32>>,
}

impl Listener {
    /// Listens on an abstract socket with a random name, and sends every arrival into `arrivals`.
    ///
    /// # Errors
    /// The socket could not be made, or the thread not started.
    pub(crate) fn start(
        config: Config,
        policy: Policy,
        events: Events,
        arrivals: Sender<Arrival>,
    ) -> io::Result<Self> {
        let name = random_name()?;
        let socket = net::socket_with(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )?;
        net::bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
        net::listen(&socket, BACKLOG)?;
        let socket = Arc::new(socket);
        let root = Arc::new(OnceLock::new());
        let server = Server {
            socket: socket.clone(),
            root: root.clone(),
            config,
            policy,
            events,
            arrivals,
            sessions: Arc::new(()),
        };
        let thread =
            std::thread::Builder::new().name("prof-accept".into()).spawn(move || server.serve())?;
        Ok(Self { socket, name, thread: Some(thread), root })
    }

    /// The socket's name, for the program's environment.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Tells which process is the direct child; before that, nobody is answered.
    pub(crate) fn set_root(&self, pid: u32) {
        let _ = self.root.set(pid);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.set_root(0);
        // Wakes the thread.
        let _ = net::shutdown(&*self.socket, net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn random_name() -> io::Result<String> {
    let mut random = [0_u8; 16];
    let len = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
    if len != random.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(format!("prof-{:032x}", u128::from_ne_bytes(random)))
}

struct Server {
    socket: Arc<OwnedFd>,
    root: Arc<OnceLock<u32>>,
    config: Config,
    policy: Policy,
    events: Events,
    arrivals: Sender<Arrival>,
    sessions: Arc<()>,
}

/// A peer that has not said yet who it is.
struct Silent {
    socket: OwnedFd,
    pid: u32,
    since: Instant,
}

impl Server {
    fn serve(mut self) {
        let mut silent: Vec<Silent> = Vec::new();
        loop {
            let mut polled = vec![PollFd::new(&*self.socket, PollFlags::IN)];
            polled.extend(silent.iter().map(|peer| PollFd::new(&peer.socket, PollFlags::IN)));
            let timeout = silent.first().map(|oldest| left(oldest.since));
            // An interrupted wait is a short one.
            let _ = rustix::event::poll(&mut polled, timeout.as_ref());
            // Shut down: this is the end.
            if polled[0].revents().contains(PollFlags::HUP) {
                return;
            }
            let ready: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
            let mut ready = ready.into_iter();
            let has_new = ready.next().unwrap_or(false);
            silent.retain(|peer| {
                let speaks = ready.next().unwrap_or(false);
                // One that breaks off is its own loss.
                let taken = speaks && !matches!(self.answer(peer), Err(Errno::AGAIN));
                !taken && peer.since.elapsed() < PATIENCE
            });
            if has_new && self.take_in(&mut silent).is_err() {
                return;
            }
        }
    }

    /// Takes a new peer in; an error when there will be no more.
    fn take_in(&self, silent: &mut Vec<Silent>) -> rustix::io::Result<()> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = match net::accept_with(&*self.socket, flags) {
            Ok(socket) => socket,
            Err(Errno::INTR | Errno::CONNABORTED | Errno::AGAIN) => return Ok(()),
            // Out of descriptors or memory: the peer in the queue gives up after its time.
            Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => {
                silent.clear();
                std::thread::sleep(PAUSE);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        // Anybody can find the socket.
        let Ok(credentials) = sockopt::socket_peercred(&socket) else { return Ok(()) };
        if credentials.uid == rustix::process::geteuid() {
            if silent.len() >= MAX_SILENT {
                silent.remove(0);
            }
            let pid = credentials.pid.as_raw_nonzero().get() as u32;
            silent.push(Silent { socket, pid, since: Instant::now() });
        }
        Ok(())
    }

    fn answer(&mut self, peer: &Silent) -> rustix::io::Result<()> {
        let Silent { socket, pid, .. } = peer;
        let mut bytes = [0_u8; handshake::BYTES];
        let (len, _) = net::recv(socket, &mut bytes, RecvFlags::empty())?;
        let Some(hello) = handshake::Hello::decode(&bytes[..len.min(bytes.len())]) else {
            return Ok(());
        };
        if hello.kind == handshake::Kind::Exec {
            self.events.end(*pid, hello.tid);
            return reply(socket, false, None);
        }
        let root = *self.root.wait();
        let (arrival, memory) = self.receive(*pid, root, &hello, has_gone(socket));
        let profile = arrival.region.is_some();
        // Sent before the reply: what the process does next is later than its arrival.
        let _ = self.arrivals.send(arrival);
        reply(socket, profile, memory)
    }

    /// Decides about a process that waits for the answer, and reads what `/proc` says about it.
    fn receive(
        &mut self,
        pid: u32,
        root: u32,
        hello: &handshake::Hello,
        gone: bool,
    ) -> (Arrival, Option<OwnedFd>) {
        let exe = procfs::exe(pid);
        let parent = procfs::parent(pid);
        let forked = hello.kind == handshake::Kind::Forked;
        let python = hello.python != 0;
        let candidate =
            Candidate { pid, parent: parent.unwrap_or(hello.parent), forked, python, exe: &exe };
        let verdict = self.policy.decide(candidate, root);
        let mut arrival = Arrival {
            pid,
            parent,
            forked,
            verdict,
            time_ns: super::now(),
            version: hello.python,
            command: procfs::command(pid),
            modules: Modules::default(),
            region: None,
            obstacle: None,
            same_pids: hello.pid == pid,
            pidfd: Pid::from_raw(pid as i32)
                .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()),
        };
        if verdict != Verdict::Profile {
            return (arrival, None);
        }
        let made = if gone {
            Err(String::from("it got no answer in time and went on without"))
        } else if Arc::strong_count(&self.sessions) > MAX_SESSIONS {
            Err(format!("{MAX_SESSIONS} processes are profiled already"))
        } else {
            Region::create().map_err(without_memory)
        };
        let (region, memory) = match made {
            Ok(made) => made,
            Err(obstacle) => {
                arrival.obstacle = Some(obstacle);
                return (arrival, None);
            }
        };
        let Config { cpu_interval_ns, memory_interval, copy_interval, .. } = self.config;
        let intervals = [cpu_interval_ns, memory_interval, copy_interval];
        // The program has as many as we.
        let timers = procfs::signal_room(pid).map_or(u64::MAX, |room| room / 2);
        region.begin(control_bits(&self.config), intervals, timers);
        arrival.region = Some((region, self.sessions.clone()));
        arrival.modules = Modules::parse(&procfs::maps(pid));
        (arrival, Some(memory))
    }
}

/// Why there is no session, in words that lead to the limit.
fn without_memory(error: io::Error) -> String {
    let limit = match error.raw_os_error() {
        Some(libc::EFBIG) => " (see ulimit -f)",
        Some(libc::ENOMEM) => " (see ulimit -v)",
        Some(libc::EMFILE) => " (see ulimit -n)",
        _ => "",
    };
    let size = session::BYTES >> 20;
    format!("{size} MiB of memory to share with it are not to be had{limit}: {error}")
}

/// What is left of a peer's time.
fn left(since: Instant) -> Timespec {
    let left = PATIENCE.saturating_sub(since.elapsed());
    Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() }
}

/// The peer has given up.
fn has_gone(peer: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(peer, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let hung_up = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    rustix::event::poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().intersects(hung_up)
}

fn control_bits(config: &Config) -> u64 {
    let bit = |interval: u64, bit: u64| if interval == 0 { 0 } else { bit };
    let perf = if config.perf { control::PERF } else { 0 };
    let native = if config.native_frames { control::NATIVE } else { 0 };
    bit(config.cpu_interval_ns, control::CPU | perf | native)
        | bit(config.memory_interval, control::MEMORY)
        | bit(config.copy_interval, control::COPIES)
}

fn reply(peer: &OwnedFd, profile: bool, memory: Option<OwnedFd>) -> rustix::io::Result<()> {
    let bytes = handshake::reply(profile);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = memory.as_ref().map(|memory| [memory.as_fd()]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    net::sendmsg(peer, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL).map(drop)
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
