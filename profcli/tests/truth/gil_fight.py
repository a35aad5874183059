"""Threads that all want the GIL all the time. Second argument: how many."""

import sys
import time

from selftimed import Phase, Watch, in_threads, tell


def more(turns):
    x = 0
    for i in range(turns): x = (x * 3 + i) & 1023  # MORE


def less(turns):
    x = 0
    while turns: x ^= turns; turns -= 1  # LESS


def work(n):
    watch = Watch("fight")
    phases = [Phase(more, 1.4, line="MORE"), Phase(less, 0.6, line="LESS")]
    watch.alternate(phases, time.perf_counter)
    watch.off_is("gil", "wait")
    # To hand the GIL over is the kernel's work.
    watch.rest_is("python")
    return watch.told()


tell(*in_threads(int(sys.argv[2]), work))
