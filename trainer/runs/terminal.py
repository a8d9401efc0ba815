"""Training runs and models as people read them in a terminal."""

import sys
from typing import Any

from rich.progress import BarColumn, TextColumn
from sqlmodel import Session, col, select

from backend.bars import Bars
from backend.clock import clock
from backend.scoring.models import Live, ModelVersion
from trainer.runs.models import TrainingRun

STAGES = {
    "": "waiting",
    "snapshot": "gathering labels",
    "train": "starting to train",
    "read": "reading labels",
    "fold": "training on parts of the films",
    "fit": "training on all",
    "evaluate": "measuring",
    "gate": "deciding",
    "register": "entering the model",
    "promote": "deciding",
}
LIVE, NOT_LIVE = "*", " "


class RunBar(Bars):
    """Told of a run, shows a bar on standard error, or a line whenever it begins something else."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.percentage:>3.0f} %"), BarColumn(bar_width=24), TextColumn("{task.description}")
        )
        self._task = self.bars.add_task("waiting", total=1.0)
        self._told = ""

    def __call__(self, run: TrainingRun) -> None:
        """Show how far a run is."""
        said = said_of(run, epochs=self.live)
        if self.live:
            self.bars.update(self._task, completed=run.fraction, description=said)
        elif said != self._told:
            self._told = said
            sys.stderr.write(f"{said}\n")
            sys.stderr.flush()


def said_of(run: TrainingRun, *, epochs: bool) -> str:
    """A run in a few words; with `epochs` also what changes all the time."""
    if run.state == "running":
        said = STAGES.get(run.stage, run.stage)
        if epochs and run.epochs:
            loss = f", loss {run.loss:.3f}" if run.loss is not None else ""
            left = f", {clock(run.left_s)} left" if run.left_s else ""
            said += f", epoch {run.epoch} of {run.epochs}{loss}{left}"
        return said
    rest = "; ".join(filter(None, [run.problem, run.note]))
    state = STAGES[""] if run.state == "queued" else run.state
    return f"{state}{f': {rest}' if rest else ''}"


def models_of(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The versions of a project as plain values, the newest first."""
    live = select(Live.version).where(col(Live.project_id) == project_id, col(Live.version).is_not(None))
    versions = set(session.exec(live).all())
    own = select(ModelVersion).where(col(ModelVersion.project_id) == project_id)
    rows = session.exec(own.order_by(col(ModelVersion.created_at).desc(), col(ModelVersion.id).desc())).all()
    return [
        {
            "version": row.version,
            "slot": row.slot,
            "kind": row.kind,
            "state": row.state,
            "live": row.version in versions,
            "kept": bool(row.folder),
            "created_at": row.created_at.isoformat(),
            "created_by": row.created_by,
            "summary": row.card.get("summary", ""),
            "refused_because": list(row.card.get("gate", {}).get("reasons", ())),
        }
        for row in rows
    ]


def model_lines(found: list[dict[str, Any]]) -> list[str]:
    """A line for each version, and what is to be said of it below."""
    lines = []
    for row in found:
        mark = LIVE if row["live"] else NOT_LIVE
        lines.append(
            f"{mark} {row['version']}  {row['kind']}, {row['state']}, {row['created_at'][:16].replace('T', ' ')}"
            f"{'' if row['kept'] else ', files removed'}"
        )
        lines += [f"    {said}" for said in (row["summary"], *row["refused_because"]) if said]
    return lines
