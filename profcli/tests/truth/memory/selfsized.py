"""What the programs of this folder know about their memory: sizes that follow from how they are written.

A program allocates, keeps, drops and copies blocks of known sizes on lines that end in "# TAG". Their sizes are lengths that
it asked for itself, or sys.getsizeof of one of many equal objects. What was held before the work began is counted by
the C library (mallinfo2) and by CPython (its number of arenas). How small objects fill arenas is CPython's affair, and
where the kernel puts them: what arenas grow by is what the process's data grows by beyond the C library's own.

The first argument is a scale: 1 for figures to compare, less for a short run. The last line that a program prints is one
JSON object, {"memory": {...}}, all in bytes:

    base       held before the work; too little under a profiler, see arenas()
    peak       held at most: by callers of malloc, and arenas
    lines      by TAG, any of "allocated", "live" (at the peak) and "copied", each with
                   bytes    the truth
                   block    the size of one block or one copy
                   among    what the same thread allocated or copied meanwhile, this line's bytes included
    leaks      by TAG: bytes per second
    seconds    from the program's first line to now
"""

import ctypes
import json
import os
import re
import sys
import time

BEGAN = time.monotonic()
SCALE = float(sys.argv[1])
# Blocks that are so much shorter than a multiple of a page take up no page more.
BELOW = 128
MIB = 1 << 20


class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]


libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Mallinfo


def many(count):
    """That many times, if the program runs at full scale."""
    return max(1, round(count * SCALE))


def taken(thing):
    """Bytes that an object takes up. CPython hands out up to 512 bytes in steps of 16."""
    size = sys.getsizeof(thing)
    return size if size > 512 else -(-size // 16) * 16


def native():
    """Bytes that callers of malloc hold, as the C library counts them."""
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd


def arenas():
    """Bytes of CPython's arenas, as it counts them itself: it says so on standard error, to nobody else. Where somebody has put
    functions of his own around its allocators, as profilers do, it says nothing: 0."""
    kept, note = os.dup(2), os.memfd_create("stats")
    os.dup2(note, 2)
    sys._debugmallocstats()
    os.dup2(kept, 2)
    text = os.pread(note, 1 << 16, 0)
    os.close(kept)
    os.close(note)
    found = re.search(rb"(\d+) arenas \* (\d+) bytes/arena", text)
    return int(found[1]) * int(found[2]) if found else 0


def not_native():
    """Bytes of the process's private, writable mappings that the C library did not make: constant but for arenas, as long as
    nobody else maps anything and no thread comes or goes."""
    with open("/proc/self/status") as status:
        data = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    info = libc.mallinfo2()
    return data - info.arena - info.hblkhd


def paced(steps, seconds):
    """Counts steps, at an even pace: what leaks does so all the time, and what is sampled is not so fast that samples stand
    for more than usual."""
    began = time.monotonic()
    seconds *= SCALE
    for n in range(steps):
        pause = began + n * seconds / steps - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        yield n


class Book:
    """What a program says; to be made when the work begins."""

    def __init__(self):
        arenas()
        self.base, self.not_native = native() + arenas(), not_native()
        self.peak = None
        self.lines, self.leaks = {}, {}
        self.began = time.monotonic()

    def peaked(self, held, arenas=0):
        """This is the moment at which most is held: so much by callers of malloc since the work began, and in arenas."""
        self.peak = self.base + held + arenas

    def arenas(self):
        """What arenas have grown by."""
        return not_native() - self.not_native

    def say(self, tag, what, size, block, among=None):
        self.lines.setdefault(tag, {})[what] = {"bytes": size, "block": block, "among": among or size}

    def allocated(self, tag, size, block, among=None):
        self.say(tag, "allocated", size, block, among)

    def live(self, tag, size, block, among=None):
        self.say(tag, "live", size, block, among)

    def copied(self, tag, size, block, among=None):
        self.say(tag, "copied", size, block, among)

    def leaked(self, tag, size):
        """So much since the work began, at an even pace."""
        self.leaks[tag] = size / (time.monotonic() - self.began)

    def tell(self):
        seconds = time.monotonic() - BEGAN
        said = {"base": self.base, "peak": self.peak, "lines": self.lines, "leaks": self.leaks, "seconds": seconds}
        print(json.dumps({"memory": said}), flush=True)
