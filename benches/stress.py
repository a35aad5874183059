#!/usr/bin/env python3
"""Runs programs/stress.py under `prof run` at 10,000 samples a second, once with each interpreter.

    python3 benches/stress.py [--seconds N] [--prof PATH] [PYTHON...]

A row for each: how it ended, samples, losses by reason, whether the books balance, leaves that could not be read, and those of
threads that were not Python's at that moment. Exits with 1 if a run did not end well, hung (four times its seconds), or more than one leaf in a
thousand was unreadable.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MOST_UNREADABLE = 0.001


def leaves(profile, name):
    """The part of the samples whose leaf has this name and no file."""
    total = found = 0
    for file in profile["files"]:
        for line in file["lines"]:
            total += line["samples"]
            if file["path"] == "" and line["function"] == name:
                found += line["samples"]
    return found / total if total else 1.0


def run(prof, python, seconds):
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "stress.proftrace"
        options = ["--quiet", "--rate", "10000", "--memory-interval", "8192", "--copy-interval", "16384"]
        command = [prof, "run", *options, "-o", trace, "--", python, HERE / "programs/stress.py", str(seconds)]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60 + 4 * seconds)
        except subprocess.TimeoutExpired:
            return {"ended": "hangs"}
        text = subprocess.run([prof, "convert", trace, "--to", "json", "-o", "-"], capture_output=True, check=True)
        profile = json.loads(text.stdout)
        books = profile["books"]
        return {
            "ended": ended.returncode if ended.returncode == 0 else "%d %s" % (ended.returncode, ended.stderr[-300:]),
            "ticks": books["ticks"],
            "samples": books["samples"],
            "lost": books["lost"],
            "balance": books["ticks"] == books["samples"] + sum(books["lost"].values()),
            "unreadable": round(leaves(profile, "[unknown]"), 6),
            "without a Python thread": round(leaves(profile, "[no stack]"), 6),
            "mb": trace.stat().st_size / 1e6,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--prof", default=str(HERE.parent / "target/release/prof"))
    parser.add_argument("python", nargs="*", default=["python3"])
    options = parser.parse_args()
    good = True
    for python in options.python:
        row = run(options.prof, python, options.seconds)
        good &= row["ended"] == 0 and row["balance"] and row["unreadable"] < MOST_UNREADABLE
        print(python, row, flush=True)
    sys.exit(0 if good else 1)


main()
