"""numpy's a @ a: an operator, not a call, that works in a library of another module."""

import os

# One thread, and the one whose clock is read.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy

from selftimed import Phase, Watch, tell

a = numpy.random.RandomState(7).rand(300, 300)


def multiply(turns):
    while turns: a @ a; turns -= 1  # MULTIPLY


def order(turns):
    while turns: numpy.sort(a, axis=None); turns -= 1


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("matmul")
watch.alternate([
    Phase(multiply, 1.0, "native", "MULTIPLY"),
    Phase(order, 0.4, "native"),
    Phase(plain, 0.6, "python", "PLAIN"),
])
tell(watch.told())
