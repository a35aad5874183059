"""300 MiB for a millisecond, beside 50 MiB that are held all the time."""

import time
from itertools import repeat

from selfsized import BELOW, MIB, Book, many, taken

HELD, SPIKE = many(50), many(300)


def spike():
    return len([bytes(MIB - BELOW) for _ in repeat(None, SPIKE)])  # SPIKE


book = Book()
held = [bytearray(MIB - BELOW) for _ in repeat(None, HELD)]  # HELD
time.sleep(0.3)
spike()
time.sleep(0.3)
size = taken(held[0])
book.peaked((HELD + SPIKE) * size)
book.allocated("SPIKE", SPIKE * size, size)
book.allocated("HELD", HELD * size, size)
book.live("SPIKE", SPIKE * size, size)
book.live("HELD", HELD * size, size)
book.tell()
