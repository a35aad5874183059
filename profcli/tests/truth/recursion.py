"""Calls of Python by Python, deep and broad."""

from selftimed import Phase, Watch, tell


def descend(depth):
    return descend(depth - 1) + 1 if depth else 0


def deep(turns):
    while turns: descend(300); turns -= 1


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def broad(turns):
    while turns: fibonacci(12); turns -= 1


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("recursion")
watch.alternate([Phase(deep, 0.8, "python"), Phase(broad, 0.8, "python"), Phase(plain, 0.4, "python", "PLAIN")])
tell(watch.told())
