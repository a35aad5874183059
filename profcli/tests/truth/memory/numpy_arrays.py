"""256 MiB of numpy arrays that are kept, and as much that is freed at once, by turns."""

import time
from itertools import repeat

import numpy
from selfsized import MIB, SCALE, Book, many

COUNT = many(64)
ITEMS = 4 * MIB // 8 - 16


def work(held, arange):
    for _ in repeat(None, COUNT):
        arange(ITEMS)  # FREED
        held.append(arange(ITEMS))  # KEPT


held = []
book = Book()
work(held, numpy.arange)
block = held[0].nbytes
book.peaked(COUNT * block)
# What grows until the program ends may as well leak.
time.sleep(2 * SCALE)
book.allocated("KEPT", COUNT * block, block, 2 * COUNT * block)
book.allocated("FREED", COUNT * block, block, 2 * COUNT * block)
book.live("KEPT", COUNT * block, block, 2 * COUNT * block)
book.tell()
