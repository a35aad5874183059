//! One connection to an abstract AF_UNIX socket, by raw system calls.

use super::syscall::{Errno, call, close};

/// A connected SOCK_SEQPACKET socket; closed when dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: i32,
}

/// A received descriptor; closed when dropped.
#[derive(Debug)]
pub(crate) struct Descriptor {
    pub(crate) fd: i32,
}

impl Drop for Socket {
    fn drop(&mut self) {
        close(self.fd);
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        close(self.fd);
    }
}

/// Calls until a signal no longer interrupts: a program's timer must not cost it its profile. Bounded, so
/// that a storm of signals cannot hang it.
fn patiently(mut attempt: impl FnMut() -> Result<usize, Errno>) -> Result<usize, Errno> {
    let mut result = attempt();
    for _ in 0..64 {
        if result != Err(Errno(libc::EINTR)) {
            break;
        }
        result = attempt();
    }
    result
}

/// Space for one control message with one descriptor: the kernel's `struct cmsghdr` and its data.
#[repr(C)]
struct Control {
    length: usize,
    level: i32,
    kind: i32,
    fd: i32,
    padding: i32,
}

impl Socket {
    /// Connects to the abstract name, with a limit in milliseconds for this and every later step.
    pub(crate) fn connect(name: &[u8], millis: i64) -> Result<Self, Errno> {
        let mut address =
            libc::sockaddr_un { sun_family: libc::AF_UNIX as u16, sun_path: [0; 108] };
        // The first byte stays 0: that makes the name abstract.
        let path = address.sun_path.get_mut(1..1 + name.len()).ok_or(Errno(libc::ENAMETOOLONG))?;
        for (to, &from) in path.iter_mut().zip(name) {
            *to = from as libc::c_char;
        }
        let length = size_of::<libc::sa_family_t>() + 1 + name.len();
        let kind = (libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC) as usize;
        // SAFETY: no memory is passed.
        let fd = unsafe { call(libc::SYS_socket, [libc::AF_UNIX as usize, kind, 0]) }? as i32;
        let socket = Self { fd };
        let limit = libc::timeval { tv_sec: millis / 1000, tv_usec: millis % 1000 * 1000 };
        for option in [libc::SO_SNDTIMEO, libc::SO_RCVTIMEO] {
            let value = (&raw const limit).expose_provenance();
            let arguments = [
                fd as usize,
                libc::SOL_SOCKET as usize,
                option as usize,
                value,
                size_of_val(&limit),
            ];
            // SAFETY: the kernel reads one timeval.
            unsafe { call(libc::SYS_setsockopt, arguments) }?;
        }
        let arguments = [fd as usize, (&raw const address).expose_provenance(), length];
        // SAFETY: the kernel reads `length` bytes of the address, which has room for them.
        patiently(|| unsafe { call(libc::SYS_connect, arguments) })?;
        Ok(socket)
    }

    /// The process that listens; its id is 0 if it has none in our pid namespace.
    pub(crate) fn peer(&self) -> Result<libc::ucred, Errno> {
        let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        let mut length = size_of_val(&peer) as libc::socklen_t;
        let arguments = [
            self.fd as usize,
            libc::SOL_SOCKET as usize,
            libc::SO_PEERCRED as usize,
            (&raw mut peer).expose_provenance(),
            (&raw mut length).expose_provenance(),
        ];
        // SAFETY: the kernel writes at most `length` bytes into `peer`, and the length.
        unsafe { call(libc::SYS_getsockopt, arguments) }?;
        Ok(peer)
    }

    /// Sends one message. A gone peer is an error, not a SIGPIPE.
    pub(crate) fn send(&self, message: &[u8]) -> Result<(), Errno> {
        let flags = libc::MSG_NOSIGNAL as usize;
        let arguments =
            [self.fd as usize, message.as_ptr().expose_provenance(), message.len(), flags, 0, 0];
        // SAFETY: the kernel reads `message.len()` bytes.
        let sent = patiently(|| unsafe { call(libc::SYS_sendto, arguments) })?;
        if sent == message.len() { Ok(()) } else { Err(Errno(libc::EMSGSIZE)) }
    }

    /// Receives one message and the descriptor that came with it: how many bytes, and the descriptor.
    pub(crate) fn receive(&self, into: &mut [u8]) -> Result<(usize, Option<Descriptor>), Errno> {
        let mut control = Control { length: 0, level: 0, kind: 0, fd: -1, padding: 0 };
        let mut part = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
        // SAFETY: msghdr is a plain C struct for which zeros are valid.
        let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = (&raw mut control).cast();
        message.msg_controllen = core::mem::offset_of!(Control, padding); // one descriptor, never two
        let flags = libc::MSG_CMSG_CLOEXEC as usize;
        let arguments = [self.fd as usize, (&raw mut message).expose_provenance(), flags];
        // SAFETY: the kernel writes into `into` and `control`, each with its length given.
        let received = patiently(|| unsafe { call(libc::SYS_recvmsg, arguments) })?;
        let whole = control.length >= core::mem::offset_of!(Control, padding);
        let is_descriptor = whole
            && message.msg_controllen >= core::mem::offset_of!(Control, padding)
            && control.level == libc::SOL_SOCKET
            && control.kind == libc::SCM_RIGHTS;
        Ok((received, is_descriptor.then_some(Descriptor { fd: control.fd })))
    }
}
