"""Processes that end when the one that started them does, however that ends, even by a kill.

Linux tells a process when the thread that started it ends; elsewhere the command just runs.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backend.stopping import stop_signals

# Asks Linux for a signal, unless the parent has ended already; waits for a lock, which stays with the process; then
# becomes the rest of its words. Not by Popen's preexec_fn: a process of many threads may lock up in that.
BOUND = """
import os, sys
parent, ending, lock, *command = sys.argv[1:]
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, int(ending))
    if os.getppid() != int(parent):
        sys.exit(1)
if lock:
    import fcntl
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    fcntl.flock(held, fcntl.LOCK_EX)
    os.set_inheritable(held, True)
os.execvp(command[0], command)
"""


def bound(command: Sequence[str], ending: int = signal.SIGKILL, lock: Path | None = None) -> list[str]:
    """The command, to get the signal `ending` when we end.

    With `lock` only one process at a time holds that file: a part of which there must not be two waits for the one
    before, whoever started that.
    """
    if sys.platform != "linux" and lock is None:
        return list(command)
    return [sys.executable, "-I", "-S", "-c", BOUND, str(os.getpid()), str(int(ending)), str(lock or ""), *command]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block at whose end what asks us to stop takes effect, so that a process is not started and then lost."""
    if threading.current_thread() is not threading.main_thread():  # signals are taken by the main thread
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in stop_signals()}
    try:
        for number in before:
            signal.signal(number, lambda number, _: came.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for asked in came:
            signal.raise_signal(asked)
