"""256 MiB of bytearrays that are kept, and as much that is freed at once, by turns."""

import sys
from itertools import repeat

from selfsized import BELOW, MIB, Book, many

COUNT = many(256)


def work(held):
    for _ in repeat(None, COUNT):
        bytearray(MIB - BELOW)  # FREED
        held.append(bytearray(MIB - BELOW))  # KEPT


held = []
book = Book()
work(held)
block = sys.getsizeof(held[0])
book.peaked(COUNT * block)
book.allocated("KEPT", COUNT * block, block, 2 * COUNT * block)
book.allocated("FREED", COUNT * block, block, 2 * COUNT * block)
book.live("KEPT", COUNT * block, block, 2 * COUNT * block)
book.tell()
