//! Peers that do not do their part of a handshake.

use std::sync::mpsc::{self, Receiver};

use super::*;
use crate::handshake::{Hello, Kind};
use crate::sys::socket::Socket;

fn listener() -> (Listener, Receiver<Arrival>) {
    let (sender, arrivals) = mpsc::channel();
    let policy = Policy::new(true, None);
    let listener = Listener::start(Config::default(), policy, Events::default(), sender).unwrap();
    (listener, arrivals)
}

fn python() -> Hello {
    Hello::new(Kind::Constructor, 0x030b_07f0)
}

fn connect(listener: &Listener) -> Socket {
    Socket::connect(listener.name().as_bytes(), 1000).unwrap()
}

#[test]
fn silent_peers_hold_nobody_up() {
    let (listener, arrivals) = listener();
    listener.set_root(std::process::id());
    let silent: Vec<Socket> = (0..2 * MAX_SILENT).map(|_| connect(&listener)).collect();
    for _ in 0..3 {
        assert!(handshake::ask(listener.name().as_bytes(), python()).is_some());
        assert!(arrivals.recv().unwrap().region.is_some());
    }
    drop(silent);
}

#[test]
fn a_peer_that_has_given_up_is_told_from_a_profiled_one() {
    let (listener, arrivals) = listener();
    let address = SocketAddrUnix::new_abstract_name(listener.name().as_bytes()).unwrap();
    let peer = net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    net::connect(&peer, &address).unwrap();
    net::send(&peer, &python().encode(), SendFlags::empty()).unwrap();
    // Before anybody is answered. To close it would not do: another test's fork may hold a copy for a moment.
    net::shutdown(&peer, net::Shutdown::Both).unwrap();
    listener.set_root(std::process::id());
    let arrival = arrivals.recv().unwrap();
    assert_eq!((arrival.verdict, arrival.pid), (Verdict::Profile, std::process::id()));
    assert!(arrival.region.is_none());
    assert!(arrival.obstacle.is_some_and(|why| why.contains("no answer in time")));
}

#[test]
fn nonsense_is_not_answered() {
    let (listener, arrivals) = listener();
    listener.set_root(std::process::id());
    let peer = connect(&listener);
    peer.send(b"GET / HTTP/1.1\r\n").unwrap();
    // The end of the connection, and no message.
    assert!(matches!(peer.receive(&mut [0; handshake::BYTES]), Ok((0, None)) | Err(_)));
    drop(listener);
    assert!(arrivals.recv().is_err());
}
