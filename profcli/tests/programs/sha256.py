"""sha256 of 1 MiB blocks. Argument: CPU seconds to burn. Prints its own CPU seconds as JSON."""

import hashlib
import json
import sys
import time


def digest(seconds):
    data = bytes(1 << 20)
    state = hashlib.sha256()
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(64):
            state.update(data)  # NATIVE
    return state.hexdigest()


digest(float(sys.argv[1]))
print(json.dumps({"cpu_s": time.thread_time()}))
