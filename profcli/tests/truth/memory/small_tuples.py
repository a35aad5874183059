"""128 MB of tuples of 64 bytes, kept to the end: small objects, which come from CPython's own arenas."""

import gc
import sys
import time
from itertools import repeat

from selfsized import SCALE, Book, many, taken

COUNT = many(2_000_000)


def build(count, a, b, c):
    return [(a, b, c) for _ in repeat(None, count)]  # TUPLES


gc.disable()
book = Book()
held = build(COUNT, 1.5, 2.5, 3.5)
spine = sys.getsizeof(held)
book.peaked(spine, book.arenas())
# What grows until the program ends may as well leak.
time.sleep(2 * SCALE)
size = COUNT * taken(held[0]) + spine
book.allocated("TUPLES", size, taken(held[0]))
book.live("TUPLES", size, taken(held[0]))
book.tell()
