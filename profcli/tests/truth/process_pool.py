"""Two worker processes, each of which measures itself."""

import hashlib
from concurrent.futures import ProcessPoolExecutor

from selftimed import Phase, Watch, seconds, tell

DATA = bytes(1 << 20)
JOBS = 8
watches = []


def digest(turns):
    while turns: hashlib.sha256(DATA); turns -= 1  # DIGEST


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


def job(_):
    if not watches:
        watches.append(Watch("worker"))
    watch = watches[0]
    watch.alternate([Phase(digest, 0.8, "native", "DIGEST"), Phase(plain, 1.2, "python", "PLAIN")], length=seconds() / JOBS)
    return watch.told()


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        told = sorted(pool.map(job, range(JOBS)), key=lambda thread: thread["cpu_s"])
    # What a worker told last is all of it.
    tell(*{thread["pid"]: thread for thread in told}.values())
