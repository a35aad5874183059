"""The programs of this bench: what each is built of, how large it gets and of how many crates it is made."""

import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target"))
PROGRAMS = TARGET / "embed"

# Name: (binary, features).
BUILDS = {
    "bare": ("bare", ""),
    "ours": ("ours", "ours"),
    "labels": ("labels", "labels"),
    "pprof": ("pprof", "pprof"),
    "rpprof": ("rpprof", "rpprof"),
    "dial9": ("dial9", "dial9"),
    "dhat": ("dhat", "dhat"),
    "bare-jemalloc": ("bare", "jemalloc"),
    "ours-jemalloc": ("ours", "ours jemalloc"),
    "dial9-jemalloc": ("dial9", "dial9 jemalloc"),
    "jemalloc-prof": ("jemalloc", "jemalloc-prof"),
}


def build(names, log=print):
    """Builds each by itself, as features that two ask for would be both's. Says why one is missing, and goes on."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET))
    for name in names:
        binary, features = BUILDS[name]
        command = ["cargo", "build", "-q", "-j1", "--locked", "--release", "--features", features, "--bin", binary]
        ended = subprocess.run(command, cwd=HERE, env=environment, stderr=subprocess.PIPE, text=True)
        if ended.returncode == 0:
            shutil.copy2(TARGET / "release" / binary, PROGRAMS / name)
            log("built %s" % name)
        else:
            errors = [line for line in ended.stderr.splitlines() if line.startswith("error")]
            log("**not built: %s: %s**" % (name, errors[0] if errors else "status %d" % ended.returncode))


def program(name):
    """Its path, `None`: not built."""
    path = PROGRAMS / name
    return path if path.is_file() else None


def stripped_size(name):
    """Bytes without names and debug information: what one ships."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["strip", "-s", "-o", out.name, program(name)], check=True)
        return os.path.getsize(out.name)


def crates(name):
    """Crates that are linked into it, and that only its build wants, without this bench's own and `libc` if bare has it."""
    found = []
    for edges in ["normal", "normal,build"]:
        command = ["cargo", "tree", "--locked", "-e", edges, "--prefix", "none", "-f", "{p}"]
        said = subprocess.run(command + ["--features", BUILDS[name][1]], cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
        lines = {line.split(" (")[0] for line in said.stdout.splitlines() if line}
        found.append(len({line for line in lines if not line.startswith("embed-bench ")}))
    return found[0], found[1] - found[0]
