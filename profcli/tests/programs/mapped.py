"""Maps anonymous memory and a file, enlarges one mapping and gives one back. Prints the truth and ends without cleaning up."""

import json
import mmap
import os
import tempfile
import time

MIB = 1 << 20

kept = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
kept.resize(96 * MIB)
with tempfile.TemporaryFile() as file:
    file.truncate(5 * MIB)
    shown = mmap.mmap(file.fileno(), 0)
given_back = mmap.mmap(-1, 16 * MIB)
given_back.close()
print(json.dumps({"anonymous": (96 + 16) * MIB, "file": 5 * MIB, "unmapped": 16 * MIB, "peak": 117 * MIB, "end": 101 * MIB}), flush=True)
time.sleep(0.5)
os._exit(len(kept) + len(shown) != 101 * MIB)
