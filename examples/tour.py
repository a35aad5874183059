#!/usr/bin/env python3
"""A program whose costs are known: one line for each thing a profiler should find.

    prof run -o tour.proftrace -- python3 examples/tour.py
    prof report tour.proftrace

The five lines end in a comment tag. HOT is first by Python time, NATIVE by native time, HOG by memory
live at the peak, LEAK by memory live at the end, COPY by copied bytes.
"""

import hashlib

ROUNDS = 50
MIB = 1 << 20

kept = []


def spin(turns):
    x = 1
    for i in range(turns):
        x = (x * 3 + i * 7 + (x >> 3) - (i & x)) & 1023  # HOT
    return x


def digest(data, times):
    state = hashlib.sha256()
    for _ in range(times):
        state.update(data)  # NATIVE
    return state.hexdigest()


def hoard(mebibytes):
    hoarded = []
    for number in range(mebibytes):
        hoarded.append(bytearray([number & 255]) * MIB)  # HOG
    return sum(piece[0] for piece in hoarded)


def remember(number):
    kept.append([number] * 65_536)  # LEAK


def snapshot(source):
    return bytes(source)  # COPY


def main():
    data = bytes(MIB)
    source = bytearray(5_000_000)
    spun = hoarded = copied = 0
    for number in range(ROUNDS):
        spun += spin(150_000)
        hashed = digest(data, 32)
        remember(number)
        copied += len(snapshot(source))
        if number == ROUNDS // 2:
            hoarded = hoard(160)
    print("spun", spun)
    print("hashed", hashed[:16])
    print("hoarded", hoarded)
    print("kept", len(kept))
    print("copied", copied)


if __name__ == "__main__":
    main()
