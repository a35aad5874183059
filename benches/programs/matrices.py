"""numpy: large arrays that come and go, products, sorting, and small arrays in a loop."""

import numpy

SIZE = 300
ROUNDS = 30


def main():
    random = numpy.random.default_rng(1)
    total = 0.0
    for _ in range(ROUNDS):
        one, other = random.random((SIZE, SIZE)), random.random((SIZE, SIZE))
        total += float((one @ other).trace())
        total += float(numpy.sort(numpy.concatenate([one.ravel(), other.ravel()]))[SIZE])
        large = numpy.arange(1_000_000, dtype=float)
        total += float((large * 2.0 + 1.0).sum())
        for n in range(1, 3000):
            total += float(numpy.array([n, n + 1.0]).sum())
    print("%.3e" % total)


main()
