//! Starting the program, and the signals between the terminal, us and it.
//!
//! The program gets the signal mask, the dispositions and the closed standard streams that we were started with. While
//! it runs, we ignore SIGINT and SIGQUIT (the terminal sends them to it as well) and hand SIGTERM and SIGHUP on.

use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{c_int, sigaction, signalfd_siginfo, sigset_t};
use rustix::process::{Pid, PidfdFlags};

use super::inheritance;

/// Ignored while the program runs. SIGXFSZ: a trace at the file size limit is a failed write, not our end.
const IGNORED: [c_int; 3] = [libc::SIGINT, libc::SIGQUIT, libc::SIGXFSZ];
/// Handed on to the program.
const FORWARDED: [c_int; 2] = [libc::SIGTERM, libc::SIGHUP];

/// Signals of the C library's own, which its `sigaction` refuses. Starting a thread gives one a handler.
const INTERNAL: [c_int; 2] = [32, 33];

/// What to start.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The file to execute.
    pub program: PathBuf,
    /// All arguments, the program's own name first.
    pub arguments: Vec<OsString>,
    /// Variables to set.
    pub environment: Vec<(OsString, OsString)>,
    /// Standard input, output and error of the program, where they are not ours.
    pub streams: [Option<Arc<OwnedFd>>; 3],
}

/// Our signals, arranged for a program that runs beside us.
#[derive(Debug)]
pub struct Signals {
    descriptor: OwnedFd,
    saved: Saved,
    /// There was something to hand on.
    asked: AtomicBool,
}

/// What we were started with.
#[derive(Clone, Copy)]
struct Saved {
    mask: sigset_t,
    actions: [sigaction; IGNORED.len()],
    internal: [Option<KernelAction>; INTERNAL.len()],
}

/// An action as the kernel takes it: handler, flags, restorer, mask.
type KernelAction = [u64; 4];

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saved").finish_non_exhaustive()
    }
}

impl Signals {
    /// Arranges them. Call it before any thread is started: a thread takes the mask of its creator.
    ///
    /// # Errors
    /// What the kernel says; nothing is left changed that matters to a program started without us.
    pub fn guard() -> io::Result<Self> {
        let (descriptor, mask) = watch(&FORWARDED)?;
        let mut actions = [zeroed_action(); IGNORED.len()];
        for (signal, old) in IGNORED.iter().zip(&mut actions) {
            let mut ignore = zeroed_action();
            ignore.sa_sigaction = libc::SIG_IGN;
            // SAFETY: both actions are of this function; ignoring runs no code of ours.
            check(unsafe { libc::sigaction(*signal, &ignore, old) })?;
        }
        let internal = INTERNAL.map(|signal| kernel_action(signal, None));
        let saved = Saved { mask, actions, internal };
        Ok(Self { descriptor, saved, asked: AtomicBool::new(false) })
    }

    /// Becomes readable when there is something to hand on.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Hands pending signals on to the program, except those that the terminal sent to the whole group.
    pub(crate) fn forward(&self, to: &Program) {
        while let Some(info) = take(&self.descriptor) {
            self.asked.store(true, Ordering::Relaxed);
            if info.ssi_code != libc::SI_KERNEL {
                to.signal(info.ssi_signo as c_int);
            }
        }
    }

    /// Whether somebody wants the run to end: there was something to hand on, or there is since the program has ended.
    pub fn asked_to_end(&self) -> bool {
        while take(&self.descriptor).is_some() {
            self.asked.store(true, Ordering::Relaxed);
        }
        self.asked.load(Ordering::Relaxed)
    }

    /// Starts the program with the signals that we were started with.
    ///
    /// # Errors
    /// It could not be started; then nothing was run.
    pub fn spawn(&self, launch: &Launch) -> io::Result<Program> {
        let mut arguments = launch.arguments.iter();
        let mut command = Command::new(&launch.program);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        command.args(arguments);
        command.envs(launch.environment.iter().map(|(name, value)| (name, value)));
        let streams: [fn(&mut Command, Stdio) -> &mut Command; 3] =
            [Command::stdin, Command::stdout, Command::stderr];
        for (stream, set) in launch.streams.iter().zip(streams) {
            if let Some(stream) = stream {
                set(&mut command, stream.try_clone()?.into());
            }
        }
        let saved = self.saved;
        // SAFETY: the closure makes only async-signal-safe calls and touches only its own copy.
        unsafe { command.pre_exec(move || saved.restore().and_then(|()| inheritance::hand_on())) };
        let child = command.spawn()?;
        let pidfd = Pid::from_raw(child.id() as i32)
            .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
        Ok(Program { child, pidfd })
    }
}

