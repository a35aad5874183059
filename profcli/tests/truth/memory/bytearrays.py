"""256 MiB of bytearrays that are kept, and as much that is freed at once, by turns; then more of the latter."""

import sys
from itertools import repeat

from selfsized import BELOW, MIB, Book, many, paced

COUNT = many(256)


def work(held):
    for _ in repeat(None, COUNT):
        bytearray(MIB - BELOW)  # FREED
        held.append(bytearray(MIB - BELOW))  # KEPT


def go_on():
    for _ in paced(3 * COUNT, 2):
        bytearray(MIB - BELOW)  # AFTER


held = []
book = Book()
work(held)
block = sys.getsizeof(held[0])
book.peaked((COUNT + 1) * block)
go_on()
book.allocated("KEPT", COUNT * block, block, 2 * COUNT * block)
book.allocated("FREED", COUNT * block, block, 2 * COUNT * block)
book.allocated("AFTER", 3 * COUNT * block, block)
book.live("KEPT", COUNT * block, block, 2 * COUNT * block)
book.tell()
