"""Exceptions, caught where they are raised and many calls away."""

from selftimed import Phase, Watch, tell


def near(turns):
    while turns:
        turns -= 1
        try:
            raise LookupError
        except LookupError:
            pass


def throw(depth):
    if depth:
        throw(depth - 1)
    raise LookupError


def far(turns):
    while turns:
        turns -= 1
        try:
            throw(20)
        except LookupError:
            pass


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("exceptions")
watch.alternate([Phase(near, 0.8, "python"), Phase(far, 0.8, "python"), Phase(plain, 0.4, "python", "PLAIN")])
tell(watch.told())
