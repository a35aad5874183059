"""Bytes joined on one line, for a second of CPU time: nearly all of it goes into copying, half of it in a child."""

import os
import time

parts = [bytes(4 << 20)] * 2


def join():
    while time.process_time() < 0.5:
        b"".join(parts)


child = os.fork()
join()
if child:
    os.waitpid(child, 0)
