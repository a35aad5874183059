#!/usr/bin/env python3
"""Proves of a profile of profcli/tests/programs/libraries.py that what libraries did stands below the lines that called them.

libraries.py traces TRACES SECONDS   TRACES: what `go tool pprof -lines -traces` prints; SECONDS: of work in each library
libraries.py address SPEEDSCOPE      prints the end of the address that .ci/watch.js understands
libraries.py shown SPEEDSCOPE DOM    DOM: the page as .ci/watch.js left it
libraries.py tags TAGS               TAGS: what `go tool pprof -tags` prints
"""

import collections
import html
import json
import pathlib
import re
import sys
import urllib.parse

PROGRAMS = pathlib.Path(__file__).parent.parent / "profcli/tests/programs"


def line_of(program, mark):
    lines = (PROGRAMS / program).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(mark))


def in_rust(function, line):
    return r"%s .*/native_work\.rs:%s" % (function, line)


def in_python(function, mark):
    return r"%s .*/libraries\.py:%d" % (function, line_of("libraries.py", mark))


# Frames that must be on a stack, innermost first, as `FUNCTION FILE:LINE`. Wheels of numpy and Debian's zlib come without
# debug information: they have names of functions and the library's file, no lines. OpenBLAS and numpy have a function for
# each kind of processor.
WANTED = {
    "numpy's matrix product": [r"\w*gemm\w* .*openblas[^/]*\.so[^/:]*", in_python("multiply", "# NUMPY")],
    "numpy's sort": [r".*sort.* .*_multiarray_umath[^/]*\.so", in_python("sort", "# SORT")],
    "zlib's deflate": [r"deflate .*/libz\.so[^/:]*", in_python("compress", "# ZLIB")],
    "the Rust function, its caller and the Python line": [
        in_rust(r"native_work::inner(::<.*>)?", r"\d+"),
        in_rust("outer", line_of("native_work.rs", "// OUTER")),
        in_python("call", "# RUST"),
    ],
    "the function inlined into it": [
        in_rust(".*step", line_of("native_work.rs", "// STEP")),
        in_rust(r"native_work::inner(::<.*>)?", r"\d+"),
        in_python("call", "# RUST"),
    ],
}
# An inlined function can be far too small to be painted; all others are in the picture.
UNPAINTED = "the function inlined into it"


def places(frames, wanted):
    """Where the wanted frames stand, if they are all there, in this order."""
    found, begin = [], 0
    for pattern in wanted:
        at = next((at for at in range(begin, len(frames)) if re.fullmatch(pattern, frames[at])), None)
        if at is None:
            return None
        found.append(at)
        begin = at + 1
    return found


def stacks_of_traces(path):
    """Seconds and frames, innermost first."""
    units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "mins": 60.0, "hrs": 3600.0}
    for block in open(path, encoding="utf-8").read().split("-" * 11 + "+" + "-" * 55 + "\n")[1:]:
        lines = [line.strip() for line in block.splitlines()]
        for at, line in enumerate(lines):
            value = re.fullmatch(r"([\d.]+)(ns|us|ms|s|mins|hrs) +(.*)", line)
            if value:
                frames = [frame.removesuffix(" (inline)") for frame in [value[3], *lines[at + 1:]]]
                yield float(value[1]) * units[value[2]], frames
                break


def traces(path, seconds):
    stacks = list(stacks_of_traces(path))
    for name, wanted in WANTED.items():
        found = sum(weight for weight, frames in stacks if places(frames, wanted))
        least = 0.02 if name == UNPAINTED else 0.5
        if found < least * seconds:
            sys.exit("%s: %.3f s of %s s in stacks with %s" % (name, found, seconds, wanted))
        print("%s: %.3f s of %s s" % (name, found, seconds))


def frames_to_find(path):
    """Of each that is wanted, the frame with most weight: name, and file and line as speedscope shows them."""
    document = json.load(open(path, encoding="utf-8"))
    frames = document["shared"]["frames"]
    shown = [(f["name"], "%s:%s" % (f.get("file", ""), f.get("line", ""))) for f in frames]
    texts = ["%s %s" % (name, place.rstrip(":")) for name, place in shown]
    whole = document["profiles"][0]
    found = []
    for name, wanted in WANTED.items():
        if name == UNPAINTED:
            continue
        sums = collections.Counter()
        for stack, weight in zip(whole["samples"], whole["weights"]):
            stack = stack[::-1]
            at = places([texts[frame] for frame in stack], wanted)
            for place in at or []:
                sums[next(n for n, p in enumerate(at) if p == place), stack[place]] += weight
        for order in reversed(range(len(wanted))):
            best = max((weight, frame) for (place, frame), weight in sums.items() if place == order)
            found.append(shown[best[1]])
    return document, found


def shown(path, dom):
    document, found = frames_to_find(path)
    told = re.search(r'<pre id="told"[^>]*>(.*?)</pre>', open(dom, encoding="utf-8").read(), re.DOTALL)
    told = json.loads(html.unescape(told[1]))
    for name, place in found:
        tips = [tip.splitlines() for tip in told["hovered"].get(name, [])]
        said = next((tip for tip in tips if len(tip) == 2 and tip[0].endswith(" " + name) and tip[1] == place), None)
        if not said:
            sys.exit("%s, %s: the picture has %s among %s" % (name, place, tips, told["drawn"]))
        print("painted: " + " | ".join(said))
    rows = [row.split("\t")[1] for row in told["profiles"]]
    names = [profile["name"] for profile in document["profiles"]]
    if rows != names or len(names) != 6 or names[0] != "all 5 threads":
        sys.exit("the list of profiles is %s; in the file are %s" % (told["profiles"], names))
    print("listed: " + ", ".join(rows))


def tags(path):
    text = open(path, encoding="utf-8").read()
    found = {block.split(":")[0].strip(): block for block in text.split("\n\n") if ":" in block}
    for key in ("class", "pid", "process", "thread", "thread_id"):
        if key not in found:
            sys.exit("no tag %s in:\n%s" % (key, text))
    for name in ("python", "native"):
        if not re.search(r"\): %s$" % name, found["class"], re.MULTILINE):
            sys.exit("no class %s in:\n%s" % (name, found["class"]))
    print(", ".join(sorted(found)))


def main():
    action, path, *rest = sys.argv[1:]
    if action == "traces":
        traces(path, float(rest[0]))
    elif action == "address":
        names = [("hover", name) for name, _ in frames_to_find(path)[1]]
        print(urllib.parse.urlencode([*names, ("profiles", "1")], quote_via=urllib.parse.quote))
    elif action == "shown":
        shown(path, rest[0])
    else:
        tags(path)


main()
