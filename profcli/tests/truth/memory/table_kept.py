"""A table that is built in the first fifth of the run and kept; then other work, whose blocks are freed."""

from selfsized import BELOW, MIB, Book, many, paced, taken

# Rows of 16 n + 8 bytes fill what malloc hands out.
ROWS, LENGTH, CHURN = many(200_000), 999, many(2_000)


def build(table):
    for n in range(ROWS):
        table[n] = bytes(LENGTH)  # TABLE


def work():
    bytearray(MIB - BELOW)  # CHURN


book = Book()
table = {}
build(table)
held = ROWS * taken(table[0]) + taken(table)
book.peaked(held + MIB, book.arenas())
for _ in paced(CHURN, 4):
    work()
churned = CHURN * (MIB - BELOW)
book.allocated("CHURN", churned, MIB)
book.live("TABLE", held, taken(table[0]), held + 64 * ROWS)
book.tell()
