"""A forked child works for a moment, and then it sleeps."""

import os
import sys
import time


def child(seconds):
    end = time.process_time() + 0.2
    while time.process_time() < end:
        sum(range(1000))
    time.sleep(seconds)  # ASLEEP


forked = os.fork()
if forked == 0:
    child(float(sys.argv[1]))
    os._exit(0)
os.waitpid(forked, 0)
