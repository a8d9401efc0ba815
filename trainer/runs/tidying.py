"""What training leaves behind is tidied: old snapshots, and the files of old versions that the gate refused."""

import time

from sqlmodel import Session, col, select

from backend.resources import Resources
from backend.scoring.models import REFUSED, Live, ModelVersion, Promotion
from backend.scoring.service import models_folder
from backend.store.media import listed, remove
from labeling.queue.models import Queue
from trainer.material.labels import snapshots_folder
from trainer.runs.models import OPEN, TrainingRun

NAMED = 3
LEFT_AFTER_S = 3600.0
"""What a version without files still has on disk after so long was left by somebody who died."""


def tidy_snapshots(resources: Resources, keep: str) -> None:
    """Remove all but the newest snapshots, those of open runs and of live versions, and `keep`."""
    folder = snapshots_folder(resources.home)
    named = listed(folder)
    with Session(resources.reading) as session:
        live = select(Live.version).where(col(Live.version).is_not(None))
        needed = col(TrainingRun.state).in_(OPEN) | col(TrainingRun.version).in_(live)
        kept = set(session.exec(select(TrainingRun.snapshot).where(needed)).all()) | {keep}
    newest = sorted(named, key=lambda name: named[name], reverse=True)
    for name in newest[resources.settings.training.snapshots_kept :]:
        if name not in kept:
            remove(folder / name)


def tidy_refused(session: Session, resources: Resources, project_id: int, slot: str) -> list[str]:
    """Remove the files of a slot's refused versions but the newest; gives their names. Commits.

    Their rows stay, with the card and every figure on it. What is live, was ever live, is in a duel or comes from an
    open run keeps its files however old it is.
    """
    refused = select(ModelVersion).where(
        col(ModelVersion.project_id) == project_id, col(ModelVersion.slot) == slot, col(ModelVersion.state) == REFUSED
    )
    rows = session.exec(refused.order_by(col(ModelVersion.id).desc())).all()
    needed = _needed(session, project_id)
    old = [row for row in rows[resources.settings.training.refused_kept :] if row.version not in needed]
    tidied = [row.version for row in old if row.folder]
    left = {row.version for row in old if not row.folder}
    for row in old:
        row.folder = ""
    session.commit()
    folder, long_ago = models_folder(resources.home), time.time() - LEFT_AFTER_S
    found = listed(folder) if left else {}
    for name in [*tidied, *(name for name in found if name in left and found[name] < long_ago)]:
        remove(folder / name)
    return tidied


def tidied_words(tidied: list[str]) -> str:
    """What was removed, for people; "" where nothing was."""
    if not tidied:
        return ""
    more = f" and {len(tidied) - NAMED} more" if len(tidied) > NAMED else ""
    return f"files of old refused models removed: {', '.join(tidied[:NAMED])}{more}"


def _needed(session: Session, project_id: int) -> set[str | None]:
    """Versions of a project whose files may be asked for, or gone back to."""
    wanted = (
        select(Live.version).where(col(Live.project_id) == project_id),
        select(Promotion.version).where(col(Promotion.project_id) == project_id),
        select(Queue.rival).where(col(Queue.project_id) == project_id),
        select(TrainingRun.version).where(col(TrainingRun.project_id) == project_id, col(TrainingRun.state).in_(OPEN)),
    )
    return {version for each in wanted for version in session.exec(each).all()}
