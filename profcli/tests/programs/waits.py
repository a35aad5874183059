"""Waits of three kinds in the main thread, one in a thread that does nothing else, and two threads that fight for the GIL.

Prints, as JSON, the seconds that each line waited by the clock, each fighter's time with and without a CPU, and how long
the program took by itself."""

import json
import os
import threading
import time

started = time.perf_counter()


def passed(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def sleep():
    time.sleep(1.5)  # SLEEP


def read():
    reader, writer = os.pipe()
    timer = threading.Timer(1.0, os.write, (writer, b"x"))
    timer.start()
    os.read(reader, 1)  # READ
    timer.join()


def lock():
    held = threading.Lock()
    held.acquire()
    held.acquire(timeout=1.2)  # LOCK


def idle():
    time.sleep(2.5)  # IDLE


fights = {}


def fight(name, until):
    wall, cpu = time.perf_counter(), time.thread_time()
    total = 0
    while time.perf_counter() < until:
        for i in range(1000):
            total += i  # FIGHT
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    fights[name] = {"tid": threading.get_native_id(), "cpu_s": cpu, "off_s": wall - cpu}


# Python time first, so that the profiler knows the thread.
spin = time.thread_time() + 0.1
while time.thread_time() < spin:
    pass
waits = {}
# A thread that uses no CPU time to speak of: no tick ever meets it.
idler = threading.Thread(target=lambda: waits.update(IDLE=passed(idle)))
idler.start()
waits.update(SLEEP=passed(sleep), READ=passed(read), LOCK=passed(lock))
idler.join()
until = time.perf_counter() + 4
threads = [threading.Thread(target=fight, args=(name, until)) for name in ("a", "b")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
took = time.perf_counter() - started
print(json.dumps({"waits": waits, "fights": list(fights.values()), "took_s": took}))
