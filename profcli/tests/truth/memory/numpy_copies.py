"""numpy's ways out: an array copied, its bytes, its items as a list, and as another type; the latter two copy nothing as it is."""

from itertools import repeat

import numpy
from selfsized import MIB, Book, many, taken

COUNT, ITEMS = many(400), MIB


def work(array, single):
    for _ in repeat(None, COUNT):
        array.copy()  # COPY
        array.tobytes()  # BYTES
        array.astype(single)  # SINGLE


def as_list(array):
    return array.tolist()  # LIST


array = numpy.arange(ITEMS, dtype=numpy.float64)
book = Book()
held = [as_list(array) for _ in repeat(None, many(4))]
book.peaked(len(held) * taken(held[0]) + array.nbytes, book.arenas())
items = len(held) * (taken(held[0]) + ITEMS * taken(held[0][0]))
work(array, numpy.float32)
size = array.nbytes
for tag in ("COPY", "BYTES"):
    book.copied(tag, COUNT * size, size, 2 * COUNT * size)
    book.allocated(tag, COUNT * size, size, 5 * COUNT * size // 2)
book.copied("SINGLE", 0, size, 2 * COUNT * size)
book.allocated("SINGLE", COUNT * size // 2, size // 2, 5 * COUNT * size // 2)
book.copied("LIST", 0, size, 2 * COUNT * size)
book.allocated("LIST", items, 32)
book.live("LIST", items, 32)
book.tell()
