"""The items of a film that goes: the clusters that they were in are told."""

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlmodel import Session, col, exists, select

from backend.clusters.clustering import changed, locked
from backend.clusters.figures import refigure
from backend.clusters.models import KINDS, ClusterItem
from backend.library.models import Movie

if TYPE_CHECKING:
    from backend.resources import Resources


def remove_items(session: Session, resources: "Resources", movie: Movie) -> None:
    """Remove what is clustered of a film. What people said of it stays, for when it comes back. Commits nothing."""
    of_film = col(ClusterItem.movie_id) == movie.id
    if not session.exec(select(exists().where(of_film))).one():
        return
    for kind in KINDS:
        clustering = locked(session, movie.project_id, kind)
        own = of_film, col(ClusterItem.kind) == kind
        touched = session.exec(select(ClusterItem.cluster_id).where(*own).distinct()).all()
        session.execute(delete(ClusterItem).where(*own))
        changed(session, clustering)
        refigure(session, resources, movie.project_id, kind, [each for each in touched if each is not None])
