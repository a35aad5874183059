#!/usr/bin/env python3
"""What a hook costs: nanoseconds of malloc+free and of memcpy in a C program, bare, under `prof run`, under others.

    cargo build --release && python3 benches/hooks.py [--peers]

In each run the program's calls take turns with libc's own, a quarter of a millisecond each; all ways of running it take
turns, too. A figure is the median over the rounds of what a call took more than libc's, with the least and the largest;
`bare` says how far from zero that is where there is no hook. Standard library only; wants `cc`. `loadavg` is printed: two
threads need two cores for themselves.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE / "programs/hooks.c"
JEMALLOC = pathlib.Path("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2")
BY_PYTHON = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).measure()"


def arguments():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prof", default=target / "release/prof", type=pathlib.Path)
    parser.add_argument("--before", type=pathlib.Path, help="another `prof`, to compare with")
    parser.add_argument("--rounds", default=9, type=int, help="runs of each way")
    parser.add_argument("--peers", action="store_true", help="other profilers too, as far as they are here")
    parser.add_argument("--memray", default=target / "peers/bin/python", type=pathlib.Path,
                        help="a Python that has memray")
    return parser.parse_args()


def compile_program(folder):
    program, library = folder / "hooks", folder / "hooks.so"
    common = ["cc", "-O2", "-fno-builtin", "-pthread", SOURCE]
    subprocess.run(common + ["-o", program], check=True)
    subprocess.run(common + ["-shared", "-fPIC", "-o", library], check=True)
    return program, library


def ours(prof, folder, program, *options):
    trace = folder / "hooks.proftrace"
    return [prof, "run", "--quiet", "--force", "-o", trace, *options, "--", program]


def jemalloc_samples():
    """Whether the library was built with its profiler."""
    asked = dict(os.environ, LD_PRELOAD=str(JEMALLOC), MALLOC_CONF="prof:true,prof_active:false")
    said = subprocess.run(["true"], env=asked, stderr=subprocess.PIPE).stderr
    return b"Invalid conf pair" not in said


def peers(options, folder, program, library):
    """Commands of the others, and what does not run here."""
    found = {}
    if shutil.which("heaptrack"):
        found["heaptrack"] = (["heaptrack", "-o", folder / "hooks.heaptrack", program], {})
    else:
        print("heaptrack: not installed")
    has_memray = [options.memray, "-c", "import memray"]
    if options.memray.is_file() and subprocess.run(has_memray, stderr=subprocess.DEVNULL).returncode == 0:
        script = folder / "hooks_memray.py"
        script.write_text(BY_PYTHON)
        found["python"] = ([options.memray, script, library], {})
        for name, more in [("memray", []), ("memray --native", ["--native"])]:
            head = [options.memray, "-m", "memray", "run", "--quiet", "--force", *more]
            found[name] = (head + ["-o", folder / "hooks.memray", script, library], {})
        print("memray: does not run C programs; the same loops are called from Python by ctypes (`python`: bare)")
    else:
        print("memray: not installed")
    if JEMALLOC.is_file():
        preload = {"LD_PRELOAD": str(JEMALLOC)}
        found["jemalloc"] = ([program], preload)
        if jemalloc_samples():
            conf = "prof:true,prof_active:true,prof_prefix:%s" % (folder / "jeprof")
            found["jemalloc prof"] = ([program], dict(preload, MALLOC_CONF=conf))
        else:
            print("jemalloc: %s was built without its profiler (Invalid conf pair: prof:true)" % JEMALLOC)
    else:
        print("jemalloc: not installed")
    return found


def ways(options, folder):
    program, library = compile_program(folder)
    found = {"bare": ([program], {})}
    for name, prof in [("before", options.before), ("prof", options.prof)]:
        if prof is None:
            continue
        off = ["--no-memory", "--no-copies"]
        found[name] = (ours(prof, folder, program), {})
        found[name + ", both off"] = (ours(prof, folder, program, *off), {})
    if options.peers:
        found.update(peers(options, folder, program, library))
    return found


def figures(command, more):
    """{(what, size, threads): (ns of libc, ns more)} of one run."""
    ended = subprocess.run(list(map(str, command)), env=dict(os.environ, **more), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit("status %d: %s" % (ended.returncode, " ".join(map(str, command))))
    rows = [line.split() for line in ended.stdout.splitlines() if line.startswith(("pair ", "memcpy "))]
    return {(what, int(size), int(threads)): (float(libc), float(more)) for what, size, threads, libc, more in rows}


def cell(values, form):
    return (form + " (" + form + "…" + form + ")") % (statistics.median(values), min(values), max(values))


def main():
    options = arguments()
    if not options.prof.is_file():
        sys.exit("%s: build it with `cargo build --release`" % options.prof)
    with tempfile.TemporaryDirectory() as name:
        found = ways(options, pathlib.Path(name))
        runs = {way: [] for way in found}
        for turn in range(options.rounds):
            order = list(found)
            # Each way comes first as often as the others do.
            for way in order[turn % len(order):] + order[: turn % len(order)]:
                runs[way].append(figures(*found[way]))
    print("%d rounds, loadavg %s; ns\n" % (options.rounds, "%.2f %.2f %.2f" % os.getloadavg()))
    print("| calls | threads | libc | " + " | ".join(found) + " |")
    print("|---|--:|" + "--:|" * (len(found) + 1))
    for what, size, threads in runs["bare"][0]:
        case = (what, size, threads)
        cells = [cell([run[case][0] for run in runs["bare"]], "%.1f")]
        cells += [cell([run[case][1] for run in runs[way]], "%+.1f") for way in found]
        called = "malloc+free" if what == "pair" else what
        print("| %s, %d B | %d | %s |" % (called, size, threads, " | ".join(cells)))


if __name__ == "__main__":
    main()
