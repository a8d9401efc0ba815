"""Shots by words: what is said in them (its words and its meaning), what they seem to show, what they look like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from sqlmodel import Session

from backend.errors import MissingWeights
from backend.features.labels import classes
from backend.members.service import Principal
from backend.paging import paged
from backend.search.copies import Floats
from backend.search.filters import FilmRef, Films
from backend.search.grouped import Shots, shots_in
from backend.search.hall import Hall
from backend.search.held import HeldFilm
from backend.search.nearest import find_nearest
from backend.search.peaks import Weights, bounds
from backend.search.service import LISTED, Scope, film_hit, within_reach
from backend.search.shapes import Found, Hit, Words
from backend.search.sketch import Near, best
from backend.search.spaces import SPACES
from backend.search.stems import asked_stems, marks

if TYPE_CHECKING:
    from backend.resources import Resources

Way = Literal["look", "dialogue", "label"]

LEAST_MEANING, LEAST_LABEL, LEAST_LOOK = 0.3, 0.3, 0.5
"""Scores below these are left out: docs/decisions/0012-search.md says how much of chance they let through."""

WORDS_COUNT = 0.7
"""A line with all the words that were asked for scores at least this much."""

CLIP_SCALE = 100.0
"""How CLIP was trained to weigh likeness: the weight of a caption is the exponential of this times the product."""


@dataclass(frozen=True)
class Asked:
    """A question put to one space: the films that may be found there, where they are held, and of which shots."""

    resources: "Resources"
    scope: Scope
    text: str
    refs: Films
    hall: Hall
    within: Shots | None

    @property
    def mask(self) -> "np.typing.NDArray[np.bool_]":
        """The rows that may be found."""
        return self.hall.mask(self.refs, self.scope.filters, self.within)


@dataclass(frozen=True)
class Shown:
    """A shot with one reason."""

    film: HeldFilm
    shot: int
    found: Found


def search_words(session: Session, resources: "Resources", who: Principal, text: str, scope: Scope) -> Words:
    """Shots that words find, the best first; a shot found in several ways is there once, with all its reasons."""
    within = within_reach(session, resources, WORD_SPACES, who, scope)
    shots = shots_in(session, scope.filters.clusters)
    shown, searched, notes, now = list[Shown](), dict[Way, int](), list[str](), dict[int, FilmRef]()
    for way, (space, find) in WAYS.items():
        refs = within[space]
        searched[way] = len(refs)
        now |= refs.by_movie
        if refs:
            try:
                shown += find(Asked(resources, scope, text, refs, resources.gallery.hall(SPACES[space], refs), shots))
            except MissingWeights as missing:
                searched[way] = 0
                notes.append(missing.detail)
    hits = _merged(shown, now)
    part = paged(hits[scope.offset : scope.end], min(len(hits), LISTED), scope.offset)
    return Words(**part.__dict__, searched=searched, note=" ".join(notes))


def _merged(shown: Sequence[Shown], now: dict[int, FilmRef]) -> list[Hit]:
    by_shot: dict[tuple[int, int], list[Shown]] = {}
    for each in shown:
        by_shot.setdefault((each.film.ref.movie_id, each.shot), []).append(each)
    hits = [
        film_hit(group[0].film, now[movie_id], shot, [each.found for each in group])
        for (movie_id, shot), group in by_shot.items()
    ]
    # Of equal scores, the one that is found in more ways.
    return sorted(hits, key=lambda hit: (-hit.score, -sum(f.score for f in hit.found_by), hit.movie_id, hit.shot))


def said(asked: Asked) -> list[Shown]:
    """Shots by what is said in them. Of a line's score, meaning and words each make up for what the other lacks."""
    hall, query = asked.hall, asked.resources.encoders.meaning(asked.text)
    mask = asked.mask
    near = find_nearest(asked.resources, hall, mask, query, LISTED).near
    wanted = asked_stems(asked.text)
    share = _shares(hall, mask, wanted)
    rows = np.union1d(near.rows[near.products >= LEAST_MEANING], np.fromiter(share, np.int64, len(share)))
    products = hall.products(rows, query)
    films, shown = hall.film_of(rows), []
    for row, place, product in zip(rows.tolist(), films.tolist(), products.tolist(), strict=True):
        film, number = hall.films[place], row - int(hall.starts[place])
        line = film.lines[number]
        score = 1 - (1 - max(0.0, min(1.0, product))) * (1 - WORDS_COUNT * share.get(row, 0.0))
        places = marks(line.text, wanted)
        found = Found(
            by="dialogue", score=round(score, 4), text=line.text, marks=places, start_s=line.start_s, end_s=line.end_s
        )
        shown.append(Shown(film, int(film.shot_of[number]), found))
    return shown


