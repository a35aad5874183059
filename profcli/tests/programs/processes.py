"""Starts processes in every usual way. Each burns CPU time in a function of its own and appends what its clock says to
`truth.jsonl` in the working folder; of several lines of a process the last one counts."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        for _ in range(20_000):
            pass


def tell(way):
    told = {"way": way, "pid": os.getpid(), "parent": os.getppid(), "cpu_s": time.process_time()}
    file = os.open("truth.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, (json.dumps(told) + "\n").encode())
    os.close(file)


def work_fork(seconds):
    burn(seconds)
    tell("fork")


def work_mp_fork(seconds):
    burn(seconds)
    tell("mp_fork")


def work_mp_spawn(seconds):
    burn(seconds)
    tell("mp_spawn")
    os._exit(0)


def work_mp_forkserver(seconds):
    burn(seconds)
    tell("mp_forkserver")


def work_pool(seconds):
    burn(seconds)
    tell("pool")


def work_subprocess(seconds):
    burn(seconds)
    tell("subprocess")


def work_shell(seconds):
    burn(seconds)
    tell("shell")


def work_before_exec(seconds):
    burn(seconds)
    tell("before_exec")
    os.execv(sys.executable, child_command("work_after_exec", seconds))


def work_after_exec(seconds):
    burn(seconds)
    tell("after_exec")


def work_served(seconds, done):
    burn(seconds)
    tell("served")
    os.write(done, b".")
    while True:
        signal.pause()


def work_killed(seconds, done):
    end = time.process_time() + seconds
    while True:
        burn(0.01)
        tell("killed")
        if done is not None and time.process_time() > end:
            os.write(done, b".")
            done = None


def child_command(function, seconds):
    return [sys.executable, os.path.abspath(__file__), function, str(seconds)]


def fork(function, *arguments):
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
        finally:
            os._exit(0)
    return child


def serve(seconds):
    """A server that forks its workers beforehand and ends them by signals."""
    reading, writing = os.pipe()
    workers = [fork(work_served, seconds, writing) for _ in range(2)]
    workers.append(fork(work_killed, seconds, writing))
    for _ in workers:
        os.read(reading, 1)
    for worker, end in zip(workers, [signal.SIGTERM, signal.SIGKILL, signal.SIGKILL]):
        os.kill(worker, end)
        assert os.WTERMSIG(os.waitpid(worker, 0)[1]) == end


def main(seconds):
    """In turns, so that few compete for the machine at a time."""
    for child in [fork(work_fork, seconds), fork(work_before_exec, seconds)]:
        assert os.waitpid(child, 0)[1] == 0
    command = child_command("work_shell", seconds)
    direct = subprocess.Popen(child_command("work_subprocess", seconds))
    shell = subprocess.Popen(["sh", "-c", '"$@"; exit 3', "sh"] + command)
    assert (direct.wait(), shell.wait()) == (0, 3)
    for method in ("fork", "spawn", "forkserver"):
        start = multiprocessing.get_context(method).Process
        function = globals()["work_mp_" + method]
        started = [start(target=function, args=(seconds,)) for _ in range(2)]
        for process in started:
            process.start()
        for process in started:
            process.join()
            assert process.exitcode == 0
    serve(seconds)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(work_pool, [seconds / 3] * 6))
    tell("main")


if __name__ == "__main__":
    if sys.argv[1].startswith("work_"):
        globals()[sys.argv[1]](float(sys.argv[2]))
        # What the interpreter does on its way out would be in the profile and not in what was told.
        os._exit(0)
    else:
        main(float(sys.argv[1]))
