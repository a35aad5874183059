#!/usr/bin/env python3
"""Compares the totals of one metric in all exports of one trace, to the nanosecond or byte.

totals.py METRIC RAW SPEEDSCOPE COLLAPSED JSON
RAW is what `go tool pprof -raw` prints of the pprof file.
"""

import json
import sys


def by_raw(path):
    """Total of the default column, and the totals by thread id."""
    total, threads, column, weight = 0, {}, None, 0
    inside = False
    for line in open(path, encoding="utf-8"):
        if line.startswith("Samples:"):
            inside = True
        elif line.startswith("Locations"):
            break
        elif inside and column is None:
            column = next(i for i, name in enumerate(line.split()) if name.endswith("[dflt]"))
        elif inside and ":" in line and line.split(":")[0].split() and all(
            word.isdigit() for word in line.split(":")[0].split()
        ):
            weight = int(line.split(":")[0].split()[column])
            total += weight
        elif inside and line.lstrip().startswith("thread_id:["):
            tid = line.split("[")[1].split("]")[0]
            threads[tid] = threads.get(tid, 0) + weight
    return total, {tid: sum_ for tid, sum_ in threads.items() if sum_}


def by_speedscope(path):
    """Total and totals by thread id, which ends the profile's name."""
    document = json.load(open(path, encoding="utf-8"))
    total, threads = 0, {}
    frames = len(document["shared"]["frames"])
    for profile in document["profiles"]:
        assert len(profile["samples"]) == len(profile["weights"]), "lengths differ"
        for stack in profile["samples"]:
            assert stack and all(0 <= frame < frames for frame in stack), "frame out of range"
        weight = sum(profile["weights"])
        assert profile["endValue"] - profile["startValue"] == weight, "endValue"
        total += weight
        if profile["name"].endswith(")") and weight:
            tid = profile["name"][:-1].rsplit(", ", 1)[-1]
            threads[tid] = threads.get(tid, 0) + weight
    return total, threads


def by_json(path, metric):
    document = json.load(open(path, encoding="utf-8"))
    nanos = lambda seconds: sum(round(s * 1e9) for s in seconds.values())
    figure = {
        "cpu": lambda line: nanos(line["cpu_s"]),
        "wall": lambda line: nanos(line["cpu_s"]) + nanos(line["wait_s"]),
        "alloc": lambda line: line["alloc_bytes"],
        "live": lambda line: line["live_at_end_bytes"],
        "peak": lambda line: line["live_at_peak_bytes"],
        "copies": lambda line: line["copy_bytes"],
    }[metric]
    lines = [line for file in document["files"] for line in file["lines"]]
    total = sum(map(figure, lines))
    if metric == "cpu":
        assert nanos(document["cpu_s"]) == total, "cpu_s and lines"
        threads = sum(round(thread["cpu_s"] * 1e9) for thread in document["threads"])
        assert threads == total, "threads and lines"
        for line in lines:
            parts = sum(round(why["cpu_s"] * 1e9) for why in line["why"])
            assert parts == round(line["total_cpu_s"] * 1e9), "why of line %d" % line["line"]
    if metric == "copies":
        assert document["copy_bytes"] == total, "copy_bytes and lines"
    books = document["books"]
    assert books["ticks"] == books["samples"] + sum(books["lost"].values()), "books"
    return total


def main():
    metric, raw, speedscope, collapsed, document = sys.argv[1:]
    pprof, pprof_threads = by_raw(raw)
    scope, scope_threads = by_speedscope(speedscope)
    with open(collapsed, encoding="utf-8") as lines:
        stacks = sum(int(line.rsplit(" ", 1)[1]) for line in lines)
    found = {"pprof": pprof, "speedscope": scope, "collapsed": stacks,
             "json": by_json(document, metric)}
    if len(set(found.values())) != 1:
        sys.exit("totals of %s differ: %s" % (metric, found))
    if pprof_threads != scope_threads:
        sys.exit("totals of %s by thread differ: %s, %s" % (metric, pprof_threads, scope_threads))
    if metric in ("cpu", "wall") and not pprof:
        sys.exit("no %s time at all: the trace proves nothing" % metric)
    print("%s: %d in all four, %d threads agree" % (metric, pprof, len(pprof_threads)))


main()
