"""Works until it is killed, or for as many CPU seconds as its argument says; then writes a file and ends with 21.

Every tenth of a second it prints its process id and the CPU seconds it has used so far.
"""

import os
import sys
import time


def work(limit):
    x = 0
    reported = 0.0
    while True:
        for i in range(100_000):
            x = (x * 3 + i) & 1023  # WORK
        used = time.process_time()
        if used - reported >= 0.1:
            reported = used
            try:
                print(os.getpid(), "%.3f" % used, flush=True)
            except BrokenPipeError:
                sys.stdout = open(os.devnull, "w")
        if used >= limit:
            return x


work(float(sys.argv[1]))
with open("finished.txt", "w") as out:
    out.write("finished")
sys.exit(21)
