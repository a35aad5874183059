#!/usr/bin/env python3
"""profcore in a Rust program beside its peers: CPU time, truth, memory, start and stop, size.

    python3 benches/embed/run.py --build [--rounds 7] [--scale 1]

Each figure comes of pairs of processes that do the same work, one bare and one with a profiler, in turns; `bare again` is such a
pair of two bare ones and says what noise is. CPU time is user and system time of the whole process while the workload
runs. Figures are medians over the rounds, with the least and the largest. Ctrl-C ends it early, with the tables so far.
With --turns a process does a fifth of the work 48 times, every other time with its profiler, which tells a tenth of a percent.
Standard library only; wants `strip` and `taskset`. `loadavg` is printed at the start and the end.
"""

import argparse
import os
import re
import subprocess
import sys
import time

import tables
import ways

# Name: (program, bare program, samples memory too, environment).
CPU_WAYS = {
    "bare again": ("bare", "bare", False, {}),
    "**ours**": ("ours", "bare", False, {}),
    "**ours**, memory too": ("ours", "bare", True, {}),
    "pprof": ("pprof", "bare", False, {}),
    "rpprof": ("rpprof", "bare", False, {}),
    "dial9, perf": ("dial9", "bare", False, {}),
    "dial9, timers": ("dial9", "bare", False, {"EMBED_CTIMER": "1"}),
}
WORKLOADS = ["compute", "deep", "pingpong", "churn1", "churn10"]
RATES = [100, 1000]

# Of the work that a process does in one turn, and how many turns it takes.
PART, TURNS = 0.2, 24

# Name: (program, bare program, KiB, scale, most rounds).
MEMORY_WAYS = {
    "bare again": ("bare", "bare", "off", 1, 99),
    "**ours**, off": ("ours", "bare", "off", 1, 99),
    "**ours**": ("ours", "bare", "512", 1, 99),
    "dial9": ("dial9", "bare", "512", 1, 99),
    "rpprof": ("rpprof", "bare", "512", 1, 2),
    "dhat (all blocks)": ("dhat", "bare", "512", 0.05, 3),
    "jemalloc again": ("bare-jemalloc", "bare-jemalloc", "off", 1, 99),
    "**ours** on jemalloc, off": ("ours-jemalloc", "bare-jemalloc", "off", 1, 99),
    "**ours** on jemalloc": ("ours-jemalloc", "bare-jemalloc", "512", 1, 99),
    "dial9 on jemalloc": ("dial9-jemalloc", "bare-jemalloc", "512", 1, 99),
    "jemalloc's own": ("jemalloc-prof", "bare-jemalloc", "512", 1, 99),
}

# glibc gives memory back and takes it again at the top of its heap; when, is chance.
STEADY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 30)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", action="store_true", help="build the programs first")
    parser.add_argument("--rounds", default=7, type=int, help="pairs of each way, workload and rate")
    parser.add_argument("--memory-rounds", type=int, help="the same of `alloc`, if others")
    parser.add_argument("--turns", default=0, type=int, help="processes of each way, workload and rate that take turns within")
    parser.add_argument("--scale", default=1.0, type=float, help="of the workloads' amount of work")
    parser.add_argument("--minutes", default=1e9, type=float, help="no round begins later")
    parser.add_argument("--only", default="", type=re.compile, help="ways whose name has this regular expression in it")
    parser.add_argument("--workloads", default=WORKLOADS, type=lambda names: names.split(","), help="of CPU time: which, with commas")
    parser.add_argument("--timeout", default=120, type=float, help="seconds that a process is given")
    return parser.parse_args()


