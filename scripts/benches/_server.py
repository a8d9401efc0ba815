"""A real server with people and a library made of random numbers, for measurements of its API."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlmodel import Session, col, select

from backend.features.base import Extracted
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.library.models import Candidate, Movie, Project, Shot
from backend.members.models import Membership, Person
from backend.members.tokens import create_token
from backend.migrations.run import migrate
from backend.resources import Resources
from backend.settings import Settings
from labeling.decisions.models import Decision
from labeling.queue.models import Question
from scripts.benches._databases import AS_IT_IS, database_of
from scripts.benches._processes import ROOT, answers, free_port, wait

SHOTS, SHOT_FRAMES, RATE = 120, 60, 25
CLIP_SHOTS = 25
LOG_END = 4000


class Server:
    """`selects serve` in a process of its own."""

    def __init__(self, home: Path, url: str) -> None:
        self.settings = Settings(home=home, database={"url": url})
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "SELECTS_HOME": str(self.settings.home),
            "SELECTS_DATABASE__URL": self.settings.database.url,
            "SELECTS_SERVER__PORT": str(self.port),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SELECTS_")}
        with (self.settings.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backend", "serve"], cwd=ROOT, env=kept | settings, stdout=log, stderr=log
            )
        process = self._process
        wait(lambda: answers(f"http://127.0.0.1:{self.port}/health") or process.poll() is not None)
        if process.poll() is not None:
            raise RuntimeError(self.said())

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        self._end(signal.SIGTERM)

    def cpu_s(self) -> float:
        """CPU seconds that it has used, by the system's own count."""
        if self._process is None:
            return 0.0
        used = subprocess.run(["ps", "-o", "cputimes=", "-p", str(self._process.pid)], capture_output=True, check=True)
        return float(used.stdout)

    def said(self) -> str:
        """The end of its log."""
        return (self.settings.home / "server.log").read_text()[-LOG_END:]

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def decisions(self) -> tuple[list[tuple[str, int]], set[int]]:
        """Key and id of each decision, and the candidates that two are asked about."""
        resources = Resources(self.settings)
        with Session(resources.reading) as session:
            rows = list(session.exec(select(Decision.key, Decision.id)).all())
            overlap = set(session.exec(select(Question.candidate_id).where(col(Question.overlap))).all())
        resources.close()
        return rows, overlap


@contextmanager
def library(kind: str, people: int, films: int, clips: int) -> Iterator[tuple[Server, list[str]]]:
    """A server that is not started yet, on a database of this kind with project 1, and tokens of its curators."""
    with ExitStack() as held:
        home = Path(tempfile.mkdtemp(prefix="selects-bench-"))
        held.callback(shutil.rmtree, home, ignore_errors=True)
        server = Server(home, database_of(held, kind, home, AS_IT_IS))
        resources = Resources(server.settings)
        migrate(resources.engine)
        with Session(resources.engine) as session:
            tokens = _people(session, people)
            for number in range(films):
                _film(session, resources, number, clips)
        resources.close()
        held.callback(server.stop)
        yield server, tokens


def _people(session: Session, count: int) -> list[str]:
    session.add(Project(name="Bench"))
    persons = [Person(name=f"Curator {number}") for number in range(count)]
    session.add_all(persons)
    session.flush()
    session.add_all(Membership(project_id=1, person_id=person.id or 0, role="curator") for person in persons)
    session.commit()
    return [create_token(session, person.id or 0, "bench")[1] for person in persons]


def _film(session: Session, resources: Resources, number: int, clips: int) -> None:
    rng = np.random.default_rng(number)
    extractor = EXTRACTORS["efficientnet"]
    movie = Movie(project_id=1, path=f"{number}.mp4", sha256=f"{number:064x}", title=f"Film {number}", state="ready")
    movie.vectors, movie.scan_key, movie.rate = {"efficientnet": "bench"}, "bench", f"{RATE}/1"
    movie.frames = SHOTS * SHOT_FRAMES
    vectors = rng.standard_normal((SHOTS, extractor.dimension)).astype(np.float32)
    FeatureStore(resources.home / "features").put(movie.sha256 or "", extractor, Extracted(vectors), inputs="bench")
    session.add(movie)
    session.flush()
    for shot in range(SHOTS):
        session.add(_part(Shot(movie_id=movie.id or 0, number=shot, scene=shot // 10), shot, shot + 1))
    for rank, first in enumerate(rng.choice(SHOTS - CLIP_SHOTS, clips, replace=False).tolist()):
        score = float(rng.random())
        row = Candidate(project_id=1, movie_id=movie.id, movie_sha256=movie.sha256 or "", movie_title=movie.title)
        row.rank, row.scene, row.score, row.compelling, row.model = rank + 1, first // 10, score, score, "prior"
        row.explanation = {block: float(rng.random()) for block in ("visual", "audio", "faces", "dynamics")}
        row.reasons = ["loud and fast cutting", "two close faces", "ends on a scene edge"]
        session.add(_part(row, first, first + CLIP_SHOTS))
    session.commit()


def _part(row: Any, first: int, end: int) -> Any:
    row.start_frame, row.end_frame = first * SHOT_FRAMES, end * SHOT_FRAMES
    row.start_s, row.end_s = row.start_frame / RATE, row.end_frame / RATE
    return row
