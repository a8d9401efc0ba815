"""`python _sleepers.py HOME URL FILM_S COUNT`: workers as `selects worker` runs them, whose stages of a film sleep.

They are processes of their own, forked from one that has loaded everything: what is measured is not how long 32
Pythons take to import on two cores. Ends with its standard input.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dbos import DBOS

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.analysis.stages import STAGES, Context
from backend.analysis.workflow import FilmWork
from backend.library.models import Movie
from backend.resources import Resources
from backend.settings import Settings
from backend.worker import GIVEN_UP, Register, _loaded, run_worker


def main() -> None:
    """Fork the workers, and end them when nobody wants them any more."""
    home, url, film_s, count = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    _loaded(("cpu",))
    workers = []
    for _ in range(count):
        if not (pid := os.fork()):
            run_worker(Settings(home=home, database={"url": url}), ("cpu",), loaded=lambda: sleeping(film_s))
        workers.append(pid)
    sys.stdin.read()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def sleeping(film_s: float) -> Register:
    """The workflow of an ingest with the stages and shares that it has; each sleeps, and tells of itself as a scan."""

    def register(resources: Resources, worker: str) -> None:
        stages = {name: (_sleeping(film_s * share), share) for name, (_, share) in STAGES.items()}
        work = FilmWork(resources, worker, lambda: os._exit(GIVEN_UP), stages)

        @DBOS.workflow(name="ingest", max_recovery_attempts=None)
        def ingest(job_id: str, workflow: str) -> str:
            return work.run(job_id, workflow)

    return register


def _sleeping(stage_s: float) -> Callable[[Context], str]:
    def stage(context: Context) -> str:
        until = time.monotonic() + stage_s
        while (left := until - time.monotonic()) > 0:
            context.progress("decode", stage_s - left, stage_s)
            time.sleep(min(left, 0.1))
        return ""

    return stage


if __name__ == "__main__":
    assert Movie.__tablename__  # rows are read by the names that this makes known
    main()
