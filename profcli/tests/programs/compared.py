"""Uses so many seconds of CPU time in each of three functions, and so many MiB: compared.py FIRST SECOND THIRD MIB."""

import sys
import time


def first(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(3000))  # FIRST


def second(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(3000))  # SECOND


def third(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(3000))  # THIRD


def main(seconds, mib):
    held = bytearray(mib << 20)  # HELD
    copied = bytes(held)  # COPIED
    for function, share in zip((first, second, third), seconds):
        function(share)
    return len(held) + len(copied)


main([float(word) for word in sys.argv[1:4]], int(sys.argv[4]))
