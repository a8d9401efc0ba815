"""What is clustered of a film: its shots, and the people in them, kept in step with its analysis.

An item with the same key is the same row, whatever an analysis calls its shot; so nothing is said twice of it, and
nothing is lost.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, update
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from backend.clusters.appearances import Appearances, Film, appearances, face_space
from backend.clusters.clustering import changed, locked
from backend.clusters.keys import Key
from backend.clusters.links import restore
from backend.clusters.models import KINDS, ClusterItem
from backend.library.models import Movie, Shot

SAID = ("shot", "track", "frame", "x", "y", "width", "height", "faces", "seconds")
"""What another analysis may say otherwise of the same item."""


def films_of(session: Session, project_id: int, ids: Sequence[int] = ()) -> list[Film]:
    """The analysed films of a project, or some of them, in order of their ids."""
    counted = select(col(Shot.movie_id), func.count()).group_by(col(Shot.movie_id)).subquery()
    wanted = (
        rows_of(col(Movie.id), col(Movie.sha256), col(Movie.vectors), counted.c[1])
        .join(counted, counted.c.movie_id == col(Movie.id))
        .where(col(Movie.project_id) == project_id, col(Movie.sha256).is_not(None))
    )
    if ids:
        wanted = wanted.where(col(Movie.id).in_(ids))
    return [Film._make(row) for row in session.execute(wanted.order_by(col(Movie.id))).all()]


def keep_in_step(session: Session, home: Path, project_id: int, film: Film) -> bool:
    """Make the rows of a film's items what its analysis says; whether any was added, changed or removed.

    Locks both kinds of the project. Commits nothing. Raises OutputError.
    """
    rows = session.exec(select(Shot).where(col(Shot.movie_id) == film.id).order_by(col(Shot.number))).all()
    shots = [shot for shot in rows if shot.keyframes]
    found = appearances(home, film)
    wanted = {"scene": shot_items(project_id, film, shots)}
    if found is not None or face_space(film) is None:
        wanted["character"] = people_items(project_id, film, shots, found) if found else []
    # Where the file of the faces is gone, what is known of them stays until the film is analysed again.
    done = False
    for kind in KINDS:
        if kind in wanted:
            clustering = locked(session, project_id, kind)
            if _match(session, film.id, kind, wanted[kind]):
                restore(session, project_id, kind, film.sha256)
                changed(session, clustering)
                done = True
    return done


def shot_items(project_id: int, film: Film, shots: Iterable[Shot]) -> list[ClusterItem]:
    """One item a shot; its frame is the middle keyframe."""
    made = []
    for shot in shots:
        frame = shot.keyframes[len(shot.keyframes) // 2]
        made.append(
            ClusterItem(
                project_id=project_id,
                kind="scene",
                movie_id=film.id,
                shot=shot.number,
                key=str(Key(film.sha256, frame)),
                frame=frame,
                seconds=shot.end_s - shot.start_s,
            )
        )
    return made


def people_items(project_id: int, film: Film, shots: Iterable[Shot], found: Appearances) -> list[ClusterItem]:
    """One item a person and shot; on the screen for the share of the shot's keyframes that show them."""
    by_number = {shot.number: shot for shot in shots}
    made: dict[str, ClusterItem] = {}
    for t, (number, track) in enumerate(zip(found.shot.tolist(), found.number.tolist(), strict=True)):
        shot = by_number.get(number)
        if shot is None:
            continue
        x, y, width, height = (float(value) for value in found.box[t])
        key = str(Key(film.sha256, int(found.frame[t]), x + width / 2, y + height / 2))
        share = min(1.0, len(found.frames_of(t)) / len(shot.keyframes))
        item = ClusterItem(
            project_id=project_id,
            kind="character",
            movie_id=film.id,
            shot=number,
            track=track,
            key=key,
            frame=int(found.frame[t]),
            faces=found.faces_of(t),
            seconds=(shot.end_s - shot.start_s) * share,
            x=x,
            y=y,
            width=width,
            height=height,
        )
        made.setdefault(key, item)
    return list(made.values())


def _match(session: Session, movie_id: int, kind: str, wanted: Sequence[ClusterItem]) -> bool:
    """Whether rows had to be changed."""
    item = ClusterItem
    columns = (col(item.id), col(item.key), *(col(getattr(item, name)) for name in SAID))
    asked = rows_of(*columns).where(col(item.movie_id) == movie_id, col(item.kind) == kind)
    rows = {key: (number, dict(zip(SAID, said, strict=True))) for number, key, *said in session.execute(asked).all()}
    fresh = [each for each in wanted if each.key not in rows]
    others = {
        rows[each.key][0]: _said(each) for each in wanted if each.key in rows and _said(each) != rows[each.key][1]
    }
    gone = [rows[key][0] for key in rows.keys() - {each.key for each in wanted}]
    if not (fresh or others or gone):
        return False
    session.execute(delete(item).where(col(item.id).in_(gone)))
    # Shot and track are unique within the film: first all out of each other's way.
    session.execute(update(item).where(col(item.id).in_(list(others))).values(shot=-1 - col(item.id)))
    if others:
        session.execute(update(item), [{"id": number, **said} for number, said in others.items()])
    session.add_all(fresh)
    session.flush()
    return True


def _said(item: ClusterItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in SAID}
