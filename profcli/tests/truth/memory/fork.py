"""Two children that read what they inherit, which is there once for all three, and hold blocks of their own at one time."""

import os
import time
from itertools import repeat

from selfsized import BELOW, MIB, Book, many, taken

COUNT, OWN, CHILDREN = many(192), many(96), 2


def inherit():
    return [bytearray(MIB - BELOW) for _ in repeat(None, COUNT)]  # PARENT


def child(blocks):
    assert not any(block[-1] for block in blocks)
    own = [bytearray(MIB - BELOW) for _ in repeat(None, OWN)]  # CHILD
    time.sleep(1)
    return own


book = Book()
blocks = inherit()
size = taken(blocks[0])
children = []
for _ in repeat(None, CHILDREN):
    pid = os.fork()
    if pid == 0:
        child(blocks)
        os._exit(0)
    children.append(pid)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
book.peaked((COUNT + CHILDREN * OWN) * size)
book.allocated("PARENT", COUNT * size, size)
book.allocated("CHILD", CHILDREN * OWN * size, size)
book.live("PARENT", COUNT * size, size)
book.live("CHILD", CHILDREN * OWN * size, size)
book.tell()
