"""Which collection of Chroma holds a space, and making another one in its place."""

import secrets
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.search.chroma import WRITE_S, Chroma
from backend.search.copies import FilmKey, Floats, filled, parse_id
from backend.search.models import IndexedFilm, VectorCollection
from backend.search.rows import FeaturesLost
from backend.search.spaces import Space

Read = Callable[[FilmKey, int], Floats]
"""The prepared rows of a film (how many there are), from its copy or its feature file."""

PREFIX = "selects-"
NEIGHBOURS, SAME = 10, 1 - 1e-4
QUERIES, REWRITES = 100, 4
log = structlog.get_logger("selects.search")


def collection_of(engine: Engine, chroma: Chroma, space: Space) -> str:
    """The collection in use; made where there is none yet, or one of an older version of the extractor."""
    with Session(engine.execution_options(reads_only=True)) as session:
        known = session.get(VectorCollection, space.name)
        if known is not None and known.version == space.version:
            return known.name
    name = fresh_name(space)
    chroma.create(name)
    if not _enter(engine, space, name):  # another process was faster
        chroma.drop(name)
        return collection_of(engine, chroma, space)
    return name


def _enter(engine: Engine, space: Space, name: str) -> bool:
    with Session(engine) as session:
        known = session.get(VectorCollection, space.name, with_for_update=True)
        if known is not None and known.version == space.version:
            return False
        session.merge(VectorCollection(space=space.name, version=space.version, name=name))
        try:
            session.commit()
        except IntegrityError:
            return False
    return True


def fresh_name(space: Space) -> str:
    """A name that no collection had before, with the second of its birth."""
    return f"{PREFIX}{space.name}-v{space.version}-{int(time.time()):x}-{secrets.token_hex(3)}"


def born_s(name: str) -> float:
    """When a collection was made, by its name, in seconds since 1970; long ago where it does not say so."""
    try:
        return float(int(name.split("-")[-2], 16))
    except (ValueError, IndexError):
        return 0.0


def put(chroma: Chroma, name: str, key: FilmKey, vectors: Floats) -> None:
    """Write the rows of a film that hold something, prepared float32 [rows, D]."""
    rows = filled(vectors)
    ids = key.ids(len(vectors))
    chroma.upsert(name, [ids[row] for row in rows], vectors[rows])


def make_findable(chroma: Chroma, name: str, key: FilmKey, vectors: Floats) -> list[str]:
    """Search for every row of a film and write again those that are not found; the ids that stay unfound.

    Chroma's graph now and then leaves a fresh vector without a way to it (about one in a thousand here); written once
    more, it is found. What stays unfound is a sign of a damaged index.
    """
    wrong = wrong_answers(chroma, name, key, vectors, len(vectors))
    for _ in range(REWRITES):
        if not wrong:
            break
        chroma.upsert(name, wrong, vectors[[parse_id(each)[2] for each in wrong]])
        wrong = wrong_answers(chroma, name, key, vectors, len(vectors))
    return wrong


def wrong_answers(chroma: Chroma, name: str, key: FilmKey, vectors: Floats, samples: int) -> list[str]:
    """Of rows spread evenly over a film, those that the index does not find when asked for what is nearest to them.

    A kill in the middle of a write can leave an index that counts right and answers wrong.
    """
    rows = filled(vectors)
    rows = rows[spread(len(rows), samples)]
    ids, wrong = key.ids(len(vectors)), []
    for at in range(0, len(rows), QUERIES):
        part = rows[at : at + QUERIES]
        for row, near in zip(part, chroma.nearest(name, vectors[part], NEIGHBOURS, limit_s=WRITE_S), strict=True):
            if ids[row] not in near and not _has_twin(chroma, name, vectors[row], near):
                wrong.append(ids[row])
    return wrong


def spread(count: int, samples: int) -> list[int]:
    """At most `samples` of `count` places, evenly spread, both ends among them."""
    if count <= samples:
        return list(range(count))
    return sorted({round(k * (count - 1) / (samples - 1)) for k in range(samples)})


def _has_twin(chroma: Chroma, name: str, vector: Floats, near: list[str]) -> bool:
    """Whether the nearest is as good as the row itself: black pictures are all the same."""
    found = chroma.vectors(name, near[:1])
    return any(float(vector @ other) >= SAME for other in found.values())


def rebuild(
    engine: Engine, chroma: Chroma, space: Space, read: Read, progress: Callable[[int, int], None] = lambda n, of: None
) -> str:
    """Fill a new collection from the films' own vectors, then use it in place of the old one, which goes.

    Searches go on meanwhile. Films that are indexed meanwhile are in it too: the change is made in a transaction that
    sees every film that is indexed in the old one, and `index` makes sure in its own that the name still holds.
    """
    old = collection_of(engine, chroma, space)
    name = fresh_name(space)
    chroma.create(name)
    done: set[tuple[FilmKey, int]] = set()
    while True:
        wanted = indexed(engine, space)
        for key, rows in sorted(wanted - done, key=str):
            try:
                vectors = read(key, rows)
                put(chroma, name, key, vectors)
                make_findable(chroma, name, key, vectors)
            except FeaturesLost as lost:  # this one must be analysed again; the others must be found
                log.warning("a film is left out", space=space.name, problem=lost.detail)
            done.add((key, rows))
            progress(len(done), len(wanted))
        if _switch(engine, chroma, space, name, done):
            break
    chroma.drop(old)
    log.info("collection rebuilt", space=space.name, collection=name, films=len(done))
    return name


def _switch(engine: Engine, chroma: Chroma, space: Space, name: str, done: set[tuple[FilmKey, int]]) -> bool:
    """Change the name if `done` is all there is; what has gone meanwhile goes here too."""
    with Session(engine) as session:
        row = session.get(VectorCollection, space.name, with_for_update=True)
        now = _indexed(session, space)
        if row is None or now - done:
            return False
        row.name, row.version, row.changed_at = name, space.version, utc_now()
        session.add(row)
        session.commit()
    for key, rows in done - now:
        done.discard((key, rows))
        chroma.delete(name, key.ids(rows))
    return True


def indexed(engine: Engine, space: Space) -> set[tuple[FilmKey, int]]:
    """The films' vectors that are whole in a space, and their rows."""
    with Session(engine.execution_options(reads_only=True)) as session:
        return _indexed(session, space)


def _indexed(session: Session, space: Space) -> set[tuple[FilmKey, int]]:
    wanted = select(IndexedFilm.sha256, IndexedFilm.inputs, IndexedFilm.rows).where(
        col(IndexedFilm.space) == space.name, col(IndexedFilm.version) == space.version, col(IndexedFilm.rows) > 0
    )
    return {(FilmKey(space.name, sha256, inputs), rows) for sha256, inputs, rows in session.exec(wanted).all()}
