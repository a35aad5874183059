"""Blocks of 3 MiB that one thread makes and another drops, at most 8 of them in flight."""

import queue
import sys
import threading
from itertools import repeat

from selfsized import BELOW, MIB, Book, many

COUNT = many(400)
IN_FLIGHT = 8


def produce(blocks, room, full):
    for n in range(COUNT):
        room.acquire()
        blocks.put(bytearray(3 * MIB - BELOW))  # PRODUCE
        if n + 1 == min(IN_FLIGHT, COUNT):
            full.set()


def consume(blocks, room, full):
    full.wait()
    for _ in repeat(None, COUNT):
        block = blocks.get()
        del block
        room.release()


blocks, room, full = queue.SimpleQueue(), threading.Semaphore(IN_FLIGHT), threading.Event()
size = sys.getsizeof(bytearray(3 * MIB - BELOW))
threads = [threading.Thread(target=work, args=(blocks, room, full)) for work in (produce, consume)]
book = Book()
book.peaked(min(IN_FLIGHT, COUNT) * size)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
book.allocated("PRODUCE", COUNT * size, size)
book.live("PRODUCE", min(IN_FLIGHT, COUNT) * size, size)
book.tell()