def lines(program, words, more, timeout, core=None):
    """The lines that it prints, split, or why there are none. `core`: the only one that it runs on."""
    command = ([] if core is None else ["taskset", "-c", core]) + [ways.program(program), *words]
    environment = dict(os.environ, **STEADY, **more)
    try:
        ended = subprocess.run(list(map(str, command)), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return "hangs"
    if ended.returncode != 0:
        return "status %d" % ended.returncode
    return [line.split() for line in ended.stdout.splitlines()]


def run(program, workload, hz, kib, scale, more, timeout, core=None):
    """{name: value} that it prints, or why there is none."""
    said = lines(program, [workload, hz, kib, scale], more, timeout, core)
    return said if isinstance(said, str) else {name: float(value) for name, value in said}


def pair(turn, with_tool, bare):
    """Either comes first in every other round."""
    if turn % 2:
        tool = with_tool()
        return bare(), tool
    return bare(), with_tool()


def cpu_runs(options):
    """What is asked for: ((way, workload, rate), program, bare program, what the program samples, environment)."""
    for workload in options.workloads:
        for hz in RATES:
            for way, (program, bare, memory, more) in CPU_WAYS.items():
                if options.only.search(way) and ways.program(program) is not None and (way != "bare again" or hz == RATES[0]):
                    asked = ("off", "off") if program == bare else (hz, 512 if memory else "off")
                    yield (way, workload, hz), program, bare, asked, more


def cpu_round(turn, options, found):
    for key, program, bare, asked, more in cpu_runs(options):
        both = pair(turn, lambda: run(program, key[1], *asked, options.scale, more, options.timeout),
                    lambda: run(bare, key[1], "off", "off", options.scale, {}, options.timeout))
        found.setdefault(key, []).append(both)


def turns_round(turn, options, found):
    """Processes that take turns within: a list of (nanoseconds without, with)."""
    for key, program, _, asked, more in cpu_runs(options):
        said = lines(program, [key[1], *asked, options.scale * PART, TURNS], more, options.timeout)
        found.setdefault(key, []).extend([said] if isinstance(said, str) else [(float(off), float(on)) for off, on in said])


def memory_round(turn, options, found):
    """Pairs of each way, on one core and on all of them."""
    for way, (program, bare, kib, scale, most) in MEMORY_WAYS.items():
        if not options.only.search(way) or turn >= most or None in (ways.program(program), ways.program(bare)):
            continue
        scale *= options.scale
        # A process that hangs has nothing to say after as long as a hundred times the work takes.
        limit = 20 if program == "rpprof" else options.timeout
        for core in [min(os.sched_getaffinity(0)), None]:
            both = pair(turn, lambda: run(program, "alloc", "off", kib, scale, {}, limit, core),
                        lambda: run(bare, "alloc", "off", "off", scale, {}, limit, core))
            found.setdefault((way, core is None), []).append(both)


def label_costs():
    """{name: {threads: (median, least, largest)}} in nanoseconds."""
    costs = {}
    if ways.program("labels") is None:
        return costs
    for threads in [1, 2]:
        said = subprocess.run([ways.program("labels"), str(threads)], stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in said.splitlines():
            name, *values = line.split("|")
            costs.setdefault(name, {})[threads] = tuple(map(float, values))
    return costs


def main():
    options = arguments()
    if options.build:
        ways.build(ways.BUILDS)
    if ways.program("bare") is None:
        sys.exit("not built: use --build")
    missing = [name for name in ways.BUILDS if ways.program(name) is None]
    before, cpu, memory, within = os.getloadavg(), {}, {}, {}
    memory_rounds = options.rounds if options.memory_rounds is None else options.memory_rounds
    rounds = {cpu_round: (options.rounds, cpu), memory_round: (memory_rounds, memory), turns_round: (options.turns, within)}
    end = time.monotonic() + options.minutes * 60
    try:
        for turn in range(max(count for count, _ in rounds.values())):
            for one, (count, found) in rounds.items():
                if turn < count and time.monotonic() < end:
                    one(turn, options, found)
            print("round %d done" % (turn + 1), file=sys.stderr)
    except KeyboardInterrupt:
        print("ended early", file=sys.stderr)
    print("%d rounds, loadavg %s before and %s after\n" % (
        max(map(len, cpu.values()), default=0), *("%.1f %.1f %.1f" % load for load in (before, os.getloadavg()))))
    for name in missing:
        print("**Not built: %s**\n" % name)
    tables.cpu(cpu, CPU_WAYS, options.workloads, RATES)
    tables.within(within, CPU_WAYS, options.workloads, RATES)
    tables.memory(memory, MEMORY_WAYS)
    tables.costs(cpu, CPU_WAYS)
    tables.labels(label_costs())


if __name__ == "__main__":
    main()
