"""What workers and their database cost in processor time, by /proc, and what the rows say of their work."""

import os
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from sqlmodel import Session, col, select

from backend.jobs.models import Job
from backend.resources import Resources

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Seen:
    """Seconds by the clock, and of processor time: of the children of a process, and of PostgreSQL."""

    seconds: float
    workers: float
    postgresql: float

    @classmethod
    def during(cls, parent: int, server: str, work: Callable[[], object]) -> "Seen":
        """What is used while something is done. `server`: the folder of the PostgreSQL cluster's socket and data."""
        postmaster = int((Path(server) / "data" / "postmaster.pid").read_text().split()[0])
        began, before = time.monotonic(), _used(parent, postmaster)
        work()
        after = _used(parent, postmaster)
        return cls(time.monotonic() - began, after[0] - before[0], after[1] - before[1])

    def a_worker(self, count: int) -> dict[str, float]:
        """Milliseconds of processor time for each worker and second."""
        shares = {"worker": self.workers, "postgresql": self.postgresql}
        return {name: round(1000 * used / self.seconds / count, 1) for name, used in shares.items()}


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has used, without its children; 0 where it is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) * TICK_S if fields else 0.0


def in_work(resources: Resources, begun: float, film_s: float) -> dict[str, Any]:
    """What the rows of all done jobs say.

    took_s     from `begun`, when the first was handed over, in seconds since 1970, to the last one done
    beside_s   how much longer a film takes than its stages sleep, and
    between_s  how long a worker is without a film between two: medians
    fewest, most  films a worker
    """
    with Session(resources.reading) as session:
        rows = session.exec(select(Job.worker, Job.started_at, Job.finished_at).where(col(Job.state) == "done")).all()
    by_worker: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for worker, started, finished in rows:
        assert started is not None
        assert finished is not None
        by_worker[worker].append((started.timestamp(), finished.timestamp()))
    films = [film for each in by_worker.values() for film in each]
    gaps = [later[0] - earlier[1] for each in by_worker.values() for earlier, later in pairwise(sorted(each))]
    return {
        "took_s": round(max(end for _, end in films) - begun, 2),
        "beside_s": round(median(end - begin for begin, end in films) - film_s, 3),
        "between_s": round(median(gaps), 3) if gaps else 0.0,
        "fewest": min(map(len, by_worker.values())),
        "most": max(map(len, by_worker.values())),
    }


def _used(parent: int, postmaster: int) -> tuple[float, float]:
    """Processor time of a process's children, and of PostgreSQL, with what its ended children have used."""
    workers = postgresql = 0.0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or not (fields := _stat(int(folder.name))):
            continue
        if int(fields[1]) == parent:
            workers += (int(fields[11]) + int(fields[12])) * TICK_S
        elif int(fields[1]) == postmaster:
            postgresql += (int(fields[11]) + int(fields[12])) * TICK_S
        elif folder.name == str(postmaster):
            postgresql += sum(int(fields[at]) for at in (11, 12, 13, 14)) * TICK_S
    return workers, postgresql


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, …; utime, stime, cutime, cstime are 11 to 14."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