/// The next signal of a signalfd that does not block.
pub(super) fn take(descriptor: &OwnedFd) -> Option<signalfd_siginfo> {
    let mut info = MaybeUninit::<signalfd_siginfo>::zeroed();
    let size = size_of::<signalfd_siginfo>();
    // SAFETY: reads at most `size` bytes into a value of that size, plain numbers all of it.
    let got = unsafe { libc::read(descriptor.as_raw_fd(), info.as_mut_ptr().cast(), size) };
    // SAFETY: zeroed before and filled by the read.
    (got == size as isize).then(|| unsafe { info.assume_init() })
}

/// A signalfd of its own for these signals, which the calling thread blocks from now on; and its mask before.
pub(super) fn watch(signals: &[c_int]) -> io::Result<(OwnedFd, sigset_t)> {
    let watched = set_of(signals);
    let mut mask = MaybeUninit::uninit();
    // SAFETY: both sets are of this function, the second is filled by the call.
    check(unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &watched, mask.as_mut_ptr()) })?;
    // SAFETY: the call above succeeded, so it wrote the set.
    let mask = unsafe { mask.assume_init() };
    // SAFETY: a new descriptor for a set of this function.
    let descriptor =
        unsafe { libc::signalfd(-1, &watched, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened and belongs to nobody else.
    Ok((unsafe { OwnedFd::from_raw_fd(descriptor) }, mask))
}

impl Saved {
    fn restore(&self) -> io::Result<()> {
        for (signal, old) in IGNORED.iter().zip(&self.actions) {
            // SAFETY: gives back an action that the kernel reported before.
            check(unsafe { libc::sigaction(*signal, old, std::ptr::null_mut()) })?;
        }
        for (signal, old) in INTERNAL.iter().zip(&self.internal) {
            if let Some([handler, ..]) = old
                && *handler == libc::SIG_IGN as u64
            {
                kernel_action(*signal, old.as_ref());
            }
        }
        // SAFETY: gives back a mask that the kernel reported before.
        check(unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.mask, std::ptr::null_mut()) })
    }
}

/// The running program: our direct child.
#[derive(Debug)]
pub struct Program {
    child: Child,
    pidfd: Option<OwnedFd>,
}

impl Program {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Becomes readable at its end; `None` where the kernel has no such descriptors.
    pub(crate) fn end(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Its exit status once it has ended. This reaps it: its pid may be another's afterwards.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    fn signal(&self, signal: c_int) {
        // SAFETY: no memory involved; the pid is ours until it is reaped.
        unsafe { libc::kill(self.child.id() as libc::pid_t, signal) };
    }
}

/// CPU time of a process, all its threads, in nanoseconds; `None` when it is gone or not to be asked.
pub(crate) fn cpu_ns(pid: u32) -> Option<u64> {
    const SCHEDULER: c_int = 2; // CPUCLOCK_SCHED of linux/posix-timers.h
    let clock = !(pid as c_int) << 3 | SCHEDULER;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the value behind the pointer, which is of this function.
    let result = unsafe { libc::clock_gettime(clock, &mut time) };
    (result == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Ends this process by `signal`, without a core dump of its own. Returns only if that signal does not end
/// processes.
pub fn die_by(signal: i32) {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let mut default = zeroed_action();
    default.sa_sigaction = libc::SIG_DFL;
    let set = set_of(&[signal]);
    // SAFETY: plain calls with values of this function; the default action runs no code of ours.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        // Core dumps into a pipe do not look at the limit, but at this.
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::sigaction(signal, &default, std::ptr::null_mut());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(signal);
    }
}

pub(super) fn set_of(signals: &[c_int]) -> sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` fills the set; the additions change only it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// The action of a signal, replaced by `new` if given; by the system call itself.
fn kernel_action(signal: c_int, new: Option<&KernelAction>) -> Option<KernelAction> {
    let mut old = KernelAction::default();
    let new = new.map_or(std::ptr::null(), |new| new.as_ptr());
    // SAFETY: both actions have the kernel's size and layout; what is set is only ever SIG_IGN.
    let result = unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, new, old.as_mut_ptr(), size_of::<u64>())
    };
    (result == 0).then_some(old)
}

fn zeroed_action() -> sigaction {
    // SAFETY: all zeros is a valid action: default, no flags, empty mask.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

fn check(result: c_int) -> io::Result<()> {
    match result {
        0 => Ok(()),
        -1 => Err(io::Error::last_os_error()),
        // pthread_sigmask returns the error itself.
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
