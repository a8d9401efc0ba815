"""More like this: shots that look like a shot, a scene, a stretch of a film, or a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from backend.clusters.metric import common_head
from backend.errors import InputError, NotFound
from backend.features.base import Image
from backend.library.models import Movie
from backend.library.places import keyframe_address
from backend.members.service import Principal, require_role, role_in
from backend.paging import paged
from backend.search.copies import Floats
from backend.search.filters import FilmRef, Films, Filters, Reach, reach_of, searchable_in
from backend.search.grouped import shots_in
from backend.search.hall import Hall
from backend.search.held import HeldFilm
from backend.search.nearest import EXACT_ROWS
from backend.search.shapes import Found, Hit, Similar
from backend.search.sketch import Rows
from backend.search.spaces import LOOKS, SPACES, Space
from backend.search.taught import listed

if TYPE_CHECKING:
    from backend.resources import Resources

LOOK_SPACES = tuple(SPACES[name] for name in LOOKS)
AT_HAND = 50
"""A list of so many is put together at once, see `is_at_hand`."""

LISTED = 1000
"""A list ends here: nobody reads on, and each page costs as much as all before it."""


@dataclass(frozen=True)
class Scope:
    """Where to look, and which part of the list is wanted. `project` None: all of the asker's projects."""

    project: int | None = None
    filters: Filters = field(default_factory=Filters)
    limit: int = 50
    offset: int = 0

    @property
    def end(self) -> int:
        """How many of the list are needed."""
        return min(self.offset + self.limit, LISTED)


@dataclass(frozen=True)
class Example:
    """A part of a film: a shot, a scene (both by number) or frames `[start, end)`."""

    movie_id: int
    shot: int | None = None
    scene: int | None = None
    frames: tuple[int, int] | None = None


def similar(session: Session, resources: "Resources", who: Principal, example: Example, scope: Scope) -> Similar:
    """Shots that look like a part of a film; the part itself is left out. Raises NotFound, InputError."""
    found = within_reach(session, resources, LOOK_SPACES, who, scope)
    # It need not pass the filters itself.
    space, own = _film_in(found, example.movie_id) or _elsewhere(session, resources, who, example.movie_id)
    refs = found[space.name]
    hall = resources.gallery.hall(space, refs, own)
    place = hall.place[own.name]
    rows, weights = part_of(hall.films[place], example)
    query = mean_direction(hall.films[place].vectors[rows], weights)
    mask = hall.mask(refs, scope.filters, shots_in(session, scope.filters.clusters)).copy()
    mask[rows + hall.starts[place]] = False
    return _list(resources, hall, refs, query, scope, mask)


def is_at_hand(resources: "Resources", who: Principal, movie_id: int, scope: Scope) -> bool:
    """Whether a short list of what is like a film's part can be made from memory, in a few milliseconds at most."""
    if scope.filters.clusters or scope.end > AT_HAND:
        return False
    found: Mapping[str, Films] | None = resources.fresh.peek(_reach_key(LOOK_SPACES, who, scope))
    known = found and (_film_in(found, movie_id) or _known_elsewhere(resources, who, movie_id))
    if not found or not known:
        return False
    space, own = known
    return resources.gallery.holds(space, found[space.name], own, most=EXACT_ROWS)


def similar_to_picture(session: Session, resources: "Resources", who: Principal, image: Image, scope: Scope) -> Similar:
    """Shots that look like a picture, RGB uint8 [height, width, 3]."""
    found = within_reach(session, resources, LOOK_SPACES, who, scope)
    space = SPACES[max(reversed(LOOKS), key=lambda name: len(found[name]))]
    refs = found[space.name]
    if not refs:
        return Similar(items=[], total=0, space=space.name, how="exact", films=0)
    hall = resources.gallery.hall(space, refs)
    mask = hall.mask(refs, scope.filters, shots_in(session, scope.filters.clusters))
    return _list(resources, hall, refs, resources.encoders.picture(space, image), scope, mask)


def within_reach(
    session: Session, resources: "Resources", spaces: tuple[Space, ...], who: Principal, scope: Scope
) -> Mapping[str, Films]:
    """The films that are searched, by space; raises NotFound where the asker is no member of the project named."""
    key = _reach_key(spaces, who, scope)

    def read() -> Mapping[str, Films]:
        # Not with the asker's session: what that one sees may be older than the state it would be remembered for.
        with Session(resources.reading) as now:
            return searchable_in(now, *key)

    found = resources.fresh.get(key, read)
    if scope.project is not None and not any(found.values()):
        require_role(session, who, scope.project, "viewer")
    return found


