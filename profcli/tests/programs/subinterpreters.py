"""Burns CPU time in subinterpreters, on the main thread and on another one, and prints what each clock says."""

import json
import sys
import threading
import time

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

INSIDE = """
import sys
path, function, seconds = %r
sys.path.insert(0, path)
import subinterpreted
getattr(subinterpreted, function)(seconds)
"""


def outside(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(20_000):
            pass


def inside(function, seconds):
    interpreter = interpreters.create()
    began = time.thread_time()
    failed = interpreters.run_string(interpreter, INSIDE % ((sys.path[0], function, seconds),))
    assert not failed, failed
    told[function] = time.thread_time() - began
    interpreters.destroy(interpreter)


told = {}
seconds = float(sys.argv[1])
inside("on_main", seconds)
thread = threading.Thread(target=inside, args=("on_thread", seconds))
thread.start()
outside(seconds)
thread.join()
print(json.dumps(told))
