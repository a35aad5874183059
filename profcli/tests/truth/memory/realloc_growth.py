"""A block that grows by realloc from 1 to 300 MiB, a MiB at a time, and is freed."""

import ctypes
import time

from selfsized import BELOW, MIB, Book, libc, many

COUNT = many(300)
libc.realloc.restype = ctypes.c_void_p
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def grow(realloc):
    block = None
    for size in range(1, COUNT + 1):
        block = realloc(block, size * MIB - BELOW)  # GROW
        ctypes.memset(block + (size - 1) * MIB, size & 255, MIB - BELOW)
    return block


book = Book()
block = grow(libc.realloc)
size = COUNT * MIB - BELOW
book.peaked(size)
time.sleep(0.2)
libc.free(block)
book.allocated("GROW", size, MIB)
book.live("GROW", size, MIB)
book.tell()
