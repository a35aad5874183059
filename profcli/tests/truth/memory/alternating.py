"""Two lines that allocate blocks of one size by turns, as many bytes each, and free them at once."""

from itertools import repeat

from selfsized import BELOW, MIB, Book, many, taken

COUNT, LENGTH, HELD = many(400_000), 4_000, many(128)


def work():
    for _ in repeat(None, COUNT):
        bytearray(LENGTH)  # ODD
        bytearray(LENGTH)  # EVEN


book = Book()
held = [bytearray(MIB - BELOW) for _ in repeat(None, HELD)]  # HELD
book.peaked(HELD * taken(held[0]) + LENGTH)
work()
# The object, and the buffer that it has since it is not empty.
block = taken(bytearray(LENGTH))
for tag in ("ODD", "EVEN"):
    book.allocated(tag, COUNT * block, block, 2 * COUNT * block)
book.live("HELD", HELD * taken(held[0]), taken(held[0]))
book.tell()
