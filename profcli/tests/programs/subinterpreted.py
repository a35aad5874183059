"""Imported by a subinterpreter (subinterpreters.py)."""

import time


def on_main(seconds):
    end = time.thread_time() + seconds
    x = 1
    while time.thread_time() < end:
        for i in range(20_000):
            x = (x * 3 + i) & 0xFFFF  # MAIN


def on_thread(seconds):
    end = time.thread_time() + seconds
    x = 1
    while time.thread_time() < end:
        for i in range(20_000):
            x = (x * 3 + i) & 0xFFFF  # THREAD
