"""Cycles, made without a call, that only the collector of garbage can free."""

import gc

from selftimed import Phase, Watch, hold_arenas, tell

kept = hold_arenas()
# Collections are so large that the callbacks which time them do not count.
gc.set_threshold(30_000, 10, 10)


def cycles(turns):
    while turns: x = [None]; x[0] = x; turns -= 1  # CYCLES


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("gc")
watch.watch_gc()
watch.alternate([Phase(cycles, 1.6, "python", "CYCLES"), Phase(plain, 0.4, "python", "PLAIN")])
tell(watch.told())
