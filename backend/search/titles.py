"""Films like this one, by what its plot tells and what its poster shows; not by its shots, see service.py.

Vectors are made when first asked for and kept in `HOME/titles`, one file a film and kind; a changed plot or poster is
noticed. A request makes as many as fit into a second and says how many films wait.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from sqlmodel import Session, col, select

from backend.errors import InputError, OutputError
from backend.features.minilm import TextEncoder
from backend.files import file_atomically
from backend.library.models import Movie
from backend.library.places import poster_path
from backend.library.service import movie_named
from backend.members.service import Principal
from backend.search.copies import Floats
from backend.search.images import read_picture
from backend.search.shapes import AlikeFilm, AlikeFilms, AlikeFor
from backend.search.spaces import SPACES

if TYPE_CHECKING:
    from backend.resources import Resources

Kind = Literal["plot", "poster"]
LOOK = SPACES["efficientnet"]
BUDGET_S = 1.0
PLOT_FLOOR = 0.24
"""The product of two plots that have nothing to do with each other (docs/decisions/0033-feature-catalogue.md)."""


@dataclass(frozen=True)
class _Film:
    id: int
    title: str
    year: int | None
    plot: str
    poster: str
    analysed: bool


class TitleVectors:
    """Vectors of plots and posters, in memory and on disk; for all threads."""

    def __init__(self, resources: "Resources") -> None:
        self._resources = resources
        self._held: dict[tuple[int, Kind], tuple[str, Floats]] = {}

    def of(self, film: _Film, *, make: bool) -> dict[Kind, Floats] | None:
        """Its vectors of length 1 by kind; None where one must be made first and `make` is not asked."""
        found: dict[Kind, Floats] = {}
        for kind, stamp, maker in self._sources(film):
            vector = self._known(film.id, kind, stamp)
            if vector is None:
                if not make:
                    return None
                vector = self._keep(film.id, kind, stamp, maker())
            if vector.any():
                found[kind] = vector
        return found

    def _sources(self, film: _Film) -> list[tuple[Kind, str, Callable[[], Floats]]]:
        """Of what there is: its kind, what changes with it, and what makes its vector."""
        sources: list[tuple[Kind, str, Callable[[], Floats]]] = []
        if film.plot.strip():
            stamp = f"{TextEncoder.version}-{sha256(film.plot.encode()).hexdigest()[:32]}"
            sources.append(("plot", stamp, lambda: self._meaning(film.plot)))
        path = poster_path(self._resources.home, film.id)
        if film.poster and path.is_file():
            found = path.stat()
            sources.append(("poster", f"{LOOK.version}-{found.st_size}-{found.st_mtime_ns}", lambda: self._look(path)))
        return sources

    def _meaning(self, plot: str) -> Floats:
        # Not Encoders.meaning, which keeps the last questions that people asked.
        return np.asarray(self._resources.encoders.words.vectors([plot])[0], np.float32)

    def _look(self, path: Path) -> Floats:
        try:
            return self._resources.encoders.picture(LOOK, read_picture(path.read_bytes()))
        except (InputError, OSError):  # what is no picture looks like nothing
            return np.zeros(LOOK.dimension, np.float32)

    def _known(self, movie_id: int, kind: Kind, stamp: str) -> Floats | None:
        held = self._held.get((movie_id, kind))
        if held is None:
            with suppress(OSError, ValueError, KeyError, EOFError), np.load(self._path(movie_id, kind)) as stored:
                held = self._held[movie_id, kind] = str(stored["stamp"]), np.asarray(stored["vector"], np.float32)
        return held[1] if held and held[0] == stamp else None

    def _keep(self, movie_id: int, kind: Kind, stamp: str, vector: Floats) -> Floats:
        self._held[movie_id, kind] = stamp, vector
        # It can be made again: a full disk must not cost the answer.
        with (
            suppress(OutputError),
            file_atomically(self._path(movie_id, kind), durable=False) as part,
            part.open("wb") as file,
        ):
            np.savez(file, stamp=np.array(stamp), vector=vector)
        return vector

    def _path(self, movie_id: int, kind: Kind) -> Path:
        return self._resources.home / "titles" / f"{movie_id}-{kind}.npz"


def films_like(session: Session, resources: "Resources", who: Principal, movie_id: int, limit: int) -> AlikeFilms:
    """Films of the same project whose plot or poster is like this one's, the most alike first.

    Raises NotFound, MissingWeights.
    """
    own = movie_named(session, who, movie_id)
    films = _films(session, own.project_id)
    this = next(film for film in films if film.id == movie_id)
    mine = resources.titles.of(this, make=True) or {}
    found, waiting, until = list[AlikeFilm](), 0, time.monotonic() + BUDGET_S
    for film in films:
        if film.id == movie_id or not mine:
            continue
        theirs = resources.titles.of(film, make=time.monotonic() < until)
        if theirs is None:
            waiting += 1
        elif reasons := _reasons(mine, theirs):
            score = sum(reason.score for reason in reasons) / len(mine)
            found.append(_shown(film, round(score, 4), reasons))
    found.sort(key=lambda each: (-each.score, each.movie_id))
    note = "" if mine else "This film has neither a plot nor a poster to go by."
    return AlikeFilms(items=found[:limit], by=sorted(mine), waiting=waiting, note=note)


def _films(session: Session, project_id: int) -> list[_Film]:
    columns = (Movie.id, Movie.title, Movie.year, Movie.plot, Movie.poster, Movie.scan_key)
    rows = session.exec(select(*columns).where(col(Movie.project_id) == project_id).order_by(col(Movie.id)))  # type: ignore[call-overload]
    return [_Film(id_, title, year, plot, poster, bool(scan)) for id_, title, year, plot, poster, scan in rows.all()]


def _reasons(mine: dict[Kind, Floats], theirs: dict[Kind, Floats]) -> list[AlikeFor]:
    """What is alike, of the kinds that both films have, the most alike first; what is not alike at all is left out."""
    found = []
    for kind in ("plot", "poster"):
        if kind in mine and kind in theirs:
            product = float(mine[kind] @ theirs[kind])
            score = LOOK.score(product) if kind == "poster" else max(0.0, (product - PLOT_FLOOR) / (1 - PLOT_FLOOR))
            found.append(AlikeFor(by=kind, score=round(min(score, 1.0), 4)))
    return sorted((each for each in found if each.score > 0), key=lambda each: -each.score)


def _shown(film: _Film, score: float, reasons: Sequence[AlikeFor]) -> AlikeFilm:
    picture = f"/api/movies/{film.id}/picture" if film.poster or film.analysed else None
    return AlikeFilm(
        movie_id=film.id, title=film.title, year=film.year, picture=picture, score=score, found_by=list(reasons)
    )
