"""Documents of some size through the C parts of json, with the garbage collection that they set off."""

import json

from selftimed import Phase, Watch, hold_arenas, tell

kept = hold_arenas()
DOCUMENT = [{"id": n, "name": "item %d" % n, "tags": ["a", "b", str(n)], "size": n / 7} for n in range(4_000)]
TEXT = json.dumps(DOCUMENT)


def dump(turns):
    while turns: json.dumps(DOCUMENT); turns -= 1


loaded = []


def load(turns):
    while turns: loaded.append(json.loads(TEXT)); turns -= 1


# Taking things apart that nobody calls is the interpreter's work.
def drop(_):
    del loaded[:]


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("json")
watch.watch_gc()
watch.alternate([
    Phase(dump, 0.8, "native"),
    Phase(load, 0.8, "native"),
    Phase(drop, 0, "python"),
    Phase(plain, 0.4, "python", "PLAIN"),
])
tell(watch.told())
