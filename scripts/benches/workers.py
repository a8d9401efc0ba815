"""N workers whose stages sleep, on PostgreSQL: how far the engine (queue, claims, checkpoints, heartbeats) scales.

Every worker is a process as `selects worker` runs it, with its heart, its reaper and all that it looks at once a
second; only the stages of a film sleep in place of computing, each for its share of the film's time, and say how far
they are as often as a real scan does. Each N gets as many films a worker. Linear would be N times the films an hour of
one worker. The processor time of workers and PostgreSQL is told apart, while nothing is to be done and while films
are; so is how long a worker is without a film between two. How long a worker takes to start is reported apart. Needs
Linux, PostgreSQL and the environment for development, which `scripts/check` makes.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from _processes import start, wait  # noqa: E402
from _work_seen import Seen, cpu_of, in_work  # noqa: E402

from backend.analysis.stages import STAGES  # noqa: E402
from backend.jobs.models import Job, Worker  # noqa: E402
from backend.jobs.queue import migrate_jobs  # noqa: E402
from backend.jobs.service import INGEST, enqueue, new_job  # noqa: E402
from backend.library.models import Movie, Project  # noqa: E402
from backend.migrations.run import migrate  # noqa: E402
from backend.resources import Resources  # noqa: E402
from backend.settings import Settings  # noqa: E402
from tests.databases import cluster, database, find_binaries  # noqa: E402

SERVER = ("shared_buffers=64MB", "max_connections=2000")
LIMIT_S, LOOK_EVERY_S = 1800.0, 1.0
FILM_S = 35.0
"""Five minutes of film at 360p: a real one of 596 s takes 70 s when nothing else runs (docs/scale.md)."""


def run(args: list[str]) -> dict[str, Any]:
    """Measure each N; the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench workers")
    asked.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    asked.add_argument("--film-s", type=float, default=FILM_S, help="how long the stages of a film sleep together")
    asked.add_argument("--films", type=int, default=3, help="films a worker")
    asked.add_argument("--idle-s", type=float, default=10.0, help="how long workers are watched with nothing to do")
    options = asked.parse_args(args)
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed.")
    with ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="selects-bench-")))
        folder = held.enter_context(cluster(binaries, SERVER))
        rounds = []
        for workers in options.workers:
            with database(folder) as url:
                rounds.append(_round(home, url, folder, workers, options))
                print(rounds[-1], file=sys.stderr, flush=True)
        with database(folder) as url:
            start_s = _start_s(home, url)
    alone = rounds[0]["films_an_hour"] / rounds[0]["workers"]
    for each in rounds:
        each["linear"] = round(each["films_an_hour"] / each["workers"] / alone, 3)
    about = f"{len(STAGES)} stages, {options.film_s:g} s a film; {options.films} films a worker"
    lines = [
        f"{about}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        *(line for each in rounds for line in _lines(each)),
        f"a worker that is started alone is ready after {start_s:.1f} s",
    ]
    return {"film_s": options.film_s, "rounds": rounds, "start_s": start_s, "lines": lines}


def _round(home: Path, url: str, folder: str, workers: int, options: argparse.Namespace) -> dict[str, Any]:
    resources = _prepared(home, url)
    sleepers = str(Path(__file__).with_name("_sleepers.py"))
    arguments = [sys.executable, sleepers, str(home), url, str(options.film_s), str(workers)]
    log_file = home / f"workers-{workers}.log"
    with log_file.open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            wait(lambda: log_file.read_bytes().count(b"worker ready") == workers, 180)
            ready_s = time.monotonic() - began
            idle = Seen.during(process.pid, folder, lambda: time.sleep(options.idle_s))
            jobs = _add(resources, workers * options.films)
            begun = time.time()
            busy = Seen.during(process.pid, folder, lambda: _do(resources, process, jobs, log_file))
            given_up = workers - _count(resources, Worker, col(Worker.state) == "alive")
            worked = in_work(resources, begun, options.film_s)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
            resources.close()
    return {
        "workers": workers,
        "films": len(jobs),
        **worked,
        "films_an_hour": round(3600 * len(jobs) / worked["took_s"], 1),
        "asleep": round(len(jobs) * options.film_s / workers / worked["took_s"], 3),
        "idle_ms_a_second": idle.a_worker(workers),
        "busy_ms_a_second": busy.a_worker(workers),
        "bench_cores": round(cpu_of(os.getpid()) / (time.monotonic() - began), 3),
        "forked_and_ready_s": round(ready_s, 1),
        "given_up": given_up,
    }


def _do(resources: Resources, process: "subprocess.Popen[bytes]", jobs: list[Job], log_file: Path) -> None:
    """Hand all films over and wait until they are done; when each was, the rows say."""
    for job in jobs:
        enqueue(resources.queue, job)
    until = time.monotonic() + LIMIT_S
    while _count(resources, Job, col(Job.state) == "done") < len(jobs):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(log_file.read_text()[-3000:])
        time.sleep(LOOK_EVERY_S)


def _prepared(home: Path, url: str) -> Resources:
    resources = Resources(Settings(home=home, database={"url": url}))
    migrate(resources.engine)
    migrate_jobs(resources.settings.jobs_url)
    return resources


def _add(resources: Resources, count: int) -> list[Job]:
    with Session(resources.engine, expire_on_commit=False) as session:
        project = Project(name="Bench")
        session.add(project)
        session.flush()
        movies = [Movie(project_id=project.id or 0, path=f"/none/{k}", title=f"Film {k}") for k in range(count)]
        session.add_all(movies)
        session.flush()
        jobs = [new_job(session, project.id or 0, movie.id, INGEST, {}, "bench") for movie in movies]
        session.commit()
    return jobs


def _count(resources: Resources, table: Any, where: Any) -> int:
    with Session(resources.reading) as session:
        return session.exec(select(func.count()).select_from(table).where(where)).one()


def _start_s(home: Path, url: str) -> float:
    """How long one worker takes from the command to its name in the table."""
    resources = _prepared(home, url)
    environment = {"SELECTS_HOME": home, "SELECTS_DATABASE__URL": url}
    with ExitStack() as held:
        began = time.monotonic()
        process = start(held, [sys.executable, "-m", "backend", "worker"], environment, home / "worker.log")
        wait(lambda: _count(resources, Worker, col(Worker.state) == "alive") == 1)
        took_s = time.monotonic() - began
        process.send_signal(signal.SIGTERM)
    resources.close()
    return round(took_s, 1)


def _lines(each: dict[str, Any]) -> tuple[str, str]:
    idle, busy = each["idle_ms_a_second"], each["busy_ms_a_second"]
    late = f"; {each['given_up']} workers were too late with their heartbeat" if each["given_up"] else ""
    speed = (
        f"  N = {each['workers']:>2}: {each['films_an_hour']:>7.0f} films an hour, {each['linear']:.2f} of linear; "
        f"asleep {each['asleep']:.0%} of the time; {each['fewest']} to {each['most']} films a worker{late}"
    )
    cost = (
        f"          {each['beside_s']:.2f} s a film beside its sleep; {each['between_s']:.2f} s between two films; "
        f"CPU a worker and second: waiting {idle['worker']} ms and {idle['postgresql']} in PostgreSQL, "
        f"at work {busy['worker']} and {busy['postgresql']}"
    )
    return speed, cost
