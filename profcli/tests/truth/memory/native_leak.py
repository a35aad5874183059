"""A leak inside a native library, which the second argument names. Blocks of 16 n + 8 bytes fill what malloc hands out."""

import ctypes
import sys
from itertools import repeat

from selfsized import Book, many, paced

STEPS, CHURN, BLOCK = many(2_400), 8, 200_008
library = ctypes.CDLL(sys.argv[2])
keep, use = library.keep, library.use
for function in (keep, use):
    function.argtypes, function.restype = [ctypes.c_size_t], None


def step():
    keep(BLOCK)  # LEAK
    for _ in repeat(None, CHURN):
        use(BLOCK)  # CHURN


book = Book()
for _ in paced(STEPS, 6):
    step()
leaked, churned = STEPS * BLOCK, STEPS * CHURN * BLOCK
book.peaked(leaked)
book.allocated("LEAK", leaked, BLOCK, leaked + churned)
book.allocated("CHURN", churned, BLOCK, leaked + churned)
book.live("LEAK", leaked, BLOCK, leaked + churned)
book.leaked("LEAK", leaked)
book.tell()
