"""Regular expressions: C that a Python method is a thin cover of."""

import re

from selftimed import Phase, Watch, tell

TEXT = "the quick brown fox jumps over the lazy dog 4711; " * 4_000
search = re.compile(r"(\w+)\s+(\w+)\s+never").search
letters = re.compile(r"[a-z]+").sub


def backtrack(turns):
    while turns: search(TEXT); turns -= 1  # SEARCH


def replace(turns):
    while turns: letters("x", TEXT); turns -= 1  # REPLACE


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("regex")
watch.alternate([
    Phase(backtrack, 0.8, "native", "SEARCH"),
    Phase(replace, 0.6, "native", "REPLACE"),
    Phase(plain, 0.6, "python", "PLAIN"),
])
tell(watch.told())
