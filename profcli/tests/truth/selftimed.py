"""What the programs of this folder measure themselves with: the clocks of a thread, around turns of a known kind.

A program takes turns with a few functions. Each does work of one kind, and mostly on one line: then its CPU time is
the truth about its function, its line and a class. A turn has a random length of many ticks, so that turns keep
step with no clock. Why loops stand on one line: of two lines nobody knows the shares.

The last line that a program prints is one JSON object, {"threads": [...]}, with an object for each thread, all times in seconds:

    pid, tid, name    whose figures these are; threads of one name do the same
    cpu_s             CPU clock of the thread, from its birth to now
    root              the function that all below is inside of; with its own root_cpu_s and root_wall_s
    classes           by class, as far as the program knows; gil and wait are off the CPU, off is their sum
    lines             CPU by the TAG of a line that ends in "# TAG", which calls nothing written in Python
    functions         CPU by function, with all that it calls
    waits             off the CPU, by the TAG of the line that waited
    turns             number of turns so far
"""

import gc
import json
import os
import random
import resource
import sys
import threading
import time

# Of the turn of a function with a share of 1: more than ten ticks at the lowest rate that makes sense.
TURN_S = 0.06


def seconds():
    """For how long the program is to run: its first argument."""
    return float(sys.argv[1])


def spin(turns):
    """Work of the interpreter alone, for programs that need some beside their own."""
    x = 0
    for i in range(turns): x = (x * 3 + i) & 1023


def hold_arenas():
    """Makes the allocator of small objects keep what it has: giving memory back is the kernel's work, which nobody measures
    here. Returns what is to be kept: a little in every arena."""
    kept = [[None] for _ in range(600_000)][::64]
    gc.collect()
    gc.freeze()
    return kept


class Phase:
    """A function that is called with a number of units of work. `share` of the time is its, beside other phases; with a
    share of 0 it is called once in each round, for one unit."""

    def __init__(self, function, share, kind=None, line=None):
        self.function, self.share, self.kind, self.line = function, share, kind, line
        self.units_per_s = None


class Watch:
    """The clocks of the thread that made it."""

    def __init__(self, name, root="alternate"):
        self.name, self.root = name, root
        self.pid, self.tid = os.getpid(), threading.get_native_id()
        self.random = random.Random(self.tid)
        self.root_cpu_s = self.root_wall_s = 0.0
        self.classes, self.lines, self.functions, self.waits = {}, {}, {}, {}
        self.turns = 0
        self.collecting_s = 0.0
        self.delayed_s = 0.0
        self.kernel_s = 0.0

    def watch_gc(self):
        """From now on, what the collector of garbage takes is booked as gc."""
        began = [0.0]

        def called(phase, info):
            if phase == "start":
                began[0] = time.thread_time()
            else:
                self.collecting_s += time.thread_time() - began[0]

        gc.callbacks.append(called)

    def turn(self, phase, scale=1.0):
        """Calls the phase's function for a random time, and books what it took."""
        if phase.share == 0:
            self.book(phase, 1)
            return
        if phase.units_per_s is None:
            units = 1
            while phase.units_per_s is None:
                took = self.book(phase, units)
                if took > TURN_S / 8:
                    phase.units_per_s = units / took
                units *= 2
        length = TURN_S * phase.share * self.random.uniform(0.5, 1.5) * scale
        self.book(phase, max(1, round(length * phase.units_per_s)))

    def book(self, phase, units):
        collected, before = self.collecting_s, time.thread_time()
        phase.function(units)
        took = time.thread_time() - before
        collected = self.collecting_s - collected
        add(self.functions, phase.function.__name__, took)
        add(self.lines, phase.line, took)
        add(self.classes, phase.kind, took - collected)
        add(self.classes, "gc" if collected else None, collected)
        self.turns += 1
        return took

    def wait(self, function, argument, line):
        """Calls a function that waits."""
        cpu, wall = time.thread_time(), time.perf_counter()
        function(argument)
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        add(self.waits, line, wall - cpu)
        self.turns += 1

    def begin(self):
        """The root function begins."""
        self.root_cpu_s -= time.thread_time()
        self.root_wall_s -= time.perf_counter()
        self.delayed_s -= run_delay()
        self.kernel_s -= kernel_time()

    def end(self):
        """The root function ends."""
        self.root_cpu_s += time.thread_time()
        self.root_wall_s += time.perf_counter()
        self.delayed_s += run_delay()
        self.kernel_s += kernel_time()

    def alternate(self, phases, clock=time.thread_time, length=None):
        """Takes turns until the clock has gone on for that long, by default as the program was told."""
        self.begin()
        until = clock() + (seconds() if length is None else length)
        while clock() < until:
            for phase in phases:
                self.turn(phase)
        self.end()

    def off_is(self, *kinds):
        """Says what the time off the CPU was: waiting for the `gil`, any other `wait`, or just `off`. Wanting a CPU and
        having none, which the scheduler counts, is a wait."""
        off = self.root_wall_s - self.root_cpu_s
        for kind in kinds:
            figures = {"gil": off - self.delayed_s, "wait": self.delayed_s, "off": off}
            self.classes[kind] = figures[kind] if kind != "wait" or "gil" in kinds else off

    def rest_is(self, kind):
        """Says that all time on the CPU was of that kind but for what the kernel counts as its own, by its ticks."""
        self.classes["kernel"] = self.kernel_s
        self.classes[kind] = self.root_cpu_s - self.kernel_s

    def told(self):
        """All of it; to be asked by the thread itself."""
        kept = ("name", "root", "pid", "tid", "root_cpu_s", "root_wall_s", "classes", "lines", "functions", "waits", "turns")
        return dict({name: getattr(self, name) for name in kept}, cpu_s=time.thread_time())


def add(sums, key, amount):
    if key is not None:
        sums[key] = sums.get(key, 0.0) + amount


def run_delay():
    """Seconds for which this thread wanted a CPU and had none."""
    with open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


def kernel_time():
    """Seconds that this thread was in the kernel."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_stime


def in_threads(count, work):
    """Calls `work(n)` in each of so many threads, and returns what the threads told."""
    told = []
    threads = [threading.Thread(target=lambda n=n: told.append(work(n))) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def tell(*threads):
    """Prints it."""
    print(json.dumps({"threads": threads}), flush=True)
