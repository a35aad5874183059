"""Uses signals and timers of its own, and blocking calls that must not be interrupted."""

import faulthandler
import select
import signal
import sys
import threading
import time

seen = []


def note(number, frame):
    seen.append(signal.Signals(number).name)


def burn(seconds):
    end = time.thread_time() + seconds
    x = 0
    while time.thread_time() < end:
        x = (x * 3 + 1) & 1023
    return x


for name in ("SIGPROF", "SIGALRM", "SIGVTALRM", "SIGUSR1", "SIGUSR2", "SIGSEGV", "SIGBUS"):
    number = getattr(signal, name)
    print(name, "before", signal.getsignal(number) == signal.SIG_DFL)
    signal.signal(number, note)
    print(name, "after", signal.getsignal(number) is note)
    signal.raise_signal(number)
print(seen)

signal.signal(signal.SIGSEGV, signal.SIG_DFL)
faulthandler.enable()
print("faulthandler", faulthandler.is_enabled())
faulthandler.disable()

del seen[:]
signal.setitimer(signal.ITIMER_PROF, 0.05, 0.05)
burn(0.5)
signal.setitimer(signal.ITIMER_PROF, 0)
print("own SIGPROF timer", len(seen) >= 5, set(seen) == {"SIGPROF"})

for number in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):
    if signal.getsignal(number) != signal.SIG_DFL:
        print("real-time signal taken", number)

burner = threading.Thread(target=burn, args=(0.4,))
burner.start()
print("select", select.select([], [], [], 0.2))
print("wait", signal.sigtimedwait([signal.SIGCHLD], 0.1))
burner.join()
sys.stdout.flush()
