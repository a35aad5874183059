"""Prints everything about its own process that a program can see and that must be the same under the profiler."""

import hashlib
import json
import os
import resource
import signal
import sys
import threading

OURS = ("PROF_SESSION", "LD_PRELOAD")


def environment():
    return {key: value for key, value in sorted(os.environ.items()) if key not in OURS}


def descriptors():
    # The folder's own descriptor is gone again by the time it is looked at.
    opened = {}
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            target = os.readlink("/proc/self/fd/" + name)
        except FileNotFoundError:
            continue
        opened[name] = target.split(":")[0]
    return opened


def dispositions():
    seen = {}
    for number in range(1, signal.NSIG):
        try:
            seen[number] = str(signal.getsignal(number))
        except ValueError:
            seen[number] = "not to be asked"
    return seen


def status_fields():
    wanted = ("Threads", "SigBlk", "SigIgn", "ShdPnd", "Umask", "NoNewPrivs", "Seccomp", "TracerPid")
    found = {}
    with open("/proc/self/status") as status:
        for line in status:
            key, value = line.split(":", 1)
            if key in wanted:
                found[key] = value.strip()
    return found


def main():
    with open("written.txt", "w") as out:
        out.write("by the program\n")
    seen = {
        "argv": sys.argv,
        "orig_argv": getattr(sys, "orig_argv", None),
        "executable": sys.executable,
        "path": sys.path,
        "modules": sorted(sys.modules),
        "flags": str(sys.flags),
        "cwd": os.path.basename(os.getcwd()) != "",
        "environment": environment(),
        "descriptors": descriptors(),
        "dispositions": dispositions(),
        "blocked": sorted(int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "status": status_fields(),
        "threads": [thread.name for thread in threading.enumerate()],
        "trace": str(sys.gettrace()),
        "profile": str(sys.getprofile()),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "limits": [resource.getrlimit(limit) for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)],
        "timer": signal.getitimer(signal.ITIMER_PROF),
        "standard input": hashlib.sha256(sys.stdin.buffer.read()).hexdigest(),
    }
    json.dump(seen, sys.stdout, indent=1)
    print("to standard error", file=sys.stderr)


main()
