"""Old snapshots go; those that versions were trained on stay."""

from sqlmodel import Session, col, select

from backend.resources import Resources
from backend.scoring.models import Live
from backend.store.media import listed, remove
from trainer.labels import snapshots_folder
from trainer.models import OPEN, TrainingRun


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
