"""Blocks that are dropped at once, after 50 ms, and never. Prints how many bytes each line asked for."""

import json
import time

MIB = 1 << 20
kept = []
for _ in range(60):
    bytes(MIB)  # AT_ONCE
later = []
for _ in range(60):
    later.append(bytes(MIB))  # LATER
time.sleep(0.05)
later.clear()
for _ in range(60):
    kept.append(bytes(MIB))  # KEPT
print(json.dumps({"AT_ONCE": 60 * MIB, "LATER": 60 * MIB, "KEPT": 60 * MIB}))
