"""A bit of everything for some seconds: Python's objects, native blocks, copies, short threads, waits, exceptions."""

import hashlib
import json
import sys
import threading
import time
import zlib

TEXT = json.dumps([{"name": str(number), "values": list(range(number % 50))} for number in range(500)]).encode()


def objects():
    rows = json.loads(TEXT)
    rows.sort(key=lambda row: (len(row["values"]), row["name"]))
    return sum(len(row["values"]) for row in rows)


def blocks():
    return len(zlib.decompress(zlib.compress(TEXT, 1)))


def copies():
    piece = bytearray(TEXT)
    return len(bytes(piece) + piece[100:])


def exceptions():
    caught = 0
    for number in range(200):
        try:
            raise ValueError(number)
        except ValueError as error:
            caught += error.args[0] == number
    return caught


def hashes():
    return hashlib.sha256(TEXT * 4).hexdigest()


def threads():
    made = [threading.Thread(target=exceptions) for _ in range(4)]
    for thread in made:
        thread.start()
    for thread in made:
        thread.join()


KINDS = [objects, blocks, copies, exceptions, hashes, threads]


def work(until):
    expected = {kind: kind() for kind in KINDS}
    wrong = 0
    while time.monotonic() < until:
        for kind in KINDS:
            wrong += kind() != expected[kind]
        time.sleep(0.001)
    wrongs.append(wrong)


wrongs = []
end = time.monotonic() + float(sys.argv[1])
workers = [threading.Thread(target=work, args=[end]) for _ in range(2)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print("wrong", wrongs)
