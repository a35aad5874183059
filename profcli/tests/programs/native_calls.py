"""Work in a library, below one line, and Python called back by it. Arguments: the library, CPU seconds for each part."""

import ctypes
import sys
import time

library = ctypes.CDLL(sys.argv[1])
seconds = float(sys.argv[2])
library.outer.argtypes = [ctypes.c_double]
function_type = ctypes.CFUNCTYPE(None)


def work():
    library.outer(seconds)  # NATIVE


def burn():
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))  # BURN


def called():
    library.call_back(function_type(burn))  # CALLED


work()
called()
