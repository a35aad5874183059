"""Holds 64 MiB of native memory for a while, then 60 MB of small Python objects for another, made of nothing that is let go.
Prints for each line how many bytes that were, and for how many seconds."""

import itertools
import json
import sys
import time

MIB = 1 << 20


def native():
    block = bytearray(64 * MIB)  # NATIVE
    time.sleep(0.6)
    return len(block)


def python():
    blocks = [bytes(size) for size in itertools.repeat(400, 130_000)]  # PYTHON
    time.sleep(0.6)
    # Blocks are multiples of 16 bytes. The list itself is no small object.
    told["SMALL"] = len(blocks) * -(-sys.getsizeof(blocks[0]) // 16) * 16
    return sys.getsizeof(blocks) + told["SMALL"]


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
