"""Two lines that allocate blocks of one size by turns, as many bytes each, and free them at once."""

from itertools import repeat

from selfsized import BELOW, MIB, Book, many, paced, taken

STEPS, EACH, LENGTH, HELD = many(200), 2_000, 4_000, many(128)


def work():
    for _ in repeat(None, EACH):
        bytearray(LENGTH)  # ODD
        bytearray(LENGTH)  # EVEN


book = Book()
held = [bytearray(MIB - BELOW) for _ in repeat(None, HELD)]  # HELD
book.peaked(HELD * taken(held[0]) + LENGTH)
for _ in paced(STEPS, 6):
    work()
# The object, and the buffer that it has since it is not empty.
block, count = taken(bytearray(LENGTH)), STEPS * EACH
for tag in ("ODD", "EVEN"):
    book.allocated(tag, count * block, block, 2 * count * block)
book.live("HELD", HELD * taken(held[0]), taken(held[0]))
book.tell()
