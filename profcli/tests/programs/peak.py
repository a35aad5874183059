"""Holds 512 MiB for a moment, in blocks just under 8 MiB so that page rounding adds nothing, then frees them."""

import json
import time

BLOCK = (8 << 20) - 64
COUNT = 64


def hold():
    held = []
    for _ in range(COUNT):
        held.append(bytearray(BLOCK))  # HELD
    time.sleep(0.3)
    return len(held)


hold()
time.sleep(0.3)
print(json.dumps({"held": COUNT * BLOCK}))
