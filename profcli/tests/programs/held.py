"""Holds 64 MiB of native memory for a while, then 60 MB of small Python objects for another. Prints for each line how many
bytes that were, and for how many seconds."""

import json
import sys
import time

MIB = 1 << 20


def native():
    block = bytearray(64 * MIB)  # NATIVE
    time.sleep(0.6)
    return len(block)


def python():
    floats = [x * 0.5 for x in range(1_500_000)]  # PYTHON
    time.sleep(0.6)
    # Blocks are multiples of 16 bytes. The list itself is no small object.
    told["SMALL"] = len(floats) * -(-sys.getsizeof(0.5) // 16) * 16
    return sys.getsizeof(floats) + told["SMALL"]


def held(function):
    began = time.perf_counter()
    size = function()
    return {"bytes": size, "seconds": time.perf_counter() - began}


told = {}
for name, function in ("NATIVE", native), ("PYTHON", python):
    time.sleep(0.2)
    told[name] = held(function)
time.sleep(0.2)
print(json.dumps(told))
