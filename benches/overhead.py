#!/usr/bin/env python3
"""What profiling costs: wall time of real programs under `prof run`, over the same programs bare.

    cargo build --release && python3 benches/overhead.py

Bare and profiled runs alternate (A B C A B C …), so that a machine that warms up or slows down does so for all of them; the
figure of a mode is the median over the rounds of its time divided by the bare time of the same round. Standard
library only. Times are worth something on a quiet machine; `loadavg` is printed for that reason.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = {
    "fannkuch": HERE / "programs/fannkuch.py",
    "mdp": HERE / "programs/mdp.py",
    "raytrace": HERE / "programs/raytrace.py",
    "churn": HERE / "programs/churn.py",
    "realloc": HERE.parent / "profcli/tests/programs/realloc_growth.py",
    "start-up": None,
}
MODES = {
    "bare": None,
    "cpu only": ["--rate", "100", "--no-memory", "--no-copies"],
    "everything": ["--rate", "100"],
}


def arguments():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prof", default=target / "release/prof", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", default=7, type=int, help="rounds of one run per mode")
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="only these")
    parser.add_argument("--mode", action="append", choices=list(MODES)[1:], help="only these")
    return parser.parse_args()


def run(command, folder):
    """Runs a command and returns its output, its wall seconds, and the CPU seconds of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    ended = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != 0:
        sys.exit("status %d: %s" % (ended.returncode, " ".join(map(str, command))))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ended.stdout, wall, cpu


def commands(options, name, modes, folder):
    path = PROGRAMS[name]
    bare = [options.python, path] if path else [options.python, "-c", "pass"]
    found = {"bare": bare}
    for mode in modes:
        trace = pathlib.Path(folder) / "run.proftrace"
        head = [options.prof, "run", "--quiet", "--force", "-o", trace]
        found[mode] = head + MODES[mode] + ["--"] + bare
    return found


def measure(options, name, modes):
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(options, name, modes, folder)
        outputs = {}
        for mode, command in runs.items():  # warms caches; not counted
            outputs[mode] = run(command, folder)[0]
        # What measures itself prints another figure each time.
        if name != "realloc" and len(set(outputs.values())) != 1:
            sys.exit("%s: another output under the profiler" % name)
        walls = {mode: [] for mode in runs}
        cpus = {mode: [] for mode in runs}
        for turn in range(options.rounds):
            order = list(runs)
            # Each mode comes first as often as the others do.
            for mode in order[turn % len(order) :] + order[: turn % len(order)]:
                _, wall, cpu = run(runs[mode], folder)
                walls[mode].append(wall)
                cpus[mode].append(cpu)
    return walls, cpus


def ratios(values, bare):
    return sorted(one / other for one, other in zip(values, bare))


def main():
    options = arguments()
    if not options.prof.is_file():
        sys.exit("%s: build it with `cargo build --release`" % options.prof)
    modes = options.mode or list(MODES)[1:]
    print("%s, %d rounds, loadavg %s" % (sys.version.split()[0], options.rounds, "%.2f %.2f %.2f" % os.getloadavg()))
    print("%-10s %9s" % ("", "bare") + "".join(" %24s" % mode for mode in modes))
    print("%-10s %9s" % ("program", "wall s") + " %8s %9s %5s" % ("wall", "min…max", "cpu") * len(modes))
    for name in options.program or PROGRAMS:
        walls, cpus = measure(options, name, modes)
        row = "%-10s %9.3f" % (name, statistics.median(walls["bare"]))
        for mode in modes:
            wall = ratios(walls[mode], walls["bare"])
            cpu = statistics.median(ratios(cpus[mode], cpus["bare"]))
            middle = statistics.median(wall)
            spread = "%.2f…%.2f" % (wall[0], wall[-1])
            row += " %8.3f %9s %5.2f" % (middle, spread, cpu)
            if name == "start-up":
                more = middle * statistics.median(walls["bare"]) - statistics.median(walls["bare"])
                row += " (%+.0f ms)" % (more * 1000)
        print(row, flush=True)


if __name__ == "__main__":
    main()
