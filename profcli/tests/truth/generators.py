"""Generators that draw from generators: frames that come and go without a call."""

from selftimed import Phase, Watch, tell


def numbers(count):
    while count: yield count; count -= 1


def link(inner):
    for number in inner: yield number + 1


def chain(turns):
    for number in link(link(link(link(link(numbers(turns)))))): pass


def nested(turns):
    for number in (x + y for x in range(turns) for y in (1, 2, 3)): pass


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("generators")
watch.alternate([Phase(chain, 1.0, "python"), Phase(nested, 0.5, "python"), Phase(plain, 0.5, "python", "PLAIN")])
tell(watch.told())
