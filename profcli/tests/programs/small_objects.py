"""Allocates small objects and a large one. Prints how many bytes each line asked for."""

import itertools
import json
import sys

COUNT = 600_000


def small():
    return [x * 0.5 for x in itertools.repeat(2.5, COUNT)]  # SMALL


def large():
    return bytearray(20_000_000)  # LARGE


floats, block = small(), large()
# Blocks of small objects are multiples of 16 bytes; the list grows on the same line.
small_bytes = COUNT * -(-sys.getsizeof(0.5) // 16) * 16 + sys.getsizeof(floats)
print(json.dumps({"SMALL": small_bytes, "LARGE": len(block)}))
