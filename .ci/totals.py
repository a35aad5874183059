#!/usr/bin/env python3
"""Compares the totals of one metric in all exports of one trace, to the nanosecond or byte.

totals.py METRIC RAW SPEEDSCOPE COLLAPSED JSON FLAMEGRAPH FIREFOX SCALENE
RAW is what `go tool pprof -raw` prints of the pprof file.
Compared: the total; every stack in pprof, collapsed stacks, speedscope's whole and Firefox's file; every thread in pprof,
speedscope, Firefox's file and, for time, JSON; every class of every thread in pprof and JSON; every box of the flame graph
with the stacks that lead through it; for time, allocations and copies the lines of Scalene's file.
"""

import collections
import json
import re
import sys
import xml.etree.ElementTree

SAMPLE = re.compile(r"\s*(\d[\d ]*):((?: \d+)+) *$")
LABEL = re.compile(r"(\w+):\[([^]]*)\]")
LOCATION = re.compile(r"\s*(\d+): 0x\w+ M=\d+ (.*) s=\d+(?:\(\))?$")
# Under a location, what its first line is inlined into.
INTO = re.compile(r" {13}(.*) s=\d+(?:\(\))?$")


def by_raw(path):
    """Sums of the default column by stack, by thread and class. Stacks are as `-raw` names their frames, root first."""
    section, column, samples, names = None, None, [], {}
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line in ("Samples:", "Locations", "Mappings"):
            section = line
        elif section == "Samples:" and column is None:
            column = next(i for i, name in enumerate(line.split()) if name.endswith("[dflt]"))
        elif section == "Samples:" and SAMPLE.match(line):
            values, stack = SAMPLE.match(line).groups()
            samples.append((int(values.split()[column]), stack.split(), {}))
        elif section == "Samples:":
            samples[-1][2].update(LABEL.findall(line))
        elif section == "Locations" and LOCATION.match(line):
            number, name = LOCATION.match(line).groups()
            names[number] = [name]
        elif section == "Locations" and INTO.match(line):
            names[number].append(INTO.match(line).group(1))
    stacks, classes = collections.Counter(), collections.Counter()
    for weight, stack, labels in samples:
        if weight:
            stacks[";".join(name for number in reversed(stack) for name in reversed(names[number]))] += weight
            classes[labels["pid"], labels["thread_id"], labels.get("class")] += weight
            assert labels["thread"] and labels["process"], "a sample without its thread or process"
    return stacks, classes


def by_speedscope(path):
    """Sums by stack, in the words of collapsed stacks and of `-raw`; sums by thread; the number of other threads."""
    document = json.load(open(path, encoding="utf-8"))
    frames = document["shared"]["frames"]
    assert len({(f["name"], f.get("file"), f.get("line")) for f in frames}) == len(frames), "a frame twice"
    assert document["activeProfileIndex"] == 0, "the whole is not what is shown first"

    def stacks(profile):
        assert len(profile["samples"]) == len(profile["weights"]), "lengths differ"
        sums = collections.Counter()
        for stack, weight in zip(profile["samples"], profile["weights"]):
            assert stack and all(0 <= frame < len(frames) for frame in stack), "frame out of range"
            sums[tuple(stack)] += weight
        assert profile["endValue"] - profile["startValue"] == sum(sums.values()), "endValue"
        return sums

    whole, *own = document["profiles"]
    own = own or [whole]
    added, threads, others = collections.Counter(), collections.Counter(), 0
    for profile in own:
        sums = stacks(profile)
        added.update(sums)
        if profile["name"].startswith("other threads ("):
            others = int(profile["name"].split("(")[1].split()[0])
        elif sums:
            process, thread = profile["name"].rsplit(" / ", 1)
            threads[process.rsplit(" ", 1)[-1], thread.rsplit(" ", 1)[-1]] += sum(sums.values())
    assert added == stacks(whole), "the threads together are not the whole"
    sizes = [sum(profile["weights"]) for profile in own[: len(own) - bool(others)]]
    assert sizes == sorted(sizes, reverse=True), "the heaviest thread is not first"

    def collapsed(frame):
        place = frame.get("file", "") + (":%d" % frame["line"] if "line" in frame else "")
        return (frame["name"] + (" (%s)" % place if "file" in frame else "")).replace(";", "\\x3b")

    def raw(frame):
        return "%s %s:%d" % (frame["name"], frame.get("file", ""), frame.get("line", 0))

    def renamed(name):
        sums = collections.Counter()
        for stack, weight in added.items():
            sums[";".join(name(frames[frame]) for frame in stack)] += weight
        return sums

    return renamed(collapsed), renamed(raw), threads, others


