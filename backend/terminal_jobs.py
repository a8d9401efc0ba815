"""A bar for each film that is taken in; quiet lines where nobody watches."""

import sys

from rich.progress import BarColumn, TaskID, TextColumn
from rich.text import Text

from backend.bars import Bars
from backend.clock import clock
from backend.jobs.models import Job

TITLE_WIDTH = 32
STAGES = {
    "": "waiting",
    "probe": "reading the file",
    "proxy": "copy for browsers",
    "scan": "finding shots",
    "features": "words and features",
    "index": "indexing",
    "clusters": "places and people",
    "candidates": "ranking",
    "film": "looking for the film's pictures",
    "trailer": "watching the trailer",
    "align": "finding it in the film",
}


class JobBars(Bars):
    """Told of jobs, shows one bar each on standard error, or a line when a job begins a stage or ends."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[said]}"),
        )
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, str] = {}

    def __call__(self, job: Job, title: str) -> None:
        """Show how far a job is."""
        said = said_of(job)
        if self.live:
            if job.id not in self._tasks:
                self._tasks[job.id] = self.bars.add_task(_short(title), total=1.0, said="")
            self.bars.update(self._tasks[job.id], completed=job.fraction, said=Text(said))
            return
        key = f"{job.state} {job.stage}"
        if self._told.get(job.id) != key:
            self._told[job.id] = key
            sys.stderr.write(f"{title}: {said}\n")
            sys.stderr.flush()


def said_of(job: Job) -> str:
    """A job in a few words."""
    if job.state == "failed":
        return f"failed: {job.problem}"
    if job.state != "running":
        return f"{job.state}{f' ({job.note})' if job.note else ''}"
    speed = f", {job.speed:.1f} x" if job.speed and job.unit == "frames" else ""
    left = f", {clock(job.eta_s)} left" if job.eta_s else ""
    return f"{STAGES.get(job.stage, job.stage)}{speed}{left}"


def _short(title: str) -> str:
    cut = title if len(title) <= TITLE_WIDTH else f"{title[: TITLE_WIDTH - 1]}…"
    return f"{cut:<{TITLE_WIDTH}}".replace("[", "\\[")
