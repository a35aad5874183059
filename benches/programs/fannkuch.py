"""Flips prefixes of permutations: integer lists and slices, hardly any allocation."""

import sys


def flips(permutation):
    count = 0
    first = permutation[0]
    while first:
        permutation[: first + 1] = permutation[first::-1]
        count += 1
        first = permutation[0]
    return count


def fannkuch(size):
    order = list(range(size))
    turns = [0] * size
    most = checksum = 0
    sign = 1
    depth = 0
    most = flips(order[:])
    # Heap's algorithm, without recursion.
    while depth < size:
        if turns[depth] < depth:
            other = turns[depth] if depth & 1 else 0
            order[other], order[depth] = order[depth], order[other]
            sign = -sign
            count = flips(order[:])
            checksum += sign * count
            if count > most:
                most = count
            turns[depth] += 1
            depth = 0
        else:
            turns[depth] = 0
            depth += 1
    return most, checksum


print(fannkuch(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