def nanos(seconds):
    return {name: round(s * 1e9) for name, s in seconds.items()}


def by_json(document, metric):
    figure = {
        "cpu": lambda line: sum(nanos(line["cpu_s"]).values()),
        "wall": lambda line: sum(nanos({**line["cpu_s"], **line["wait_s"]}).values()),
        "alloc": lambda line: line["alloc_bytes"],
        "live": lambda line: line["live_at_end_bytes"],
        "peak": lambda line: line["live_at_peak_bytes"],
        "copies": lambda line: line["copy_bytes"],
    }[metric]
    lines = [line for file in document["files"] for line in file["lines"]]
    total = sum(map(figure, lines))
    if metric == "cpu":
        assert sum(nanos(document["cpu_s"]).values()) == total, "cpu_s and lines"
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


def classes_by_json(document, metric):
    sums = collections.Counter()
    for thread in document["threads"]:
        pid = document["processes"][thread["process"]]["pid"]
        waits = thread["wait_s"] if metric == "wall" else {}
        for name, ns in nanos({**thread["cpu_by_class_s"], **waits}).items():
            if ns:
                sums[str(pid), str(thread["tid"]), name] += ns
    return sums


def by_firefox(path, metric):
    """Sums by stack, in the words of collapsed stacks, and by thread."""
    document = json.load(open(path, encoding="utf-8"))
    shared = document["shared"]
    strings, functions, frames = shared["stringArray"], shared["funcTable"], shared["frameTable"]
    names = []
    for function, line in zip(frames["func"], frames["line"]):
        source = functions["source"][function]
        name = strings[functions["name"][function]]
        if source is not None:
            place = strings[shared["sources"]["filename"][source]] + (":%d" % line if line else "")
            name += " (%s)" % place
        names.append(name.replace(";", "\\x3b"))
    table, stacks = shared["stackTable"], []
    for prefix, frame in zip(table["prefix"], table["frame"]):
        stacks.append(names[frame] if prefix is None else stacks[prefix] + ";" + names[frame])
    sums, threads = collections.Counter(), collections.Counter()
    for thread in document["threads"]:
        samples = thread["samples"]
        assert len(samples["stack"]) == len(samples["time"]) == len(samples["weight"]) == samples["length"], "lengths"
        assert samples["time"] == sorted(samples["time"]), "times"
        for stack, weight in zip(samples["stack"], samples["weight"]):
            weight = round(weight * 1e6) if samples["weightType"] == "tracing-ms" else weight
            sums[stacks[stack]] += weight
            threads[thread["pid"], thread["tid"]] += weight
    return sums, +threads


