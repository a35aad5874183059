"""Blocks of all sizes from 16 bytes to a MiB, by turns of small, middle and large ones, each kind with its own line."""

import random
from itertools import repeat

from selfsized import BELOW, MIB, Book, many, paced, taken

TURNS, EACH, HELD = many(1_000), MIB, many(128)


def lengths(least, most):
    """Lengths of about `EACH` bytes in all, none more likely than another of its logarithm."""
    found = []
    while sum(found) < EACH:
        found.append(round(least * (most / least) ** random.random()))
    return found


def work(small, middle, large):
    for _ in paced(TURNS, 6):
        for length in small: bytes(length)  # SMALL
        for length in middle: bytes(length)  # MIDDLE
        for length in large: bytes(length)  # LARGE


random.seed(1)
kinds = {"SMALL": lengths(16, 400), "MIDDLE": lengths(500, 32 << 10), "LARGE": lengths(32 << 10, MIB)}
sizes = {tag: sum(taken(bytes(length)) for length in found) for tag, found in kinds.items()}
book = Book()
held = [bytearray(MIB - BELOW) for _ in repeat(None, HELD)]  # HELD
book.peaked(HELD * taken(held[0]) + max(kinds["LARGE"]))
work(*kinds.values())
for tag, size in sizes.items():
    book.allocated(tag, TURNS * size, size // len(kinds[tag]), TURNS * sum(sizes.values()))
book.live("HELD", HELD * taken(held[0]), taken(held[0]))
book.tell()
