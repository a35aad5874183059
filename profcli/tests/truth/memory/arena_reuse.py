"""128 MB of small objects, of which nearly all is freed, but not one arena; then 64 MB more in the same arenas."""

import gc
import sys
from itertools import repeat

from selfsized import Book, many, taken

COUNT, KEPT = many(2_000_000), 1_000


def first(a, b, c):
    return [(a, b, c) for _ in repeat(None, COUNT)]  # FIRST


def again(a, b, c):
    return [(a, b, c) for _ in repeat(None, COUNT // 2)]  # AGAIN


gc.disable()
book = Book()
held = first(1.5, 2.5, 3.5)
block, spine = taken(held[0]), sys.getsizeof(held)
book.peaked(spine, book.arenas())
kept = held[::KEPT]
del held
more = again(1.5, 2.5, 3.5)
book.allocated("FIRST", COUNT * block + spine, block)
book.allocated("AGAIN", COUNT // 2 * block + sys.getsizeof(more), block)
book.live("FIRST", COUNT * block + spine, block)
book.live("AGAIN", 0, block, COUNT * block)
book.tell()
