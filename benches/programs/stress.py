"""Everything that moves frames about, at once: exceptions, generators, coroutines, recursion, code made at run time, imports,
threads that come and go, cycles for the garbage collector. Argument: seconds. Prints how many rounds each kind did."""

import asyncio
import gc
import importlib
import json
import random
import sys
import threading
import time

SECONDS = float(sys.argv[1])
END = time.monotonic() + SECONDS


class Failure(Exception):
    pass


def exceptions(turn):
    def fall(depth):
        try:
            if depth == 0:
                raise Failure(turn)
            fall(depth - 1)
        except Failure as failure:
            if depth % 3:
                raise
            raise Failure(depth) from failure
        finally:
            turn_over = depth * 2
            del turn_over

    try:
        fall(turn % 40)
    except Failure:
        pass


def generators(turn):
    def numbers(n):
        for i in range(n):
            yield i

    def through(source):
        yield from (x * x for x in source)

    chain = through(through(numbers(turn % 200)))
    for x in chain:
        if x > 5000:
            chain.close()
            break
    half = numbers(10)
    next(half)
    try:
        half.throw(Failure)
    except Failure:
        pass


def coroutines(turn):
    async def leaf(n):
        await asyncio.sleep(0)
        return sum(range(n))

    async def main():
        tasks = [asyncio.ensure_future(leaf(n)) for n in range(20)]
        tasks[3].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()


def recursion(turn):
    def down(n, *rest, **words):
        return n if n == 0 else down(n - 1, *rest, **words)

    # Python 3.15 has no limit for the calls of `down`, whose arguments are unpacked.
    def without_end(n):
        return without_end(n + 1)

    down(turn % 300, 1, 2, three=3)
    try:
        without_end(0)
    except RecursionError:
        pass


def made_code(turn):
    names = {}
    source = "def made_%d(n):\n%s    return n\n" % (turn, "    n += 1\n" * (turn % 30))
    exec(compile(source, "made %d" % turn, "exec"), names)
    names["made_%d" % turn](turn)
    eval("[x for x in range(%d)]" % (turn % 100))


IMPORTED = ["textwrap", "colorsys", "fractions", "wave", "html.entities", "graphlib", "sched"]


def imports(turn):
    name = IMPORTED[turn % len(IMPORTED)]
    try:
        importlib.reload(importlib.import_module(name))
    except ImportError:
        pass


def thread_churn(turn):
    def short(n):
        return sorted(random.random() for _ in range(n))

    threads = [threading.Thread(target=short, args=(n * 20,)) for n in range(turn % 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cycles(turn):
    class Node:
        def __init__(self, other):
            self.other = other
            self.self = self

        def __del__(self):
            self.other = None

    node = None
    for _ in range(turn % 500):
        node = Node(node)
    if turn % 50 == 0:
        gc.collect()


def natives(turn):
    text = json.dumps({str(n): [n] * (n % 7) for n in range(turn % 300)})
    json.loads(text)
    sorted(text.split(","), key=lambda part: part[::-1])
    b"".join(bytes([n & 255]) * n for n in range(turn % 200))


KINDS = [exceptions, generators, coroutines, recursion, made_code, imports, thread_churn, cycles, natives]
rounds = {}


def work(kind):
    turn = 0
    while time.monotonic() < END:
        kind(turn)
        turn += 1
    rounds[kind.__name__] = turn


threads = [threading.Thread(target=work, args=(kind,), name=kind.__name__) for kind in KINDS]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert set(rounds) == {kind.__name__ for kind in KINDS} and all(rounds.values()), rounds
print(json.dumps(rounds))
