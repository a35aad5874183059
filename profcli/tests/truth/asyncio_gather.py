"""Tasks that take turns on one event loop."""

import asyncio
import time

from selftimed import Phase, Watch, seconds, tell


def more(turns):
    x = 0
    for i in range(turns): x = (x * 3 + i) & 1023  # MORE


def less(turns):
    x = 0
    while turns: x ^= turns; turns -= 1  # LESS


watch = Watch("asyncio", "work")


async def task(phase, until):
    while time.thread_time() < until:
        watch.turn(phase, 0.5)
        await asyncio.sleep(0)


async def gather():
    until = time.thread_time() + seconds()
    # One phase for all tasks of a kind: so it is measured once how long a unit takes.
    kinds = [Phase(more, 1.4, "python", "MORE"), Phase(less, 0.6, "python", "LESS")]
    await asyncio.gather(*(task(kinds[n % 2], until) for n in range(20)))


def work():
    watch.begin()
    asyncio.run(gather())
    watch.end()


work()
tell(watch.told())
