"""Who makes draws: in this process, or in one beside it, so that a server that draws goes on answering at once.

A draw computes for a tenth of a second or more. In the server's own process a decision that comes in at that moment
would wait for it (docs/decisions/0021-queue.md has the measurement). What was drawn is stored by the server all the
same: of those who write to SQLite only the ones of one process wait for their turn without sleeping.
"""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

import numpy as np
from sqlmodel import Session, col, select

from backend.errors import Unavailable
from labeling.queue import drawing
from labeling.queue.drawing import Drawn
from labeling.queue.embeddings import Embeddings
from labeling.queue.models import Queue
from labeling.queue.rivals import Rivals

if TYPE_CHECKING:
    from backend.resources import Resources
    from backend.settings import Settings


class Maker(Protocol):
    """What computes draws; may be asked by many threads."""

    def make(self, project_id: int, seen_round: int) -> Drawn | bool:
        """A draw after the one that was seen; True where there is a later one already, False where nothing is left."""

    def close(self) -> None:
        """Give back what was opened."""


class Drawer:
    """Makes draws and stores them, one at a time for each project; may be asked by many threads."""

    def __init__(self, resources: "Resources", maker: Maker | None = None) -> None:
        self._resources = resources
        self._maker = maker or Here(resources)
        self._drawing: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def draw(self, project_id: int, seen_round: int) -> bool:
        """Make a draw after the one that was seen; whether there is a later one now, by whomever."""
        with self._drawing[project_id]:
            return self._draw(project_id, seen_round)

    def draw_ahead(self, project_id: int, seen_round: int) -> None:
        """The same, unless one is being made: all who ask meanwhile would each hold a thread until it is there."""
        lock = self._drawing[project_id]
        if lock.acquire(blocking=False):
            try:
                self._draw(project_id, seen_round)
            finally:
                lock.release()

    def close(self) -> None:
        """Give back what was opened."""
        self._maker.close()

    def _draw(self, project_id: int, seen_round: int) -> bool:
        made = self._maker.make(project_id, seen_round)
        if isinstance(made, bool):
            return made
        with Session(self._resources.engine) as session:
            drawing.store(session, project_id, made)
        return True


class Here:
    """Computes in this process."""

    def __init__(self, resources: "Resources") -> None:
        self._resources = resources
        self._embeddings = Embeddings(resources.home, resources.settings.analysis.profile)
        self._rivals = Rivals(resources.home)

    def make(self, project_id: int, seen_round: int) -> Drawn | bool:
        """A draw after the one that was seen; True where there is a later one already, False where nothing is left."""
        with Session(self._resources.reading) as session:
            found = session.exec(select(Queue).where(col(Queue.project_id) == project_id)).one_or_none()
            queue = Queue(**found.model_dump()) if found else Queue(project_id=project_id)
            if queue.round > seen_round:
                return True
            if not drawing.left(session, project_id):
                return False
            return drawing.draw(session, queue, self._embeddings, np.random.default_rng(), self._rivals)

    def close(self) -> None:
        """Nothing was opened."""


class Beside:
    """Computes in a process beside this one, which ends with it: it reads what to do from a pipe, until that closes."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def make(self, project_id: int, seen_round: int) -> Drawn | bool:
        """The same; raises Unavailable where the other process cannot."""
        with self._lock:
            said = self._ask(project_id, seen_round) or self._ask(project_id, seen_round)
        if not said:
            raise Unavailable("New candidates cannot be drawn at the moment; try again, or see the server's log.")
        return of_line(said)

    def close(self) -> None:
        """End the other process."""
        with self._lock:
            self._end()

    def _ask(self, project_id: int, seen_round: int) -> str:
        """What the other process says, "" where it has died."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{project_id} {seen_round}\n")
            process.stdin.flush()
            said = process.stdout.readline().strip()
        except OSError:
            said = ""
        if not said:
            self._end()
        return said

    def _start(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "labeling.queue.beside"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        # Not by the environment or the command line, which others can read: it may hold a password.
        process.stdin.write(self._settings.model_dump_json() + "\n")
        process.stdin.flush()
        self._process = process
        return process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def line_of(made: Drawn | bool) -> str:
    """What a maker gave, for the pipe."""
    return json.dumps(made if isinstance(made, bool) else asdict(made))


def of_line(line: str) -> Drawn | bool:
    """The same back."""
    made = json.loads(line)
    return made if isinstance(made, bool) else Drawn(**made)
