"""Large integers: long work of the interpreter without a call instruction."""

from selftimed import Phase, Watch, tell

ONE, OTHER = 3**40_000, 7**30_000


def multiply(turns):
    while turns: ONE * OTHER; turns -= 1  # MULTIPLY


def divide(turns):
    while turns: ONE // 10_007; turns -= 1  # DIVIDE


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("bigint")
watch.alternate([
    Phase(multiply, 1.0, "python", "MULTIPLY"),
    Phase(divide, 0.7, "python", "DIVIDE"),
    Phase(plain, 0.5, "python", "PLAIN"),
])
tell(watch.told())
