//! Joining, forking and leaving, in processes of their own, with a collector of a few lines.

use super::*;
use crate::harness::{alone, burn_until, check_books, drain, join, memory, total};
use crate::session::Count;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Listens at an abstract name.
fn listen(name: &[u8]) -> OwnedFd {
    // SAFETY: no memory is passed but an address of the length given.
    unsafe {
        let fd = libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0);
        assert!(fd >= 0);
        let fd = OwnedFd::from_raw_fd(fd);
        let mut address: libc::sockaddr_un = core::mem::zeroed();
        address.sun_family = libc::AF_UNIX as u16;
        for (to, &from) in address.sun_path[1..].iter_mut().zip(name) {
            *to = from as libc::c_char;
        }
        let length = (3 + name.len()) as libc::socklen_t;
        assert_eq!(libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length), 0);
        assert_eq!(libc::listen(fd.as_raw_fd(), 8), 0);
        fd
    }
}

/// Answers one hello with `memory`, or tells it to stay dormant.
fn answer(listener: &OwnedFd, memory: Option<&OwnedFd>) -> Hello {
    #[repr(C)]
    struct Control {
        head: libc::cmsghdr,
        fd: i32,
    }
    // SAFETY: every pointer is to a local of the length given.
    unsafe {
        let peer = libc::accept(listener.as_raw_fd(), core::ptr::null_mut(), core::ptr::null_mut());
        assert!(peer >= 0);
        let peer = OwnedFd::from_raw_fd(peer);
        let mut bytes = [0_u8; 100];
        let got = libc::recv(peer.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), 0);
        let hello = Hello::decode(&bytes[..got as usize]).expect("a hello");
        let mut reply = handshake::reply(memory.is_some());
        let mut part = libc::iovec { iov_base: reply.as_mut_ptr().cast(), iov_len: reply.len() };
        let mut message: libc::msghdr = core::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        let mut control: Control = core::mem::zeroed();
        if let Some(memory) = memory {
            control.head.cmsg_len = libc::CMSG_LEN(4) as usize;
            control.head.cmsg_level = libc::SOL_SOCKET;
            control.head.cmsg_type = libc::SCM_RIGHTS;
            control.fd = memory.as_raw_fd();
            message.msg_control = (&raw mut control).cast();
            message.msg_controllen = size_of::<Control>();
        }
        assert_eq!(libc::sendmsg(peer.as_raw_fd(), &message, 0), handshake::BYTES as isize);
        hello
    }
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("can be read").count()
}

/// Forks; the child runs `body`, which says whether all is well. Its exit status.
fn fork(body: impl FnOnce() -> bool) -> (i32, impl FnOnce() -> i32) {
    // SAFETY: the child runs `body` and leaves without unwinding; glibc lets it allocate.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let code = i32::from(!body());
        // SAFETY: no memory is passed.
        unsafe { libc::_exit(code) };
    }
    (pid, move || {
        let mut status = 0;
        // SAFETY: writes one int.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        status
    })
}

fn unique(what: &str) -> Vec<u8> {
    format!("prof-test-{what}-{}", std::process::id()).into_bytes()
}

#[test]
fn a_collector_that_wants_it_gets_a_process() {
    alone(|| {
        let name = unique("start");
        let listener = listen(&name);
        // SAFETY: no other thread reads the environment.
        unsafe { std::env::set_var(SESSION_VARIABLE, std::str::from_utf8(&name).expect("ASCII")) };
        let descriptors = open_descriptors();
        // Told to stay dormant, it can be asked again: nothing was begun.
        std::thread::scope(|scope| {
            let collector = scope.spawn(|| answer(&listener, None));
            start();
            let hello = collector.join().expect("no panic");
            assert_eq!(hello.kind, Kind::Constructor);
            assert_eq!((hello.pid, hello.parent), (syscall::getpid(), syscall::getppid()));
            assert_eq!((hello.tid, hello.python), (syscall::gettid(), 0));
        });
        assert!(!is_active() && session().is_none());
        assert_eq!(signal::number(), 0, "dormant means no handler");
        // A file that is too short is refused: touching what it lacks would be a SIGBUS.
        // SAFETY: a constant name.
        let short = unsafe { OwnedFd::from_raw_fd(libc::memfd_create(c"short".as_ptr(), 0)) };
        std::thread::scope(|scope| {
            let collector = scope.spawn(|| answer(&listener, Some(&short)));
            start();
            collector.join().expect("no panic");
        });
        drop(short);
        assert!(!is_active());
        let (fd, theirs) = memory(2_000_000);
        std::thread::scope(|scope| {
            let collector = scope.spawn(|| answer(&listener, Some(&fd)));
            start();
            collector.join().expect("no panic");
        });
        drop(fd);
        assert!(is_active());
        assert_eq!(open_descriptors(), descriptors, "none of ours is left open");
        burn_until(|| total(theirs, Count::Samples) > 2);
        let (owner, told) = drain(theirs, 1);
        assert_eq!(owner.tid, syscall::gettid());
        assert!(told.ticks.len() > 2);
        assert_ne!(theirs.word(word::SHIM_TEXT).load(Ordering::Relaxed), 0);
        check_books(theirs);
    });
}

