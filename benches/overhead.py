#!/usr/bin/env python3
"""What profiling costs: wall time and memory of real programs under `prof run`, over the same programs bare.

    cargo build --release && python3 benches/overhead.py

Bare and profiled runs alternate (A B C A B C …), so that a machine that warms up or slows down does so for all of them; the
figure of a mode is the median over the rounds of its time divided by the bare time of the same round. Memory is
`VmHWM` of the program and, apart, of the collector, in runs of their own that nobody times. Standard library only;
wants `cc` for the native program. Times are worth something on a quiet machine; `loadavg` is printed for that reason.
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
    "texts": HERE / "programs/texts.py",
    "imports": HERE / "programs/imports.py",
    "matrices": HERE / "programs/matrices.py",
    "churn": HERE / "programs/churn.py",
    "realloc": HERE.parent / "profcli/tests/programs/realloc_growth.py",
    "trees": HERE / "programs/trees.c",
    "start-up": None,
}
MODES = {
    "bare": None,
    "cpu only": ["--rate", "100", "--no-memory", "--no-copies"],
    "everything": ["--rate", "100"],
}
# Seconds between two looks at a program's memory: all but the last moment of it is seen.
LOOK = 0.002


def arguments():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prof", default=target / "release/prof", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--numpy", default=target / "peers/bin/python", metavar="PYTHON",
                        help="a Python that has numpy, for `matrices`")
    parser.add_argument("--rounds", default=7, type=int, help="rounds of one run per mode")
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="only these")
    parser.add_argument("--mode", action="append", choices=list(MODES)[1:], help="only these")
    return parser.parse_args()


def start(command, folder, **more):
    # Threads of a library's own would make figures of how many cores are free.
    alone = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    return subprocess.Popen(list(map(str, command)), cwd=folder, env=alone, stdin=subprocess.DEVNULL, **more)


def check(command, status):
    if status != 0:
        sys.exit("status %d: %s" % (status, " ".join(map(str, command))))


def run(command, folder):
    """Runs a command and returns its output, its wall seconds, and the CPU seconds of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = start(command, folder, stdout=subprocess.PIPE)
    output = process.communicate()[0]
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(command, process.returncode)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return output, wall, cpu


def high_water(pid):
    """Most KiB that a process has had resident; 0 if it is gone."""
    try:
        status = pathlib.Path("/proc/%d/status" % pid).read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def child(pid):
    try:
        return next(map(int, pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()), None)
    except OSError:
        return None


def resident(command, folder, profiled):
    """Most MiB that the program had resident, and the collector."""
    process = start(command, folder, stdout=subprocess.DEVNULL)
    program = collector = 0
    while process.poll() is None:
        pid = child(process.pid) if profiled else process.pid
        # Before its exec the child is a copy of who started it.
        if pid and os.path.exists("/proc/%d" % pid) and not is_copy(pid, process.pid if profiled else os.getpid()):
            program = max(program, high_water(pid))
        if profiled:
            collector = max(collector, high_water(process.pid))
        time.sleep(LOOK)
    check(command, process.returncode)
    return program / 1024, collector / 1024


def is_copy(pid, parent):
    try:
        return pathlib.Path("/proc/%d/cmdline" % pid).read_bytes() in (
            b"", pathlib.Path("/proc/%d/cmdline" % parent).read_bytes())
    except OSError:
        return True


def bare_command(options, name, folder):
    """What runs the program; `None` if it cannot run here."""
    path = PROGRAMS[name]
    if path is None:
        return [options.python, "-c", "pass"]
    if path.suffix == ".c":
        binary = pathlib.Path(folder) / name
        subprocess.run(["cc", "-O2", "-g", "-pthread", path, "-o", binary], check=True)
        return [binary]
    if name != "matrices":
        return [options.python, path]
    try:
        subprocess.run([options.numpy, "-c", "import numpy"], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [options.numpy, path]


def commands(options, name, modes, folder):
    bare = bare_command(options, name, folder)
    found = {"bare": bare}
    for mode in modes:
        trace = pathlib.Path(folder) / "run.proftrace"
        head = [options.prof, "run", "--quiet", "--force", "-o", trace]
        found[mode] = head + MODES[mode] + ["--", *(bare or [])]
    return found if bare else None


def measure(options, name, modes):
    """Seconds and CPU seconds of each round by mode, and MiB of program and collector."""
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(options, name, modes, folder)
        if runs is None:
            return None
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
        memory = {mode: resident(command, folder, mode != "bare") for mode, command in runs.items()}
    return walls, cpus, memory


def ratios(values, bare):
    return sorted(one / other for one, other in zip(values, bare))


def report(name, modes, walls, cpus, memory):
    """Prints a program's row; returns its median ratio by mode."""
    bare = statistics.median(walls["bare"])
    cells = ["%.3f s" % bare]
    middles = {}
    for mode in modes:
        wall = ratios(walls[mode], walls["bare"])
        middles[mode] = statistics.median(wall)
        more = " (%+.0f ms)" % ((middles[mode] - 1) * bare * 1000) if name == "start-up" else ""
        cpu = statistics.median(ratios(cpus[mode], cpus["bare"]))
        cells.append("%.3f (%.2f…%.2f)%s" % (middles[mode], wall[0], wall[-1], more))
        cells.append("%.2f" % cpu)
    before = memory["bare"][0]
    cells.append("%.1f" % before)
    for mode in modes:
        program, collector = memory[mode]
        # What stays within the goal of 2 % and 16 MiB is not marked.
        mark = "" if program - before <= 0.02 * before + 16 else " !"
        cells.append("%+.1f%s" % (program - before, mark))
        cells.append("%.1f" % collector)
    print("| %s | %s |" % (name, " | ".join(cells)), flush=True)
    return middles


def main():
    options = arguments()
    if not options.prof.is_file():
        sys.exit("%s: build it with `cargo build --release`" % options.prof)
    modes = options.mode or list(MODES)[1:]
    print("%s, %d rounds, loadavg %s" % (sys.version.split()[0], options.rounds, "%.2f %.2f %.2f" % os.getloadavg()))
    print("Ratios to bare: median (least…largest); MiB resident: bare, what the program has more, the collector\n")
    heads = ["program", "bare"] + [head for mode in modes for head in (mode, "CPU")] + ["MiB"]
    heads += [head for mode in modes for head in ("+MiB, " + mode, "collector")]
    print("| " + " | ".join(heads) + " |")
    print("|---|" + "--:|" * (len(heads) - 1))
    rows, left_out = [], []
    for name in options.program or PROGRAMS:
        measured = measure(options, name, modes)
        if measured is None:
            left_out.append(name)
            continue
        middles = report(name, modes, *measured)
        if name != "start-up":
            rows.append((middles, name))
    print()
    for mode in modes if rows else []:
        worst, name = max((middles[mode], name) for middles, name in rows)
        middle = statistics.median(middles[mode] for middles, _ in rows)
        print("%s: median of %d programs %.3f, worst %.3f (%s)" % (mode, len(rows), middle, worst, name))
    if left_out:
        print("not run: %s (--numpy PYTHON wants a Python that has numpy)" % ", ".join(left_out))


if __name__ == "__main__":
    main()
