"""What a Python program can see of itself, printed at its end: must be the same bare and profiled."""

import hashlib
import os
import resource
import signal
import stat
import threading


def environment():
    profiled = "PROF_SESSION" in os.environ
    for key, value in sorted(os.environ.items()):
        if key == "LD_PRELOAD" and profiled:
            # Its first entry is the profiler's.
            value = value.partition(":")[2]
        if key not in ("PROF_SESSION", "_") and (key, value) != ("LD_PRELOAD", ""):
            # What stands in an environment is nobody's business.
            print(f"environment: {key} {hashlib.sha256(os.fsencode(value)).hexdigest()[:16]}")


def descriptors():
    for number in range(256):
        try:
            kind = stat.S_IFMT(os.fstat(number).st_mode)
        except OSError:
            continue
        print(f"descriptor {number}: kind {kind:o}, inheritable {os.get_inheritable(number)}")


def signals():
    for number in sorted(signal.valid_signals()):
        print(f"signal {number}: {signal.getsignal(number)!s}")
    print("blocked", sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))))


def tell():
    environment()
    descriptors()
    signals()
    print("threads", [thread.name for thread in threading.enumerate()], len(os.listdir("/proc/self/task")))
    print("limits", [resource.getrlimit(which) for which in range(16)])
