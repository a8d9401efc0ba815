"""`kill -9` of workers and of the vector server at random moments of an ingest: what is there in the end is the same.

A film is ingested undisturbed, and what that leaves is kept: rows, the sum of every file, every vector. Then it is
ingested and removed again and again by two workers beside a real Chroma server, and at random moments one of the
three is killed (the worker that has the job, more often than the idle one) and started anew, until there were enough
kills. After each ingest all is compared, `selects doctor` must find nothing, and removing must leave nothing. Needs the
environment for development, which `scripts/check` makes.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.jobs.models import OPEN, JobStage  # noqa: E402
from backend.migrations.run import migrate  # noqa: E402
from backend.resources import Resources  # noqa: E402
from backend.search.doctor import examine  # noqa: E402
from backend.settings import Settings  # noqa: E402
from scripts.benches._databases import KINDS, database_of  # noqa: E402
from tests.prints import files_of, print_of, vectors_of  # noqa: E402
from tests.vectors import new_server  # noqa: E402
from tests.workers import Works, works  # noqa: E402

LIMIT_S = 900
DOWN_S = 2.0
"""How long the vector server stays away, at most."""


def run(args: list[str]) -> dict[str, Any]:
    """Kill and compare; the figures, with `lines` to print."""
    shared = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared"))
    asked = argparse.ArgumentParser(prog="bench kill")
    asked.add_argument("film", type=Path, nargs="?", default=shared / "films" / "sintel_trailer_204p.mp4")
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--database", choices=KINDS, default="sqlite")
    options = asked.parse_args(args)
    film = options.film.resolve()
    with ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="selects-bench-")))
        url = database_of(held, options.database, home)
        resources = Resources(Settings(home=home, database={"url": url}))
        migrate(resources.engine)
        resources.close()
        server = new_server(home / "server")
        server.start()
        held.callback(server.kill)
        house = held.enter_context(works(home, url, server, [film.parent]))
        return _measured(Killer(house, random.Random(options.seed)), film, options.kills) | {"film": film.name}


class Killer:
    """Two workers and a vector server, each of which may be killed and is there again."""

    def __init__(self, house: Works, rng: random.Random) -> None:
        self.house, self.rng = house, rng
        self.workers = [house.start_worker(), house.start_worker()]
        self.killed: Counter[str] = Counter()

    def kill(self, job_id: str) -> None:
        """Kill one of them, note the stage that it hit, and start it anew."""
        job = self.house.job(job_id)
        which = self.rng.choice(("busy", "busy", "any", "server", "server"))
        if which == "server":
            self.house.server.kill()
            time.sleep(self.rng.random() * DOWN_S)
            self.house.server.start()
        else:
            named = {self.house.name_of(worker): worker for worker in self.workers}
            hit = named.get(job.worker if which == "busy" else None) or self.rng.choice(self.workers)
            hit.send_signal(signal.SIGKILL)
            hit.wait()
            self.workers = [worker for worker in self.workers if worker is not hit] + [self.house.start_worker()]
        what = "server" if which == "server" else "worker"
        self.killed[f"{what} in {job.stage or 'the queue'}"] += 1
        print(f"{self.killed.total():>3}: {what} killed in {job.stage or 'the queue'}", file=sys.stderr, flush=True)


def _measured(killer: Killer, film: Path, kills: int) -> dict[str, Any]:
    house = killer.house
    _remove(house, house.done(house.add(film)))  # the workers' models are loaded
    begun = time.monotonic()
    movie_id = house.done(house.add(film))
    took_s = time.monotonic() - begun
    wanted = print_of(house.service.resources, movie_id)
    _remove(house, movie_id)
    differing: list[str] = []
    ingests = 0
    while killer.killed.total() < kills:
        added = house.add(film)
        differing += _disturbed(killer, added, took_s, kills, wanted)
        ingests += 1
    lines = [
        f"{film.name}: {took_s:.1f} s alone; {kills} kills in {ingests} ingests, {time.monotonic() - begun:.0f} s",
        *(f"  {count:>3} {what}" for what, count in killer.killed.most_common()),
        *(differing or ["after each: the same rows, files and vectors as without, and nothing for the doctor"]),
    ]
    return {"kills": kills, "ingests": ingests, "hit": dict(killer.killed), "differing": differing, "lines": lines}


def _disturbed(killer: Killer, added: dict[str, Any], took_s: float, kills: int, wanted: dict[str, Any]) -> list[str]:
    house, job_id = killer.house, added["job"]["id"]
    until = time.monotonic() + LIMIT_S
    while killer.killed.total() < kills and time.monotonic() < until:
        at = time.monotonic() + killer.rng.uniform(0, took_s)
        while time.monotonic() < at and house.job(job_id).state in OPEN:
            time.sleep(0.02)
        if house.job(job_id).state not in OPEN:
            break
        killer.kill(job_id)
    house.ended(job_id, LIMIT_S)
    movie_id = house.done(added)
    made = print_of(house.service.resources, movie_id)
    found = [f"{part} differ" for part in ("rows", "files", "vectors") if made[part] != wanted[part]]
    found += [problem.detail for problem in examine(house.service.resources).problems]
    with Session(house.service.resources.reading) as session:
        stages = session.exec(select(JobStage.stage).where(JobStage.job_id == job_id)).all()
    if len(stages) != len(set(stages)):
        found.append(f"a stage was noted twice: {stages}")
    return found + _remove(house, movie_id)


def _remove(house: Works, movie_id: int) -> list[str]:
    movie = house.movie(movie_id)
    sha256 = (movie.sha256 if movie else None) or ""
    house.client.delete(f"/api/movies/{movie_id}").raise_for_status()
    resources = house.service.resources
    left = [*files_of(resources.home, sha256), *(i for v in vectors_of(resources, sha256).values() for i in v)]
    return [f"left after removing: {what}" for what in left]