def check_flamegraph(path, metric, stacks):
    """Every box weighs what the stacks through it weigh; the number of boxes."""
    expected = collections.Counter()
    for stack, weight in stacks.items():
        names = ["all"] + [re.sub(r":\d+\)$", ")", frame.replace("\\x3b", ";")) for frame in stack.split(";")]
        for depth in range(1, len(names) + 1):
            expected[tuple(names[:depth])] += weight
    svg = "{http://www.w3.org/2000/svg}"
    levels = []
    boxes = []
    for g in xml.etree.ElementTree.parse(path).getroot().iter(svg + "g"):
        level, start, weight = (int(g.get("data-" + key)) for key in ("level", "start", "weight"))
        boxes.append((level, start, weight, g.find(svg + "title").text.split("\n")[0]))
    paths = {}
    for level, start, weight, name in sorted(boxes):
        under = [path for (l, s, w), path in levels if l + 1 == level and s <= start and start + weight <= s + w]
        assert len(under) == (level > 0), "a box that hangs from %d others" % len(under)
        path = (under[0] if under else ()) + (name,)
        if name != "[other]":
            levels.append(((level, start, weight), path))
            paths[path] = weight
    missing = {path: weight for path, weight in expected.items() if path not in paths}
    whole = sum(stacks.values())
    assert all(weight <= whole // 10000 for weight in missing.values()), "boxes that could be seen are missing"
    differ(metric, "boxes of the flame graph and stacks", paths, {path: expected[path] for path in paths})
    return len(paths)


def by_scalene(path, metric):
    """The total of all lines; None of what Scalene has no such figure for."""
    document = json.load(open(path, encoding="utf-8"))
    whole, seconds = document["prof"]["time_ns"], document["elapsed_time_sec"]
    figure = {
        "alloc": lambda line: line["n_malloc_mb"] * 2**20,
        "copies": lambda line: line["n_copy_mb_s"] * 2**20 * seconds,
    }
    if metric in ("cpu", "wall"):
        assert document["prof"]["time"] == metric
        parts = ("n_cpu_percent_python", "n_cpu_percent_c", "n_sys_percent")
        figure = {metric: lambda line: sum(round(line[part] / 100 * whole) for part in parts)}
    if metric not in figure:
        return None
    return sum(round(figure[metric](line)) for file in document["files"].values() for line in file["lines"])


def differ(metric, what, one, other):
    """Ends with the differences, if there are any."""
    if one != other:
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        shown = ["%r: %s, %s" % (key, one.get(key), other.get(key)) for key in keys[:5]]
        sys.exit("%s of %s differ in %d places: %s" % (what, metric, len(keys), "; ".join(shown)))


def main():
    metric, raw, speedscope, collapsed, document, flamegraph, firefox, scalene = sys.argv[1:]
    document = json.load(open(document, encoding="utf-8"))
    stacks, classes = by_raw(raw)
    scope_collapsed, scope_raw, scope_threads, others = by_speedscope(speedscope)
    lines = collections.Counter()
    for line in open(collapsed, encoding="utf-8"):
        stack, weight = line.rstrip("\n").rsplit(" ", 1)
        lines[stack] += int(weight)
    total = sum(stacks.values())
    found = {"pprof": total, "speedscope": sum(scope_raw.values()), "collapsed": sum(lines.values()),
             "json": by_json(document, metric)}
    fire_stacks, fire_threads = by_firefox(firefox, metric)
    found["firefox"] = sum(fire_stacks.values())
    found["scalene"] = by_scalene(scalene, metric)
    if found["scalene"] is None:
        del found["scalene"]
    if len(set(found.values())) != 1:
        sys.exit("totals of %s differ: %s" % (metric, found))
    differ(metric, "stacks in pprof and speedscope", stacks, scope_raw)
    differ(metric, "stacks in collapsed stacks and speedscope", lines, scope_collapsed)
    differ(metric, "stacks in collapsed stacks and Firefox's file", fire_stacks, lines)
    boxes = check_flamegraph(flamegraph, metric, lines)
    threads = collections.Counter()
    for (pid, tid, _), weight in classes.items():
        threads[pid, tid] += weight
    assert len(threads) == len(scope_threads) + others, "the number of threads"
    shown = {thread: weight for thread, weight in threads.items() if not others or thread in scope_threads}
    differ(metric, "threads in pprof and speedscope", shown, dict(scope_threads))
    differ(metric, "threads in pprof and Firefox's file", dict(threads), dict(fire_threads))
    if metric in ("cpu", "wall"):
        differ(metric, "classes in pprof and JSON", classes, classes_by_json(document, metric))
        if not total:
            sys.exit("no %s time at all: the trace proves nothing" % metric)
    print("%s: %d in all %d, %d stacks, %d boxes, %d threads and %d of their classes agree"
          % (metric, total, len(found) + 1, len(stacks), boxes, len(threads), len(classes)))


main()
