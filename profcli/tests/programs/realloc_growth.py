"""Grows one block by realloc from 1 to 300 MiB, a MiB at a time, and touches what is new."""

import ctypes
import json
import time

MIB = 1 << 20
LIMIT = 300

libc = ctypes.CDLL(None)
libc.realloc.restype = ctypes.c_void_p
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.free.restype = None
libc.free.argtypes = [ctypes.c_void_p]


def grow():
    block = None
    for size in range(1, LIMIT + 1):
        block = libc.realloc(block, size * MIB)  # GROW
        ctypes.memset(block + (size - 1) * MIB, size & 255, MIB)
    return block


def check(block):
    for size in range(1, LIMIT + 1):
        start = block + (size - 1) * MIB
        assert ctypes.string_at(start, 1) == bytes([size & 255])
        assert ctypes.string_at(start + MIB - 1, 1) == bytes([size & 255])


started = time.thread_time()
grown = grow()
cpu = time.thread_time() - started
check(grown)
time.sleep(0.3)
libc.free(grown)
print(json.dumps({"peak": LIMIT * MIB, "cpu_s": cpu}))
