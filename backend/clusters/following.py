"""After a metric head was promoted or taken out: places or people of the project are clustered anew."""

from sqlmodel import Session, col, select

from backend.clusters.head import SLOTS
from backend.clusters.models import Clustering
from backend.clusters.workflow import begin
from backend.jobs.liveness import Ticker
from backend.resources import Resources
from backend.scoring.models import Live

Change = tuple[int, str, int]
"""Project, kind, and which change of what is live."""


def watcher(resources: Resources) -> Ticker:
    """Sees clusters that were made through another head than the live one, and has them made anew, once a change."""
    seen: set[Change] = set()

    def work() -> None:
        with Session(resources.reading) as session:
            due = behind(session)
        for project_id, kind, generation in [each for each in due if each not in seen]:
            if begin(resources, project_id, kind):
                seen.add((project_id, kind, generation))

    return Ticker("clusters of a head", work)


def behind(session: Session) -> list[Change]:
    """Clusterings whose vectors went through another head than the one that is live."""
    live = select(Live.project_id, Live.slot, Live.version, Live.generation).where(col(Live.slot).in_(SLOTS))
    wanted = {
        (project, slot.partition("/")[2]): (version, change) for project, slot, version, change in session.exec(live)
    }
    of = (col(Clustering.project_id), col(Clustering.kind))
    made = session.exec(select(*of, Clustering.version)).all() if wanted else []
    return [
        (project, kind, wanted[project, kind][1])
        for project, kind, version in made
        if (project, kind) in wanted and wanted[project, kind][0] != version
    ]
