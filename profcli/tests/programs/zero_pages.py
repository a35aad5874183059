"""480 MB that calloc hands out as untouched zero pages stay untouched. Argument: `bytes` or `numpy`."""

import json
import sys

SIZE = 480_000_000


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


if sys.argv[1] == "numpy":
    import numpy

    def make():
        return numpy.zeros(SIZE // 8)  # NUMPY

else:

    def make():
        return bytes(SIZE)  # BYTES


before = resident()
zeros = make()
after = resident()
print(json.dumps({"grown": after - before, "size": SIZE, "first": int(zeros[0]), "last": int(zeros[-1])}))
