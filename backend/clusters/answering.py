"""What is answered to who corrected something: what was kept, the clusters as they are now, how much more there is."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from backend.clusters.figures import refigure
from backend.clusters.history import correction_shown
from backend.clusters.models import Cluster, Correction
from backend.clusters.reach import reach
from backend.clusters.shapes import Corrected
from backend.clusters.shown import clusters_shown

if TYPE_CHECKING:
    from backend.resources import Resources


def answer(session: Session, resources: "Resources", correction: Correction, touched: Iterable[int]) -> Corrected:
    """Make the figures of the clusters right, commit, and say what there is now. Raises OutputError."""
    clusters = sorted(set(touched))
    session.add(correction)
    refigure(session, resources, correction.project_id, correction.kind, clusters)
    number = correction.id or 0
    session.commit()
    return shown(resources, number, clusters)


def shown(resources: "Resources", correction_id: int, clusters: Iterable[int]) -> Corrected:
    """What a correction did to these clusters, as things are now."""
    with Session(resources.reading) as session:
        rows = session.exec(
            select(Cluster).where(col(Cluster.id).in_(sorted(clusters))).order_by(col(Cluster.id))
        ).all()
        there = [row for row in rows if row.merged_into is None and not row.gone]
        return Corrected(
            correction=correction_shown(session, correction_id),
            clusters=clusters_shown(session, there),
            gone=[row.id or 0 for row in rows if row not in there],
            more=len(reach(session, resources, session.get_one(Correction, correction_id))),
        )
