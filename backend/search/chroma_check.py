"""Is what Chroma holds what it should hold, and does it find it? A count can be right while answers are wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session, select

from backend.resources import Resources
from backend.search.chroma import NoCollection
from backend.search.collections import PREFIX, born_s, indexed, wrong_answers
from backend.search.copies import FilmKey, Floats, filled
from backend.search.models import VectorCollection
from backend.search.removal import needed_keys
from backend.search.rows import FeaturesLost, rows_for_search
from backend.search.spaces import Space

SAME = 1e-4
"""The most that a figure may differ: the server scales vectors to length 1 once more."""

PASSING_S = 2.0
"""A film that is deleted leaves the rows first, its vectors a moment later."""
SAMPLES_A_FILM = 32
YOUNG_S = 3600.0
"""A collection younger than this may be one that is just being filled."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a collection."""

    collection: str
    words: str


def faults_of(
    resources: Resources, space: Space, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[list[Fault], int]:
    """All that is wrong with the collection of a space, and how many vectors were compared."""
    wanted = sorted(indexed(resources.engine, space), key=str)
    with Session(resources.reading) as session:
        known = session.get(VectorCollection, space.name)
    if known is None:
        return ([Fault("", "there is none, though films are indexed.")] if wanted else []), 0
    name, expected, of_films = known.name, set[str](), list[tuple[tuple[FilmKey, int], str]]()
    try:
        for done, (key, rows) in enumerate(wanted):
            progress(done, len(wanted))
            ids = key.ids(rows)
            try:
                vectors = rows_for_search(resources, key, rows)
            except FeaturesLost:  # said of the film already
                expected.update(ids)
                continue
            expected.update(ids[row] for row in filled(vectors))
            of_films += [((key, rows), words) for words in _film_faults(resources, name, key, vectors)]
        counted, there = resources.chroma.count(name), set(resources.chroma.ids(name))
        counted = len(there) if resources.chroma.count(name) != counted else counted  # others write
        strays = _strays(resources, space, name, there - expected)
    except NoCollection:
        if _name_of(resources, space) != name:  # it was rebuilt meanwhile
            return faults_of(resources, space, progress)
        return [Fault(name, f"the vector server has no {name}.")], 0
    progress(len(wanted), len(wanted))
    # Those that were deleted or analysed anew meanwhile are not in it any more, as it should be.
    still = indexed(resources.engine, space) if of_films else set()
    faults = [Fault(name, words) for film, words in of_films if film in still]
    if strays:
        faults.append(Fault(name, f"{len(strays)} vectors that belong to no film."))
    if counted != len(there):
        faults.append(Fault(name, f"the server counts {counted} vectors and lists {len(there)}."))
    return faults, len(expected)


def _name_of(resources: Resources, space: Space) -> str:
    with Session(resources.reading) as session:
        known = session.get(VectorCollection, space.name)
    return known.name if known else ""


def _strays(resources: Resources, space: Space, name: str, unexpected: set[str]) -> set[str]:
    """Of ids that no indexed film has, those that belong to no film: some came meanwhile, or are just leaving."""
    for _ in range(2):
        if not unexpected:
            break
        with Session(resources.reading) as session:
            needed = {(key.sha256, key.inputs) for key in needed_keys(session) if key.space == space.name}
        unexpected = {each for each in unexpected if tuple(each.split(":")[:2]) not in needed}
        if unexpected:
            time.sleep(PASSING_S)
            unexpected &= set(resources.chroma.ids(name))
    return unexpected


def _film_faults(resources: Resources, name: str, key: FilmKey, vectors: Floats) -> list[str]:
    rows, ids, film = filled(vectors), key.ids(len(vectors)), f"film {key.sha256[:12]}…"
    held = resources.chroma.vectors(name, [ids[row] for row in rows])
    missing = [row for row in rows if ids[row] not in held]
    changed = [row for row in rows if ids[row] in held and _differs(held[ids[row]], vectors[row])]
    faults = []
    if missing:
        faults.append(f"{film}: {len(missing)} of {len(rows)} vectors are missing.")
    if changed:
        faults.append(f"{film}: {len(changed)} of {len(rows)} vectors are not what the feature file says.")
    if not faults and (unfound := wrong_answers(resources.chroma, name, key, vectors, SAMPLES_A_FILM)):
        faults.append(f"{film}: {len(unfound)} vectors are there and are not found by searching for them.")
    return faults


def _differs(held: Floats, wanted: Floats) -> bool:
    return held.shape != wanted.shape or bool(np.abs(held - wanted).max() > SAME)


def extra_collections(resources: Resources, young_s: float = YOUNG_S) -> list[str]:
    """Collections of ours that nothing uses, if the server is our own: on another there may be those of others."""
    if resources.settings.vectors.host:
        return []
    with Session(resources.reading) as session:
        used = set(session.exec(select(VectorCollection.name)).all())
    ours = [name for name in resources.chroma.collections() if name.startswith(PREFIX) and name not in used]
    return [name for name in ours if time.time() - born_s(name) > young_s]
