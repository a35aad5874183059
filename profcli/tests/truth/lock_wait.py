"""Waits for a lock that another thread opens now and then."""

import random
import threading
import time

from selftimed import Phase, Watch, seconds, spin, tell

held = threading.Lock()
held.acquire()
watch = Watch("lock", "work")


def open_it():
    lengths = random.Random(5)
    while True:
        time.sleep(lengths.uniform(0.3, 0.8))
        if held.locked():
            held.release()


def take(length):
    held.acquire(timeout=length)  # TAKE


def work():
    watch.begin()
    busy = Phase(spin, 1.0, "python")
    until = time.perf_counter() + seconds()
    while time.perf_counter() < until:
        watch.turn(busy, 3.0)
        watch.wait(take, 0.6, "TAKE")
    watch.end()


threading.Thread(target=open_it, daemon=True).start()
work()
watch.off_is("wait")
tell(watch.told())
