"""`python _sleepers.py HOME URL STAGE_S COUNT`: workers as `selects worker` runs them, whose stages of a film sleep.

They are processes of their own, forked from one that has loaded everything: what is measured is not how long 32
Pythons take to import on two cores. Ends with its standard input.
"""

import os
import signal
import sys
import time
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
    home, url, stage_s, count = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    _loaded()
    workers = []
    for _ in range(count):
        if not (pid := os.fork()):
            run_worker(Settings(home=home, database={"url": url}), ("cpu",), loaded=lambda: sleeping(stage_s))
        workers.append(pid)
    sys.stdin.read()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def sleeping(stage_s: float) -> Register:
    """The workflow of an ingest with the stages that it has, each of which sleeps and says so once a second."""

    def stage(context: Context) -> str:
        until = time.monotonic() + stage_s
        while (left := until - time.monotonic()) > 0:
            context.progress("decode", stage_s - left, stage_s)
            time.sleep(min(left, 1.0))
        return ""

    def register(resources: Resources, worker: str) -> None:
        work = FilmWork(
            resources, worker, lambda: os._exit(GIVEN_UP), {name: (stage, 1 / len(STAGES)) for name in STAGES}
        )

        @DBOS.workflow(name="ingest", max_recovery_attempts=None)
        def ingest(job_id: str, workflow: str) -> str:
            return work.run(job_id, workflow)

    return register


if __name__ == "__main__":
    assert Movie.__tablename__  # rows are read by the names that this makes known
    main()
