"""A table of 400 MB that is built, used and freed; then a smaller one. Nothing of it is left."""

import time

from selfsized import Book, many, paced, taken

# Rows of 16 n + 8 bytes fill what malloc hands out.
ROWS, LENGTH = many(100_000), 3_991


def build(rows):
    table = [None] * rows
    for n in range(rows):
        table[n] = bytes(LENGTH)  # TABLE
    return table


book = Book()
row = taken(bytes(LENGTH))
table = build(ROWS)
book.peaked(ROWS * row + taken(table))
time.sleep(0.5)
del table
for _ in paced(4, 2):
    build(ROWS // 10)
rows = ROWS + 4 * (ROWS // 10)
book.allocated("TABLE", rows * row, row, rows * (row + 48))
book.live("TABLE", ROWS * row, row, ROWS * (row + 48))
book.tell()