#[test]
fn without_the_variable_or_a_listener_nothing_happens() {
    alone(|| {
        let descriptors = open_descriptors();
        for value in ["", "prof-test-nobody", &"x".repeat(200)] {
            // SAFETY: no other thread reads the environment.
            unsafe { std::env::set_var(SESSION_VARIABLE, value) };
            start();
            assert!(!is_active());
        }
        assert_eq!(open_descriptors(), descriptors);
        forked_child();
        exiting();
    });
}

#[test]
fn a_forked_child_without_a_collector_is_dormant() {
    alone(|| {
        let session = join();
        set_name(b"prof-test-nobody");
        let samples = total(session, Count::Samples);
        let (_, wait) = fork(|| {
            forked_child();
            let dormant = !is_active() && thread::current().is_none();
            let maps = std::fs::read_to_string("/proc/self/maps").expect("can be read");
            let unmapped = !maps.lines().any(|line| {
                // The other view of the same memory is the test's own.
                line.contains("prof-test") && line.starts_with(&first_word_hex(session))
            });
            dormant && unmapped
        });
        assert_eq!(wait(), 0);
        burn_until(|| total(session, Count::Samples) > samples + 2);
        check_books(session);
    });
}

fn first_word_hex(session: Session) -> String {
    format!("{:x}-", session.area(0, 1).as_ptr().addr())
}

#[test]
fn a_forked_child_gets_a_session_of_its_own() {
    alone(|| {
        let session = join();
        let name = unique("fork");
        let listener = listen(&name);
        set_name(&name);
        session.word(word::FOOTPRINT_NATIVE).store(1000, Ordering::Relaxed);
        session.word(word::FOOTPRINT_PYTHON).store(50, Ordering::Relaxed);
        let slot = thread::existing().expect("the main thread has one");
        slot.word(slot_word::PENDING_NATIVE).store((-300_i64) as u64, Ordering::Relaxed);
        slot.word(slot_word::PENDING_PYTHON).store(7, Ordering::Relaxed);
        session.word(word::PY_VERSION).store(0x030b_07f0, Ordering::Relaxed);
        let (fd, theirs) = memory(2_000_000);
        let parent_before = slot.word(slot_word::HEAD).load(Ordering::Relaxed);
        let busy = thread::enter().expect("is free");
        let (pid, wait) = fork(|| {
            forked_child();
            drop(busy);
            let slot = thread::existing();
            burn_until(|| total(theirs, Count::Samples) > 2);
            exiting();
            exiting();
            is_active() && slot.is_some()
        });
        let hello = answer(&listener, Some(&fd));
        assert_eq!((hello.kind, hello.pid as i32), (Kind::Forked, pid));
        assert_eq!((hello.parent, hello.python), (syscall::getpid(), 0x030b_07f0));
        assert_eq!(wait(), 0);
        let (owner, told) = drain(theirs, 1);
        assert_eq!(owner.tid as i32, pid);
        assert!(told.ticks.len() > 3);
        assert_eq!(told.ticks.iter().filter(|tick| tick.is_rest()).count(), 1);
        assert_eq!(told.exits, 1, "a second exit is not told");
        let load = |index| theirs.word(index).load(Ordering::Relaxed);
        assert_eq!(load(word::EXITED), 1);
        assert_eq!(load(word::FOOTPRINT_NATIVE), 700);
        assert_eq!(load(word::FOOTPRINT_PYTHON), 57);
        assert_eq!(load(word::INHERITED), 757);
        assert_eq!(load(word::PY_VERSION), 0x030b_07f0);
        assert_eq!(load(word::SIGNAL), signal::number() as u64);
        assert_eq!(session.word(word::EXITED).load(Ordering::Relaxed), 0);
        assert_eq!(slot.word(slot_word::HEAD).load(Ordering::Relaxed), parent_before);
        check_books(theirs);
    });
}

#[test]
fn another_process_on_our_memory_claims_and_ends_nothing() {
    alone(|| {
        let session = join();
        // As a vfork child sees it.
        PID.store(1, Ordering::Relaxed);
        std::thread::spawn(|| assert!(thread::current().is_none())).join().expect("no panic");
        exiting();
        assert_eq!(session.word(word::EXITED).load(Ordering::Relaxed), 0);
        PID.store(syscall::getpid(), Ordering::Relaxed);
        std::thread::spawn(|| assert!(thread::current().is_some())).join().expect("no panic");
    });
}
