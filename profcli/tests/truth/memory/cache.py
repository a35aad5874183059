"""A cache with a bound, which is no leak. The second argument says how it comes to its bound and what happens then:

    full      it fills up in the first 40 % of the run; then nothing is new
    first     it is full early on; each new block takes the place of the oldest
    any       the same, but the place of any
"""

import random
import sys
import time

from selfsized import Book, many, paced, taken

STEPS, EACH, BLOCK = many(600), 80, 65_000
how = sys.argv[2]
slots = [None] * many(5_600)


def put(n):
    slots[n] = bytearray(BLOCK)  # PUT


book = Book()
random.seed(1)
puts = 0
for step in paced(STEPS, 6):
    for n in range(step * EACH, (step + 1) * EACH):
        if how == "full":
            if (step + 1) * len(slots) <= puts * 0.4 * STEPS or puts == len(slots):
                continue
            put(puts)
        else:
            put(n if n < len(slots) else n % len(slots) if how == "first" else random.randrange(len(slots)))
        puts += 1
time.sleep(0.1)
block = taken(slots[0])
# The new block is there before the old one goes.
held = (len(slots) + (how != "full")) * block
book.peaked(held)
book.allocated("PUT", puts * block, block)
# Of those that stay, any come from all that went before.
book.live("PUT", held, block, puts * block if how == "any" else held)
book.tell()
