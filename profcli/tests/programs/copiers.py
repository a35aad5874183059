"""Copies by the interpreter, by numpy, by zlib and by a C library: 160 MiB each, at a pace. Argument: the library."""

import ctypes
import json
import sys
import time
import zlib

import numpy

ROUNDS, SIZE = 40, 4 << 20
library = ctypes.CDLL(sys.argv[1])
library.copied.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]


def sliced():
    return source[1:]  # CPYTHON


def taken():
    return array.copy()  # NUMPY


def stored():
    return zlib.compress(source, 0)  # ZLIB


def passed():
    return library.copied(target, source, SIZE)  # LIBRARY


source = bytes(SIZE)
target = bytes(SIZE)
array = numpy.frombuffer(source, dtype=numpy.uint8)
for work in (sliced, taken, stored, passed):
    for _ in range(ROUNDS):
        work()
        # Samples are to be drained meanwhile, not to wait for each other.
        time.sleep(0.005)
print(json.dumps({"bytes": ROUNDS * SIZE}))
