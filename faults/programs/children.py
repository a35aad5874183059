"""A program whose name leads through a launcher: works for a moment, and tells what it sees."""

import mirror

total = 0
for number in range(3_000_000):
    total += number % 5
print("total", total)
mirror.tell()
