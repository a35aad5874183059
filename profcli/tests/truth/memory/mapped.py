"""256 MiB that come from mmap: not from any allocator, and so in no figure of the heap."""

import mmap
import time
from itertools import repeat

from selfsized import BELOW, MIB, SCALE, Book, many, taken

HELD = many(128)


def map_pages():
    pages = mmap.mmap(-1, 256 * MIB)  # MAP
    pages[0] = 1
    return pages


book = Book()
pages = map_pages()
held = [bytearray(MIB - BELOW) for _ in repeat(None, HELD)]  # HELD
size = taken(held[0])
book.peaked(HELD * size)
# What grows until the program ends may as well leak.
time.sleep(2 * SCALE)
book.allocated("MAP", 0, MIB, HELD * size)
book.allocated("HELD", HELD * size, size)
book.live("HELD", HELD * size, size)
book.tell()
