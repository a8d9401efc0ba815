"""Several parts as children of one process: restarted where they die, stopped together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from backend.child import bound

LOOK_EVERY_S = 0.2
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
STEADY_S = 60.0
PATIENCE_S = 10.0

log = structlog.get_logger("selects.up")


@dataclass(frozen=True)
class Part:
    """A child: how it is started. `hopeless` are exit codes that end all, if it ends with one at its first start.

    What it says goes to standard error, or into the file `log` (begun anew at each start) where it is chatty. `lock` is
    a file that its process holds: the next one waits until the one before has gone, whoever started that.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    hopeless: frozenset[int] = frozenset({2})
    log: Path | None = None
    lock: Path | None = None


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    began: float
    wait_s: float = FIRST_WAIT_S
    again_at: float | None = None
    starts_again: bool = False


class PartFailed(RuntimeError):
    """A part ended in a way that starting it again cannot mend."""


class Supervisor:
    """Starts parts in order and looks after them. A part that dies again and again is given more and more time."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._running: list[_Running] = []
        try:
            for part in parts:
                self._running.append(_Running(part, _start(part), time.monotonic()))
        except BaseException:
            self.stop()
            raise

    def watch(self, stop: threading.Event) -> None:
        """Restart what dies, until `stop` is set; raises PartFailed for a part that cannot run at all."""
        while not stop.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """One look at all parts."""
        now = time.monotonic()
        for each in self._running:
            code = each.process.poll()
            if code is None:
                continue
            if each.again_at is None:
                if code in each.part.hopeless and not each.starts_again:
                    raise PartFailed(each.part.name)
                if now - each.began > STEADY_S:
                    each.wait_s, each.starts_again = FIRST_WAIT_S, True
                log.warning("a part died and is started again", died=each.part.name, code=code, in_s=each.wait_s)
                each.again_at = now + each.wait_s
                each.wait_s = min(2 * each.wait_s, LONGEST_WAIT_S)
            elif now >= each.again_at:
                each.process, each.began, each.again_at, each.starts_again = _start(each.part), now, None, True

    def stop(self) -> None:
        """End all parts, the last first: politely, and after ten seconds by force."""
        for each in reversed(self._running):
            if each.process.poll() is None:
                each.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + PATIENCE_S
        for each in reversed(self._running):
            try:
                each.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("a part does not stop and is killed", killed=each.part.name)
                each.process.kill()
                each.process.wait()


def _start(part: Part) -> subprocess.Popen[bytes]:
    with ExitStack() as opened:
        said = None
        if part.log:
            part.log.parent.mkdir(parents=True, exist_ok=True)
            said = opened.enter_context(part.log.open("wb"))
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops all in order.
        return subprocess.Popen(
            bound(part.arguments, signal.SIGTERM, part.lock),
            env=os.environ | dict(part.environment),
            stdin=subprocess.DEVNULL,
            stdout=said or sys.stderr,
            stderr=said or sys.stderr,
            start_new_session=True,
        )
