"""10,000 threads, 20 at a time, each with a buffer that it drops and one that it leaves behind, which is a leak."""

import threading

from selfsized import BELOW, Book, many, taken

THREADS, AT_A_TIME, LENGTH = many(10_000), 20, (80 << 10) - BELOW
kept = []


def work():
    bytearray(LENGTH)  # DROPPED
    kept.append(bytearray(LENGTH))  # KEPT


book = Book()
for first in range(0, THREADS, AT_A_TIME):
    threads = [threading.Thread(target=work) for _ in range(min(AT_A_TIME, THREADS - first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
block = taken(kept[0])
book.peaked(THREADS * block + taken(kept))
book.allocated("DROPPED", THREADS * block, block, 2 * THREADS * block)
book.allocated("KEPT", THREADS * block, block, 2 * THREADS * block)
book.live("KEPT", THREADS * block, block, 2 * THREADS * block)
book.leaked("KEPT", THREADS * block)
book.tell()
