"""A heap that is inherited by a child, and from that one by another; each has blocks of its own. Prints what all hold together."""

import json
import os
import time

MIB = 1 << 20
INHERITED, OWN = 96, 16


def generation(depth):
    """What is held from here on downwards, in MiB."""
    if depth == 0:
        return
    pid = os.fork()
    if pid == 0:
        own = [bytearray(MIB) for _ in range(OWN)]
        generation(depth - 1)
        time.sleep(0.5)
        os._exit(len(own) != OWN)
    assert os.waitpid(pid, 0)[1] == 0


kept = [bytearray(MIB) for _ in range(INHERITED)]
generation(2)
print(json.dumps({"held": (INHERITED + 2 * OWN) * MIB, "kept": len(kept)}))
