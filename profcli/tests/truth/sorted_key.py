"""A builtin that calls Python back: what of it is whose, only the functions know. And one that does not."""

import random

from selftimed import Phase, Watch, tell

NUMBERS = [random.Random(3).random() for _ in range(20_000)]


def key(number):
    return (number * 7.0) % 1.0


def by_key(turns):
    while turns: sorted(NUMBERS, key=key); turns -= 1


def by_itself(turns):
    while turns: sorted(NUMBERS); turns -= 1  # SORT


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("sorted")
watch.alternate([Phase(by_key, 1.0), Phase(by_itself, 0.6, None, "SORT"), Phase(plain, 0.4, None, "PLAIN")])
tell(watch.told())
