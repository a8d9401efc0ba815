"""What asks a process to stop, and what it says where nobody may be left to read it."""

import os
import signal
import sys


def stop_signals() -> tuple[signal.Signals, ...]:
    """Ctrl-C, a polite kill, and a terminal that is closed, unless `nohup` has it that this last one stops nothing."""
    closed = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGINT, signal.SIGTERM, *closed)


def say(line: str) -> None:
    """A line on standard error, where anybody still reads that: its terminal may be closed, its pipe's reader gone."""
    try:
        sys.stderr.write(f"selects: {line}\n")
        sys.stderr.flush()
    except OSError:
        # Else Python says 120 at the end, for what it could not flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
