"""A loop that calls nothing. Argument: CPU seconds to burn. Prints its own CPU seconds as JSON."""

import json
import sys
import time


def spin(seconds):
    x = 0
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for i in range(2_000_000):
            x = (x * 3 + i) & 1023  # LOOP
    return x


spin(float(sys.argv[1]))
print(json.dumps({"cpu_s": time.thread_time()}))
