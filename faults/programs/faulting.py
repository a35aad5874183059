"""Faults while faulthandler is enabled, with work before, so that ticks have come."""

import ctypes
import faulthandler
import sys


def work():
    total = 0
    for number in range(2_000_000):
        total += number % 7
    return total


def fault():
    print("worked", work(), flush=True)
    if sys.argv[1] == "read":
        ctypes.string_at(8)
    elif sys.argv[1] == "raised":
        faulthandler._sigsegv()
    else:
        faulthandler._sigabrt()


faulthandler.enable()
fault()
