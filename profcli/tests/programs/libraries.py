"""Work in libraries, each below a line and in a thread of its own. Arguments: a Rust library, seconds for each."""

import ctypes
import sys
import threading
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


def sort():
    shuffled = numpy.random.default_rng(1).random(300_000)
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        values = shuffled.copy()
        values.sort()  # SORT


def call():
    rust.outer(seconds)  # RUST


for work in compress, multiply, sort, call:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
