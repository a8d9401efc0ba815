"""What a process costs, its children included."""

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

TOLD_CHARACTERS = 4000


@dataclass(frozen=True)
class Cost:
    """What one process cost, its children included: CPU and wall seconds, peak resident memory."""

    cpu_s: float
    wall_s: float
    peak_gib: float


def cost(command: Sequence[str], **environment: str) -> Cost:
    """Run a command and measure it; raises SystemExit with what it said last if it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=os.environ | environment)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            said.seek(0)
            last = said.read()[-TOLD_CHARACTERS:].rstrip()
            raise SystemExit(f"{last}\nbench: {shlex.join(command)} ended with {os.waitstatus_to_exitcode(status)}.")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / (1 << 20))