def _reach_key(spaces: tuple[Space, ...], who: Principal, scope: Scope) -> tuple[tuple[Space, ...], Reach, Filters]:
    return spaces, reach_of(who, scope.project), scope.filters.of_films


def part_of(film: HeldFilm, example: Example) -> tuple[Rows, Floats]:
    """The rows of a part of a film and how much each counts; raises NotFound where there are none."""
    shots = film.shots
    if example.shot is not None:
        weights = np.arange(len(film.shot_of)) == example.shot
    elif example.scene is not None:
        weights = np.where(shots.scene == example.scene, shots.duration_s, 0)[film.shot_of]
    elif example.frames is not None:
        start, end = example.frames
        shared = np.minimum(shots.frames[:, 1], end) - np.maximum(shots.frames[:, 0], start)
        weights = np.maximum(shared, 0)[film.shot_of]
    else:
        raise InputError("Say which part of the film: a shot, a scene, or its first and last frame.")
    rows = np.flatnonzero((weights > 0) & film.filled)
    if not len(rows):
        raise NotFound(f"There is no such part of {film.ref.title!r}, or nothing to be seen in it.")
    return rows, np.asarray(weights[rows], np.float32)


def mean_direction(vectors: Floats, weights: Floats) -> Floats:
    """The weighted mean of unit rows [N, D], of length 1."""
    mean = weights @ vectors
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


def film_hit(film: HeldFilm, ref: FilmRef, shot: int, found: Sequence[Found]) -> Hit:
    """A shot as the API shows it; of the reasons the best first. `ref` has the title that the film has now."""
    shots, frame = film.shots, int(film.shots.picture[shot])
    reasons = sorted(found, key=lambda each: -each.score)
    return Hit(
        movie_id=ref.movie_id,
        movie_title=ref.title,
        project_id=ref.project_id,
        year=ref.year,
        shot=shot,
        scene=int(shots.scene[shot]),
        start_frame=int(shots.frames[shot, 0]),
        end_frame=int(shots.frames[shot, 1]),
        start_s=float(shots.seconds[shot, 0]),
        end_s=float(shots.seconds[shot, 1]),
        picture=keyframe_address(ref.movie_id, ref.sha256, frame) if frame >= 0 else None,
        score=reasons[0].score,
        found_by=reasons,
    )


def _film_in(found: Mapping[str, Films], movie_id: int) -> tuple[Space, FilmRef] | None:
    """A film in the best space that it is in; None where it is in none."""
    return next(
        ((SPACES[name], found[name].by_movie[movie_id]) for name in LOOKS if movie_id in found[name].by_movie), None
    )


def _known_elsewhere(resources: "Resources", who: Principal, movie_id: int) -> tuple[Space, FilmRef] | None:
    """The same among all that the asker may search, where these are known."""
    found: Mapping[str, Films] | None = resources.fresh.peek(_reach_key(LOOK_SPACES, who, Scope()))
    return _film_in(found, movie_id) if found else None


def _elsewhere(session: Session, resources: "Resources", who: Principal, movie_id: int) -> tuple[Space, FilmRef]:
    """The example's film where it is not among those that are searched; raises NotFound."""
    known = _known_elsewhere(resources, who, movie_id)
    if known is None:
        one = Scope(filters=Filters(films=(movie_id,)))
        known = _film_in(within_reach(session, resources, LOOK_SPACES, who, one), movie_id)
    if known is None:
        movie = session.get(Movie, movie_id)
        if movie is None or role_in(session, who, movie.project_id) is None:
            raise NotFound(f"There is no film {movie_id}, or you are not a member of its project.")
        raise NotFound(f"The film {movie.title!r} is not in the index yet.")
    return known


def _list(
    resources: "Resources",
    hall: Hall,
    refs: Films,
    query: Floats,
    scope: Scope,
    mask: NDArray[np.bool_],
) -> Similar:
    """The part of the list that is wanted, of the rows of the mask."""
    total = min(int(np.count_nonzero(mask)), LISTED)
    head = common_head(resources, refs.projects, "scene", hall.space.name)
    answer = listed(resources, hall, mask, query, scope.end, head)
    rows, scores = answer.rows[scope.offset :], answer.scores[scope.offset :]
    places, now = hall.film_of(rows), refs.by_movie
    items = []
    for row, place, score in zip(rows.tolist(), places.tolist(), scores.tolist(), strict=True):
        film = hall.films[place]
        found = Found(by="look", score=round(score, 4))
        items.append(film_hit(film, now[film.ref.movie_id], int(film.shot_of[row - hall.starts[place]]), [found]))
    part = paged(items, total, scope.offset)
    version = head.version if head else None
    return Similar(**part.__dict__, space=hall.space.name, how=answer.how, films=len(refs), model=version)
