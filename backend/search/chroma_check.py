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
from backend.search.rows import FeaturesLost, rows_for_search
from backend.search.spaces import Space

SAME = 1e-4
"""The most that a figure may differ: the server scales vectors to length 1 once more."""

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
    name, faults, expected = known.name, list[Fault](), set[str]()
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
            faults += [Fault(name, words) for words in _film_faults(resources, name, key, vectors)]
        counted, there = resources.chroma.count(name), set(resources.chroma.ids(name))
    except NoCollection:
        return [Fault(name, f"the vector server has no {name}.")], 0
    progress(len(wanted), len(wanted))
    if strays := len(there - expected):
        faults.append(Fault(name, f"{strays} vectors that belong to no film."))
    if counted != len(there):
        faults.append(Fault(name, f"the server counts {counted} vectors and lists {len(there)}."))
    return faults, len(expected)


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
