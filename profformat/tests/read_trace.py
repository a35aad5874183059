#!/usr/bin/env python3
"""Totals of a trace as a JSON object, for `tests/oracle.rs` to compare with what `TraceReader` says of the same trace.

    read_trace.py TRACE

All sums are modulo 2^64.
"""

import json
import sys
from collections import Counter

sys.dont_write_bytecode = True

from trace_fields import U64, Damage, signed
from trace_format import NO_PARENT, Trace

CLASSES = ("python", "native", "gc", "kernel", "gil", "wait")
KINDS = ("python", "native", "free", "resize")
OUTCOMES = ("exited", "killed", "exec", "gone", "running")


class Totals:
    def __init__(self):
        self.samples, self.memory, self.copies = Counter(), Counter(), Counter()
        self.by_class, self.by_thread, self.by_stack = Counter(), Counter(), Counter()
        self.footprints, self.counters, self.ends, self.notes = {}, {}, [], []
        self.about, self.end = None, None

    def add(self, name, rows):
        method = getattr(self, "add_" + name.lower(), None)
        for row in rows if method else ():
            method(*row)

    def add_about(self, tool, command):
        self.about = [tool, command]

    def add_samples(self, time, thread, stack, weight, kind):
        self.samples.update(count=1, times=time, ns=weight)
        self.by_class[CLASSES[kind]] += weight
        self.by_thread[thread] += weight
        self.by_stack[stack] += weight

    def add_memory(self, time, thread, kind, block, *more):
        self.memory.update({KINDS[kind]: 1, "times": time, "threads": thread, "blocks": block})
        if kind < 2:
            stack, size, weight = more
            self.memory.update({KINDS[kind] + " bytes": size, "weights": weight, "stacks": of(stack)})
        elif kind == 3:
            self.memory.update({"bytes before": more[0], "bytes after": more[1]})

    def add_copies(self, time, thread, stack, size, weight, copier):
        numbers = {"threads": thread, "stacks": of(stack), "sizes": size, "weights": weight, "copiers": copier}
        self.copies.update(count=1, times=time, **numbers)

    def add_footprints(self, row, time, native, python):
        points, peaks, *_ = self.footprints.get(row // 2, (0, 0))
        self.footprints[row // 2] = [points + 1, peaks + row % 2, time, native, python]

    def add_inheritances(self, process, time, size):
        self.ends.append(["inherited", process, time, size])

    def add_counters(self, process, time, name, value):
        self.counters[process, name] = [time, value]

    def add_threadends(self, thread, time, cpu):
        self.ends.append(["thread", thread, time, cpu])

    def add_processends(self, process, time, outcome, cpu):
        kind, detail = outcome
        name = OUTCOMES[kind] if kind < len(OUTCOMES) else "gone"
        self.ends.append(["process", process, time, f"{name} {signed(detail)}", cpu])

    def add_notes(self, text):
        self.notes.append(text)

    def add_end(self, time):
        self.end = time


def of(stack):
    """0 for none, as in the file."""
    return 0 if stack is None else stack + 1


def rendered(tables, stack):
    """Names of the functions of a stack, root first."""
    names = []
    while stack is not None:
        parent, frame, _ = entry(tables, "Stacks", stack, NO_PARENT)
        function, *_ = entry(tables, "Frames", frame, (0, 0))
        names.append(entry(tables, "Strings", entry(tables, "Functions", function, (1,))[0], ("[lost]",))[0])
        stack = parent
    return ";".join(reversed(names))


def entry(tables, name, id, lost):
    return (tables[name][id] if id < len(tables[name]) else None) or lost


def wrapped(value):
    if isinstance(value, dict):
        return {str(key): wrapped(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [wrapped(part) for part in value]
    return value & U64 if type(value) is int else value


def summary(trace, totals):
    tables = trace.tables
    stacks, counters = Counter(), {}
    for stack, ns in totals.by_stack.items():
        stacks[rendered(tables, stack)] += ns
    for (process, name), last in totals.counters.items():
        counters[f"{process} {entry(tables, 'Strings', name, ('[lost]',))[0]}"] = last
    columns = {name: [sum(column) for column in zip(*filter(None, tables[name]))] for name in ("Binaries", "Functions", "Frames")}
    return wrapped({
        "version": trace.version,
        "header": trace.header,
        "about": totals.about,
        "chunks": Counter(code for _, code, _ in trace.chunks),
        "unknown": trace.unknown,
        "unsupported": trace.unsupported,
        "complete": trace.complete,
        "cut": trace.cut,
        "dictionaries": {name: len(table) for name, table in tables.items()},
        "bytes of strings": sum(len(text) for text, in filter(None, tables["Strings"])),
        "sums of binaries": columns["Binaries"],
        "sums of functions": columns["Functions"],
        "sums of frames": columns["Frames"],
        "depths of stacks": sum(node[2] for node in filter(None, tables["Stacks"])),
        "processes": tables["Processes"],
        "threads": tables["Threads"],
        "samples": totals.samples,
        "classes": totals.by_class,
        "threads ns": totals.by_thread,
        "stacks ns": stacks,
        "memory": totals.memory,
        "copies": totals.copies,
        "footprints": totals.footprints,
        "counters": counters,
        "ends": totals.ends,
        "notes": totals.notes,
        "end": totals.end,
    })


def main(path):
    with open(path, "rb") as file:
        trace, totals = Trace(file.read()), Totals()
    try:
        for name, rows in trace.records():
            totals.add(name, rows)
    except Damage as damage:
        sys.exit(f"{path}: {damage}")
    if trace.cut is not None:
        print(f"{path}: cut at offset {trace.cut}", file=sys.stderr)
    json.dump(summary(trace, totals), sys.stdout, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
