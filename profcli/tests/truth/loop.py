"""Loops that call nothing: all of it is Python."""

from selftimed import Phase, Watch, tell


def more(turns):
    x = 0
    for i in range(turns): x = (x * 3 + i) & 1023  # MORE


def less(turns):
    x = 0
    while turns: x ^= turns; turns -= 1  # LESS


watch = Watch("loop")
watch.alternate([Phase(more, 1.4, "python", "MORE"), Phase(less, 0.6, "python", "LESS")])
tell(watch.told())
