"""Work in libraries, each below a line of its own. Arguments: a Rust library, seconds for each."""

import ctypes
import sys
import time
import zlib

import numpy

rust = ctypes.CDLL(sys.argv[1])
rust.outer.argtypes = [ctypes.c_double]
seconds = float(sys.argv[2])


def compress():
    data = bytes(i * i & 255 for i in range(1 << 20))
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        zlib.compress(data)  # ZLIB


def multiply():
    matrix = numpy.random.default_rng(1).random((400, 400))
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        matrix @ matrix  # NUMPY


def call():
    rust.outer(seconds)  # RUST


compress()
multiply()
call()
