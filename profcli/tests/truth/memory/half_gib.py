"""One block of 512 MiB that is written to, or of which every page stays untouched. What is held is the same; the program
fails if pages that nobody wrote to became resident."""

import ctypes
import sys
import time

from selfsized import BELOW, MIB, Book, libc, many

SIZE = many(512) * MIB - BELOW
libc.calloc.restype = ctypes.c_void_p
libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def touched_bytearray():
    return bytearray(SIZE)  # BYTEARRAY


def untouched_bytes():
    return bytes(SIZE)  # BYTES


def untouched_calloc():
    return libc.calloc(1, SIZE)  # CALLOC


def touched_numpy():
    made = numpy.empty(SIZE, numpy.uint8)  # EMPTY
    made.fill(1)
    return made


def untouched_numpy():
    return numpy.empty(SIZE, numpy.uint8)  # UNTOUCHED


def untouched_zeros():
    return numpy.zeros(SIZE, numpy.uint8)  # ZEROS


MAKERS = {
    "BYTEARRAY": touched_bytearray,
    "BYTES": untouched_bytes,
    "CALLOC": untouched_calloc,
    "EMPTY": touched_numpy,
    "UNTOUCHED": untouched_numpy,
    "ZEROS": untouched_zeros,
}


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


tag = sys.argv[2]
make = MAKERS[tag]
if make.__name__.endswith(("numpy", "zeros")):
    import numpy
book = Book()
before = resident()
block = make()
grown = resident() - before
if make.__name__.startswith("untouched") and grown > 16 * MIB:
    sys.exit(f"{grown} bytes became resident")
book.peaked(SIZE)
time.sleep(0.2)
book.allocated(tag, SIZE, SIZE)
book.live(tag, SIZE, SIZE)
if tag == "CALLOC":
    libc.free(block)
del block
book.tell()
