"""Cycles for the garbage collector beside other work. Argument: CPU seconds. Prints its own CPU seconds, and those that the
collector took by its callbacks, as JSON."""

import gc
import json
import random
import sys
import time

began = 0.0
collecting = 0.0


def watch(phase, info):
    global began, collecting
    if phase == "start":
        began = time.thread_time()
    else:
        collecting += time.thread_time() - began


class Node:
    def __init__(self):
        self.other = self


def churn(seconds):
    kept = [Node() for _ in range(100000)]
    gc.collect()
    gc.freeze()
    kept = [Node() for _ in range(200000)]
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        # Turns of random length, or they could keep step with the kernel's ticks.
        for _ in range(random.randrange(10)):
            gc.collect()
        for _ in range(random.randrange(200000)):
            Node()
    return kept


gc.callbacks.append(watch)
churn(float(sys.argv[1]))
print(json.dumps({"cpu_s": time.thread_time(), "gc_s": collecting}))
