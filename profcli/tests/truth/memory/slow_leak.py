"""A KB is kept a thousand times a second, beside 128 MiB that are held from the start."""

from itertools import repeat

from selfsized import BELOW, MIB, Book, many, paced, taken

STEPS, EACH, LENGTH = many(600), 10, 999
log = {}


def step(n):
    log[n] = [bytes(LENGTH) for _ in repeat(None, EACH)]  # LEAK


book = Book()
held = [bytearray(MIB - BELOW) for _ in repeat(None, many(128))]  # HELD
for n in paced(STEPS, 6):
    step(n)
leaked = STEPS * (EACH * taken(log[0][0]) + taken(log[0]))
block = len(held[0])
book.peaked(many(128) * block + leaked, book.arenas())
book.allocated("HELD", many(128) * block, block)
book.live("HELD", many(128) * block, block)
book.leaked("LEAK", leaked)
book.tell()
