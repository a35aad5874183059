#!/usr/bin/env python3
"""Runs CPython's own test modules bare and under `prof run`, and compares what each test gives.

    faults/python_tests.py --prof target/release/prof [--python PATH] [MODULE...]

A test that differs is run again, three times each way: one that is not the same every time without the profiler says
nothing. Fails if a test differs for no other reason.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile

MODULES = """test_threading test_signal test_subprocess test_faulthandler test_fork1 test_posix test_io test_mmap
test_gc test_asyncio test_multiprocessing_fork test_concurrent_futures test_ctypes""".split()
# `test_name (package.Class.test_name) ... ok`, and before Python 3.11 `test_name (package.Class) ... ok`. A subtest
# has lines of its own; what a test prints may stand between its name and its result.
NAMED = re.compile(r"^(test\w+) \(([\w.]+)\)")
RESULT = re.compile(r"\b(ok|FAIL|ERROR|skipped|expected failure|unexpected success)(?: ['\"].*)?$")
AGAIN = 3


def command_line(arguments, module, profiled, trace, match=()):
    words = [arguments.python, "-m", "test", "-v", "-u", "none", module]
    for name in match:
        words += ["-m", name.rsplit(".", 1)[-1]]
    if not profiled:
        return words
    return [arguments.prof, "run", "--quiet", "--force", "-o", trace, "--rate", str(arguments.rate), "--", *words]


def run(arguments, module, profiled, match=()):
    """What each test gave; the status; whether it had to be ended."""
    with tempfile.TemporaryDirectory() as folder:
        words = command_line(arguments, module, profiled, os.path.join(folder, "run.proftrace"), match)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PROF_", "LD_PRELOAD"))}
        output = os.path.join(folder, "output")
        with open(output, "wb") as out:
            child = subprocess.Popen(
                words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )
            try:
                status, ended = child.wait(arguments.limit), False
            except subprocess.TimeoutExpired:
                # All of its session: tests leave children behind.
                os.killpg(child.pid, signal.SIGKILL)
                status, ended = child.wait(), True
        with open(output, errors="replace") as text:
            said = text.read()
    return results(said), status, ended, said


def results(said):
    found, name = {}, None
    for line in said.splitlines():
        named = NAMED.match(line)
        if named:
            test, place = named.groups()
            name = place if place.endswith("." + test) else f"{place}.{test}"
        result = RESULT.search(line)
        if name and result:
            found[name] = result.group(1)
            name = None
    return found


def missing(arguments, module):
    words = [arguments.python, "-c", f"import importlib.util as u; raise SystemExit(u.find_spec('test.{module}') is None)"]
    return subprocess.run(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def differing(bare, profiled):
    return sorted(name for name in bare.keys() | profiled.keys() if bare.get(name) != profiled.get(name))


def is_flaky(arguments, module, name):
    """Tried again alone: the bare runs differ among each other, or the profiled ones are as they are."""
    bare, profiled = set(), set()
    for _ in range(AGAIN):
        bare.add(run(arguments, module, False, [name])[0].get(name))
        profiled.add(run(arguments, module, True, [name])[0].get(name))
    return profiled <= bare or len(bare) > 1


def compare(arguments, module):
    """A row of the table, and whether nothing differs."""
    if missing(arguments, module):
        return f"{module:<28} not in this interpreter", True
    bare, bare_status, bare_ended, _ = run(arguments, module, False)
    profiled, status, ended, said = run(arguments, module, True)
    names = differing(bare, profiled)
    flaky = [name for name in names if is_flaky(arguments, module, name)]
    real = [name for name in names if name not in flaky]
    same = len(bare.keys() | profiled.keys()) - len(names)
    row = f"{module:<28} {len(bare):>6} {same:>6} {len(real):>9} {len(flaky):>6}"
    if bare_ended or ended:
        row += f"  ended after {arguments.limit} s: {'both' if bare_ended and ended else 'bare' if bare_ended else 'profiled'}"
    whole = bool(bare) and ended <= bare_ended and (status == bare_status or bool(names))
    if not whole:
        row += f"  ended with {status} instead of {bare_status}, {len(bare)} tests found"
        row += "".join(f"\n    | {line}" for line in said.splitlines()[-15:])
    for name in real:
        row += f"\n    {name}: {bare.get(name)} bare, {profiled.get(name)} profiled"
    for name in flaky:
        row += f"\n    {name}: not the same each time without the profiler, or the same when alone"
    return row, whole and not real


def main():
    # A shell's job in the background is born deaf to it, and tests that interrupt themselves would run for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prof", required=True, type=os.path.abspath)
    parser.add_argument("--python", default=sys.executable, type=os.path.abspath)
    parser.add_argument("--rate", default=100, type=int)
    parser.add_argument("--limit", default=900, type=int, help="seconds for a module")
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    arguments = parser.parse_args()
    version = subprocess.run([arguments.python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}, {arguments.rate} ticks a second")
    print(f"{'module':<28} {'tests':>6} {'same':>6} {'different':>9} {'flaky':>6}")
    good = True
    for module in arguments.modules:
        row, is_same = compare(arguments, module)
        good &= is_same
        print(row, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
