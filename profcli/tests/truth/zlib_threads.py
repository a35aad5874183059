"""Two threads that compress outside the GIL, and fight for it in between."""

import time
import zlib

from selftimed import Phase, Watch, in_threads, seconds, tell

DATA = bytes((n * n >> 5) & 255 for n in range(1 << 20))
LARGE = DATA * 4


def deflate(turns):
    while turns: zlib.compress(DATA, 6); turns -= 1  # DEFLATE


def checksum(turns):
    while turns: zlib.crc32(LARGE); turns -= 1  # CHECKSUM


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


def work(n):
    watch = Watch(("deflate", "checksum")[n])
    native = (Phase(deflate, 1.4, "native", "DEFLATE"), Phase(checksum, 1.0, "native", "CHECKSUM"))[n]
    watch.alternate([native, Phase(plain, 0.6, "python", "PLAIN")], time.perf_counter, 1.2 * seconds())
    watch.off_is("off")
    return watch.told()


tell(*in_threads(2, work))
