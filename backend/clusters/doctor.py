"""Do items of clusters and shots of films say the same?"""

from typing import NamedTuple

from sqlalchemy import and_, func
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, exists, select

from backend.clusters.figures import off
from backend.clusters.models import KINDS, Clustering, ClusterItem
from backend.library.models import Movie, Shot


class Astray(NamedTuple):
    """A project in which something is off, and what, in a sentence."""

    project_id: int
    said: str


def astray(session: Session) -> list[Astray]:
    """Projects whose items and shots disagree, whose items were never placed, or whose figures are not right."""
    # What was never clustered is not astray: the first worker that runs sees to it.
    known = select(Clustering.project_id).distinct().order_by(col(Clustering.project_id))
    projects = session.exec(known).all()
    off_in = {number: _off(session, number) for number in projects}
    return [Astray(number, f"Project {number}: {'; '.join(said)}.") for number, said in off_in.items() if said]


def _off(session: Session, project_id: int) -> list[str]:
    item, said = ClusterItem, []
    if _shots_without(session, project_id):
        said.append("shots of its films are in no list of places")
    shot = exists().where(col(Shot.movie_id) == col(item.movie_id), col(Shot.number) == col(item.shot))
    strays = rows_of(func.count()).select_from(item).where(col(item.project_id) == project_id)
    if session.execute(strays.where(~shot)).scalar_one():
        said.append("places or people name shots that there are not")
    if session.execute(strays.where(~col(item.placed))).scalar_one():
        said.append("some shots or people were never placed")
    if any(off(session, project_id, kind) for kind in KINDS):
        said.append("the figures of some clusters are not those of what lies in them")
    return said


def _shots_without(session: Session, project_id: int) -> int:
    """Shots with keyframes, of ready films, that are no items."""
    item = and_(
        col(ClusterItem.movie_id) == col(Shot.movie_id),
        col(ClusterItem.shot) == col(Shot.number),
        col(ClusterItem.kind) == "scene",
    )
    shots = (
        rows_of(col(Shot.keyframes))
        .join(Movie, col(Movie.id) == col(Shot.movie_id))
        .where(col(Movie.project_id) == project_id, col(Movie.state) == "ready", ~exists().where(item))
    )
    return sum(bool(keyframes) for (keyframes,) in session.execute(shots).all())
