"""The work behind forks.proftrace: a pool of processes, a fork, another program."""

import multiprocessing
import os
import subprocess


def squares(count):
    return sum(len(str(number * number)) for number in range(count))


def child():
    pid = os.fork()
    if pid == 0:
        squares(150_000)
        os._exit(3)
    os.waitpid(pid, 0)


def main():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(squares, [60_000] * 6, chunksize=1)
    child()
    subprocess.run(["/usr/bin/python3", "-c", "sorted(str(i) for i in range(50_000))"], check=True)


if __name__ == "__main__":
    main()
