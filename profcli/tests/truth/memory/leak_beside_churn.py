"""A line that keeps a MiB at each step, beside a busy one that drops 16 at once."""

import sys
from itertools import repeat

from selfsized import BELOW, MIB, Book, many, paced

STEPS, CHURN = many(240), 16
kept = []


def step():
    for _ in repeat(None, CHURN):
        bytearray(MIB - BELOW)  # CHURN
    kept.append(bytearray(MIB - BELOW))  # LEAK


book = Book()
for _ in paced(STEPS, 6):
    step()
block = sys.getsizeof(kept[0])
leaked, churned = STEPS * block, STEPS * CHURN * block
book.peaked(leaked)
book.allocated("LEAK", leaked, block, leaked + churned)
book.allocated("CHURN", churned, block, leaked + churned)
book.live("LEAK", leaked, block, leaked + churned)
book.leaked("LEAK", leaked)
book.tell()
