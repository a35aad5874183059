"""Sleeps of random length between turns of Python."""

import time

from selftimed import Phase, Watch, seconds, spin, tell


def doze(length):
    time.sleep(length)  # SLEEP


watch = Watch("sleep", "work")


def work():
    watch.begin()
    busy = Phase(spin, 1.0, "python")
    until = time.perf_counter() + seconds()
    while time.perf_counter() < until:
        watch.turn(busy, 3.0)
        watch.wait(doze, watch.random.uniform(0.2, 0.5), "SLEEP")
    watch.end()


work()
watch.off_is("wait")
tell(watch.told())
