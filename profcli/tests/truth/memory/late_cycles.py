"""Cycles that the collector frees late: what hangs on them is held until then. Nothing is left."""

import gc
import time
from itertools import repeat

from selfsized import BELOW, MIB, Book, many, taken

COUNT, ROUNDS = many(200), 3


class Node:
    __slots__ = "other", "load"


def knot():
    first, second = Node(), Node()
    first.other, second.other = second, first
    first.load = bytearray(MIB - BELOW)  # CYCLES


gc.disable()
book = Book()
block = taken(bytearray(MIB - BELOW))
for n in range(ROUNDS):
    for _ in repeat(None, COUNT):
        knot()
    if n == 0:
        book.peaked(COUNT * block)
    time.sleep(0.3)
    assert gc.collect() >= COUNT
time.sleep(0.5)
book.allocated("CYCLES", ROUNDS * COUNT * block, block)
book.live("CYCLES", COUNT * block, block)
book.tell()
