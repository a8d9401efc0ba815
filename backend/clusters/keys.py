"""How corrections name items: by a frame of a film, and by the middle of the face in it, which outlive an analysis."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import and_
from sqlalchemy import select as rows_of
from sqlmodel import Session, col

from backend.clusters.models import ClusterItem
from backend.library.models import Movie, Shot

DIGITS = 4
AT_ONCE = 500


class Key(NamedTuple):
    """A frame of a film by checksum; `x` and `y` are the middle of a face in it (shares), None for a shot."""

    sha256: str
    frame: int
    x: float | None = None
    y: float | None = None

    def __str__(self) -> str:
        if self.x is None or self.y is None:
            return f"{self.sha256}:{self.frame}"
        return f"{self.sha256}:{self.frame}:{self.x:.{DIGITS}f}:{self.y:.{DIGITS}f}"


def parse_key(key: str) -> Key:
    """What a key names; raises ValueError for what is none."""
    sha256, frame, *place = key.split(":")
    if not place:
        return Key(sha256, int(frame))
    x, y = map(float, place)
    return Key(sha256, int(frame), x, y)


class _Lying(NamedTuple):
    """An item, the frames of its shot, and the middle of its face."""

    item: int
    start_frame: int
    end_frame: int
    x: float
    y: float


def items_named(session: Session, project_id: int, kind: str, keys: Iterable[str]) -> dict[str, int]:
    """The ids of items that keys name now; keys of films that are gone are left out.

    A key that no item has any more, after another analysis, means the item whose shot holds that frame and, of several
    persons in it, the one whose face lies nearest.
    """
    wanted = list(dict.fromkeys(keys))
    found = _with_keys(session, project_id, kind, wanted)
    older = [key for key in wanted if key not in found]
    if older:
        lying = _lying(session, project_id, kind, {parse_key(key).sha256 for key in older})
        for key in older:
            if (item := _meant(parse_key(key), lying)) is not None:
                found[key] = item
    return found


def _with_keys(session: Session, project_id: int, kind: str, keys: Sequence[str]) -> dict[str, int]:
    of_kind = col(ClusterItem.project_id) == project_id, col(ClusterItem.kind) == kind
    found: dict[str, int] = {}
    for at in range(0, len(keys), AT_ONCE):
        asked = rows_of(col(ClusterItem.key), col(ClusterItem.id)).where(
            *of_kind, col(ClusterItem.key).in_(keys[at : at + AT_ONCE])
        )
        found |= dict(session.execute(asked).all())
    return found


def _lying(session: Session, project_id: int, kind: str, films: set[str]) -> Mapping[str, Sequence[_Lying]]:
    """All items of some films, by checksum."""
    item, shot = ClusterItem, Shot
    middle = (col(item.x) + col(item.width) / 2, col(item.y) + col(item.height) / 2)
    asked = (
        rows_of(col(Movie.sha256), col(item.id), col(shot.start_frame), col(shot.end_frame), *middle)
        .join(Movie, col(Movie.id) == col(item.movie_id))
        .join(shot, and_(col(shot.movie_id) == col(item.movie_id), col(shot.number) == col(item.shot)))
        .where(col(item.project_id) == project_id, col(item.kind) == kind, col(Movie.sha256).in_(films))
        .order_by(col(item.id))
    )
    found: dict[str, list[_Lying]] = {}
    for sha256, *row in session.execute(asked).all():
        found.setdefault(sha256, []).append(_Lying(*row))
    return found


def _meant(key: Key, lying: Mapping[str, Sequence[_Lying]]) -> int | None:
    here = [each for each in lying.get(key.sha256, ()) if each.start_frame <= key.frame < each.end_frame]
    if not here:
        return None
    if key.x is None or key.y is None:
        return here[0].item
    x, y = key.x, key.y
    return min(here, key=lambda each: (each.x - x) ** 2 + (each.y - y) ** 2).item