def _shares(hall: Hall, mask: "np.typing.NDArray[np.bool_]", wanted: frozenset[str]) -> dict[int, float]:
    """The lines with any of the words, and how many of the words each has, as a share."""
    counted: dict[int, int] = {}
    for place, film in enumerate(hall.films):
        start, end = int(hall.starts[place]), int(hall.starts[place + 1])
        if not mask[start:end].any():
            continue
        for word in wanted:
            for number in film.postings.get(word, ()):
                if mask[start + number]:
                    counted[start + number] = counted.get(start + number, 0) + 1
    return {row: count / len(wanted) for row, count in counted.items()}


def labelled(asked: Asked) -> list[Shown]:
    """Shots by the classes that they seem to show: the root of what `label_scores` gives, so that a class that is
    certain scores as its likeness to the words does.
    """
    encoders, hall = asked.resources.encoders, asked.hall
    query = encoders.meaning(asked.text)
    likeness = np.square(np.maximum(encoders.labels @ query, 0), dtype=np.float32)
    near = best_labelled(hall, asked.mask, likeness, LEAST_LABEL**2)
    shown = []
    for row, product in zip(near.rows.tolist(), near.products.tolist(), strict=True):
        score = min(1.0, float(np.sqrt(max(product, 0.0))))
        if score < LEAST_LABEL:
            break
        place = int(np.searchsorted(hall.starts, row, side="right")) - 1
        film, number = hall.films[place], row - int(hall.starts[place])
        name = classes()[int((likeness * film.vectors[number]).argmax())][0]
        found = Found(by="label", score=round(score, 4), text=name, marks=marks(name, asked_stems(asked.text)))
        shown.append(Shown(film, int(film.shot_of[number]), found))
    return shown


def best_labelled(hall: Hall, mask: "np.typing.NDArray[np.bool_]", query: Floats, least: float) -> Near:
    """The best LISTED rows of the mask with a product of at least so much: exactly, and few rows are read for it."""
    weights, low, high = Weights.of(query), np.zeros(len(hall), np.float32), np.zeros(len(hall), np.float32)
    for place, film in enumerate(hall.films):
        own = slice(int(hall.starts[place]), int(hall.starts[place + 1]))
        if mask[own].any():
            low[own], high[own] = bounds(film.peaks, weights)
    low[~mask] = 0
    if len(low) > LISTED:
        least = max(least, float(np.partition(low, len(low) - LISTED)[len(low) - LISTED]))
    rows = np.flatnonzero(mask & (high >= least))
    return best(rows, hall.products(rows, query), LISTED)


def looked(asked: Asked) -> list[Shown]:
    """Shots by what they look like (OpenCLIP): how much rather the words than a caption that fits every picture."""
    words, neutral = asked.resources.encoders.appearance(asked.text)
    hall = asked.hall
    near = find_nearest(asked.resources, hall, asked.mask, words, LISTED).near
    lead = near.products - hall.products(near.rows, neutral)
    scores = 1 / (1 + np.exp(-CLIP_SCALE * lead.astype(np.float64)))
    films, shown = hall.film_of(near.rows), []
    for row, place, score in zip(near.rows.tolist(), films.tolist(), scores.tolist(), strict=True):
        if score > LEAST_LOOK:
            film = hall.films[place]
            number = row - int(hall.starts[place])
            shown.append(Shown(film, int(film.shot_of[number]), Found(by="look", score=round(score, 4))))
    return shown


WAYS: dict[Way, tuple[str, Callable[[Asked], list[Shown]]]] = {
    "look": ("openclip", looked),
    "dialogue": ("dialogue", said),
    "label": ("labels", labelled),
}
"""How words find shots: the space that is searched, and the function that does it."""

WORD_SPACES = tuple(SPACES[space] for space, _ in WAYS.values())
