"""Three threads that measure themselves: pure Python, zlib that releases the GIL, bigint arithmetic.

Prints, as JSON, each thread's CPU seconds by its own clock and the share of each of its functions.
Argument: seconds of wall time to run.
"""

import json
import sys
import threading
import time
import zlib

PERIOD = float(sys.argv[1])
PLAIN = bytes((n * n >> 5) & 255 for n in range(1 << 20))
LARGE = PLAIN * 8
OPERAND = 3**40_000
# A function's turn takes many ticks. What a thread used since its last tick counts for the function that the next tick
# finds, so each change from one function to the other may move up to a tick's worth.


def python_more(turns=60_000):
    x = 0
    for i in range(turns):
        x = (x * 3 + i) & 1023
    return x


def python_less(turns=20_000):
    x = 0
    for i in range(turns):
        x = (x * 5 ^ i) & 2047
    return x


def zlib_more():
    return len(zlib.compress(PLAIN, 6))


def zlib_less():
    return zlib.crc32(LARGE)


def bigint_more():
    return OPERAND * OPERAND


def bigint_less():
    return OPERAND // 7


RESULTS = []


def work(name, more, less, more_times, less_times):
    seconds = {more.__name__: 0.0, less.__name__: 0.0}
    clock = time.thread_time
    end = time.monotonic() + PERIOD
    while time.monotonic() < end:
        for function, times in ((more, more_times), (less, less_times)):
            before = clock()
            for _ in range(times):
                function()
            seconds[function.__name__] += clock() - before
    total = clock()
    RESULTS.append(
        {"name": name, "tid": threading.get_native_id(), "cpu_s": total, "functions_s": seconds}
    )


def main():
    threads = [
        threading.Thread(target=work, name="pure", args=("pure", python_more, python_less, 24, 24)),
        threading.Thread(target=work, name="zlib", args=("zlib", zlib_more, zlib_less, 16, 20)),
        threading.Thread(target=work, name="bigint", args=("bigint", bigint_more, bigint_less, 60, 3600)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"threads": RESULTS, "main_cpu_s": time.thread_time()}))


main()
