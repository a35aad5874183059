"""Reads through a buffer, which copy each byte once more, and around it, which do not."""

from itertools import repeat

from selfsized import BELOW, MIB, Book, many

COUNT, CHUNK, HELD = many(24_000), MIB // 8, many(128)


def chunks(read):
    for _ in repeat(None, COUNT):
        read(CHUNK)  # CHUNKS


def whole(readinto, buffer):
    for _ in repeat(None, COUNT // 8):
        readinto(buffer)  # WHOLE


book = Book()
held = [bytearray(MIB - BELOW) for _ in repeat(None, HELD)]  # HELD
book.peaked((HELD + 1) * MIB)
with open("/dev/zero", "rb", MIB) as zeros:
    chunks(zeros.read)
with open("/dev/zero", "rb", 0) as zeros:
    whole(zeros.readinto, held[0])
book.copied("CHUNKS", COUNT * CHUNK, CHUNK)
book.allocated("CHUNKS", COUNT * (CHUNK + 33), CHUNK)
book.copied("WHOLE", 0, MIB, COUNT * CHUNK)
book.live("HELD", HELD * (MIB - BELOW), MIB)
book.tell()
