"""Calls of Python by Python, deep and broad."""

from selftimed import Phase, Watch, tell


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def broad(turns):
    while turns: fibonacci(12); turns -= 1


# The work is at the bottom: on its way there the interpreter maps pieces of a stack, and that is the kernel's work.
def deep(turns, depth=300):
    if depth:
        deep(turns, depth - 1)
        return
    while turns: fibonacci(12); turns -= 1


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("recursion")
watch.alternate([Phase(deep, 0.8, "python"), Phase(broad, 0.8, "python"), Phase(plain, 0.4, "python", "PLAIN")])
tell(watch.told())
