"""Waits for bytes from a socket, which another thread sends now and then."""

import random
import socket
import threading
import time

from selftimed import Phase, Watch, seconds, spin, tell

reader, writer = socket.socketpair()
watch = Watch("socket", "work")


def send():
    lengths = random.Random(5)
    while True:
        time.sleep(lengths.uniform(0.3, 0.8))
        writer.send(b"x")


def receive(count):
    reader.recv(count)  # RECEIVE


def work():
    watch.begin()
    busy = Phase(spin, 1.0, "python")
    until = time.perf_counter() + seconds()
    while time.perf_counter() < until:
        watch.turn(busy, 3.0)
        watch.wait(receive, 1, "RECEIVE")
    watch.end()


threading.Thread(target=send, daemon=True).start()
work()
watch.off_is("wait")
tell(watch.told())
