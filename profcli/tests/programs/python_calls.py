"""Pure Python that calls: functions and methods written in Python, or a builtin that does next to nothing."""

import json
import sys
import time


class Adder:
    step = 7

    def add(self, x):
        return (x ^ self.step) + 1  # METHOD


def scaled(x, i):
    return (x * 3 + i) & 0xFFFF  # FUNCTION


def functions(turns):
    adder = Adder()
    x = 0
    for i in range(turns):
        x = scaled(x, i)
        x = adder.add(x)
    return x


def builtins(turns):
    items = [1, 2, 3]
    x = 0
    for i in range(turns):
        x = x + len(items)  # CALL
        y = x * 3 + i
        x = (y - x) & 0xFFFF
        y = x + y - i
        x = (y * 5) & 0xFFFF
    return x


work = {"functions": functions, "builtins": builtins}[sys.argv[1]]
while time.thread_time() < float(sys.argv[2]):
    work(10_000)
print(json.dumps({"cpu_s": time.thread_time()}))
