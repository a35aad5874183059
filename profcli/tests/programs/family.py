"""Starts children in every usual way and prints what they answered."""

import multiprocessing
import os
import subprocess
import sys
import threading


def square(number):
    total = 0
    for i in range(200_000):
        total += i & number
    return number * number


def by_fork():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(square(9)).encode())
        os._exit(5)
    os.close(writing)
    said = os.read(reading, 100)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return said.decode(), os.WEXITSTATUS(status)


def by_subprocess():
    command = [sys.executable, "-c", "import sys; print(sum(range(10**5))); sys.exit(4)"]
    ended = subprocess.run(command, stdout=subprocess.PIPE)
    return ended.stdout.decode().strip(), ended.returncode


def by_shell():
    ended = subprocess.run("printf out; exit 6", shell=True, stdout=subprocess.PIPE)
    return ended.stdout.decode(), ended.returncode


def by_shell_without_environment():
    ended = subprocess.run(["/bin/sh", "-c", "printf bare"], env={}, stdout=subprocess.PIPE)
    return ended.stdout.decode(), ended.returncode


def by_pool(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(square, range(6))


def by_threads():
    answers = [0] * 20
    threads = []
    for number in range(20):
        def answer(number=number):
            answers[number] = square(number)

        threads.append(threading.Thread(target=answer))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def main():
    print("fork", by_fork(), flush=True)
    print("subprocess", by_subprocess(), flush=True)
    print("shell", by_shell(), flush=True)
    print("no environment", by_shell_without_environment(), flush=True)
    print("pool fork", by_pool("fork"), flush=True)
    print("pool spawn", by_pool("spawn"), flush=True)
    print("threads", by_threads(), flush=True)


if __name__ == "__main__":
    main()
