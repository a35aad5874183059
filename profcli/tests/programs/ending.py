"""Ends in the way its argument names."""

import faulthandler
import os
import signal
import sys

print("before the end", flush=True)
how = sys.argv[1]
if how == "zero":
    pass
elif how == "status":
    sys.exit(3)
elif how == "message":
    sys.exit("a message")
elif how == "at once":
    os._exit(7)
elif how == "exception":
    raise RuntimeError("nobody catches this")
elif how == "abort":
    os.abort()
elif how == "terminated":
    os.kill(os.getpid(), signal.SIGTERM)
elif how == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
elif how == "interrupted":
    os.kill(os.getpid(), signal.SIGINT)
elif how == "real-time signal":
    os.kill(os.getpid(), signal.SIGRTMIN + 4)
elif how == "segmentation fault":
    os.kill(os.getpid(), signal.SIGSEGV)
elif how == "bad read":
    import ctypes

    ctypes.string_at(16)
elif how == "bad read under faulthandler":
    import ctypes

    faulthandler.enable()
    ctypes.string_at(16)
elif how == "recursion":

    def deeper():
        return deeper() + 1

    try:
        deeper()
    except RecursionError:
        print("recursion stopped")
elif how == "exec":
    os.execv(sys.executable, [sys.executable, "-c", "import sys; print('replaced'); sys.exit(9)"])
else:
    sys.exit("no such ending: " + how)
