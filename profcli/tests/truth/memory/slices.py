"""Copies of a MiB by slicing, by turns of bytes and of a bytearray."""

from itertools import repeat

from selfsized import BELOW, MIB, Book, many, paced

COUNT, LENGTH, HELD = many(8_000), MIB - BELOW, many(128)


def work(data, array):
    for _ in paced(COUNT, 4):
        data[1:]  # BYTES
        array[1:]  # BYTEARRAY


book = Book()
held = [bytearray(LENGTH) for _ in repeat(None, HELD)]  # HELD
book.peaked((HELD + 3) * LENGTH)
work(bytes(LENGTH + 1), bytearray(LENGTH + 1))
for tag in ("BYTES", "BYTEARRAY"):
    book.copied(tag, COUNT * LENGTH, LENGTH, 2 * COUNT * LENGTH)
    book.allocated(tag, COUNT * LENGTH, LENGTH, 2 * COUNT * LENGTH)
book.live("HELD", HELD * LENGTH, LENGTH)
book.tell()
