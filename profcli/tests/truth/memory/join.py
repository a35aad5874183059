"""Parts of 64 KiB that are joined, as bytes and as text, and appended to a bytearray that grows."""

from itertools import repeat

from selfsized import Book, many, taken

PART, PARTS, COUNT = 64 << 10, 64, many(500)


def join_bytes(parts):
    for _ in repeat(None, COUNT):
        b"".join(parts)  # BYTES


def join_text(parts):
    for _ in repeat(None, COUNT):
        "".join(parts)  # TEXT


def append(part):
    grown = bytearray()
    for _ in repeat(None, 4 * COUNT):
        grown += part  # APPEND
    return grown


book = Book()
grown = append(bytes(PART))
appended = len(grown)
book.peaked(taken(grown))
del grown
join_bytes([bytes(PART)] * PARTS)
join_text(["x" * PART] * PARTS)
joined = COUNT * PARTS * PART
book.copied("BYTES", joined, PART)
book.copied("TEXT", joined, PART)
book.copied("APPEND", appended, PART)
book.allocated("BYTES", joined, PARTS * PART)
book.allocated("TEXT", joined, PARTS * PART)
book.tell()
