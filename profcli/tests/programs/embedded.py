"""Run by embedding.c, which sets SECONDS: as much CPU time in one line."""

import time


def spin(seconds):
    end = time.thread_time() + seconds
    x = 1
    while time.thread_time() < end:
        for i in range(20_000):
            x = (x * 3 + i) & 0xFFFF  # SPIN


spin(SECONDS)
