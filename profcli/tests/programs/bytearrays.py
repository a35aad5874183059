"""100 MB of bytearray on each of three lines: few large ones freed at once, many small ones kept, one block."""

import json
import sys


def freed_at_once():
    for _ in range(100):
        piece = bytearray(1_000_000)  # FREED
    return len(piece)


def kept_to_the_end(keep):
    for _ in range(100_000):
        keep.append(bytearray(1_000))  # KEPT


def one_block():
    return len(bytearray(100_000_000))  # ONE


KEEP = []
freed_at_once()
one_block()
kept_to_the_end(KEEP)
# An object, which CPython's allocator rounds up to 16 bytes, and its contents; and the list, which grows on the same line.
contents = sys.getsizeof(KEEP[0]) - bytearray.__basicsize__
kept = 100_000 * (-(-bytearray.__basicsize__ // 16) * 16 + contents) + sys.getsizeof(KEEP)
print(json.dumps({"FREED": 100_000_000, "KEPT": 100_000_000, "ONE": 100_000_000, "kept": kept}))
