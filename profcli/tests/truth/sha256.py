"""A builtin that works for long, beside Python."""

import hashlib

from selftimed import Phase, Watch, tell

DATA = bytes(1 << 20)
update = hashlib.sha256().update


def digest(turns):
    while turns: update(DATA); turns -= 1  # DIGEST


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("sha256")
watch.alternate([Phase(digest, 1.2, "native", "DIGEST"), Phase(plain, 0.8, "python", "PLAIN")])
tell(watch.told())
