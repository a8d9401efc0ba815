"""A library of many shots whose vectors are derived from real films, for measurements of search.

Base vectors are real: of 512 figures, the VGG19 features of all shots of scene_boundaries/ that have them; of 1280,
what EfficientNet-Lite0 makes of frames of all films in films/, two a second. Others are made from them by mixing: each
is a weighted mean (weights drawn evenly from the simplex) of a base vector and two of its sixteen nearest neighbours,
so that it lies where real shots lie. Titles, genres, years, faces, speech and durations are drawn at random: what is
measured is how fast and how completely the nearest are found, not how good they are.
"""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert
from sqlmodel import Session

from backend.features.base import Extracted, ShotMaterial
from backend.features.efficientnet import EfficientNetLite0
from backend.features.store import FeatureStore
from backend.library.models import Movie, Project, Shot
from backend.members.models import Membership, Person
from backend.members.tokens import create_token
from backend.migrations.run import migrate
from backend.resources import Resources
from backend.search.collections import collection_of, put
from backend.search.copies import FilmKey, parse_id, prepared, write_copy
from backend.search.models import IndexedFilm
from backend.search.spaces import Space

Floats = NDArray[np.float32]

NEIGHBOURS, MIXED = 16, 3
SHOTS_A_FILM = 1000
GENRES = ("action", "drama", "comedy", "horror", "romance", "thriller", "sci-fi", "western", "war", "documentary")
INPUTS = "bench"
SPACE_OF = {512: "openclip", 1280: "efficientnet"}
"""The spaces of so many figures. In that of 512 lie VGG19's vectors here: OpenCLIP's weights are in no wheel."""


@dataclass(frozen=True)
class Facts:
    """What filters ask: of films [films] and of shots [N]."""

    genre: NDArray[np.int64]
    year: NDArray[np.int64]
    has_faces: NDArray[np.bool_]
    has_speech: NDArray[np.bool_]
    duration_s: NDArray[np.float64]


@dataclass(frozen=True)
class Library:
    """The films, shot after shot: float32 [N, D] of length 1, and who may search."""

    space: Space
    vectors: Floats
    facts: Facts
    token: str
    collection: str


def base_vectors(shared: Path, dimension: int, kept: Path) -> Floats:
    """Real vectors, of length 1; those of frames are kept in a file for the next run."""
    if dimension == 512:
        stored = [np.load(file) for file in sorted((shared / "scene_boundaries").glob("*.npz"))]
        found = np.concatenate([film["vgg19"].astype(np.float32) for film in stored if "vgg19" in film.files])
    else:
        if not kept.is_file():
            np.save(
                kept, np.concatenate([_frames(film) for film in sorted((shared / "films").iterdir()) if _is_film(film)])
            )
        found = np.load(kept)
    return found[np.linalg.norm(found, axis=1) > 0] / _length(found[np.linalg.norm(found, axis=1) > 0])


def _is_film(path: Path) -> bool:
    return path.suffix in (".mp4", ".webm")


def _frames(film: Path) -> Floats:
    network = EfficientNetLite0()
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        step = max(1, round(float(stream.average_rate or 24) / 2))
        shots = [
            ShotMaterial(0.0, 0.0, keyframes=(frame.reformat(320, 180, "rgb24").to_ndarray(),))
            for number, frame in enumerate(container.decode(stream))
            if number % step == 0
        ]
    return network.extract(shots).vectors


def _length(rows: Floats) -> Floats:
    return np.linalg.norm(rows, axis=1, keepdims=True)


def derived(base: Floats, count: int, seed: int = 0) -> Floats:
    """`count` vectors of length 1 that lie among the base vectors, float32 [B, D]."""
    rng = np.random.default_rng(seed)
    near = np.argpartition(-(base @ base.T), NEIGHBOURS + 1, axis=1)[:, : NEIGHBOURS + 1]
    own = rng.integers(0, len(base), count)
    others = [near[own, rng.integers(0, NEIGHBOURS + 1, count)] for _ in range(MIXED - 1)]
    weights = rng.dirichlet(np.ones(MIXED), count).astype(np.float32)
    mixed = weights[:, :1] * base[own]
    for k, other in enumerate(others, start=1):
        mixed += weights[:, k : k + 1] * base[other]
    return mixed / _length(mixed)


def facts_of(films: int, seed: int = 1) -> Facts:
    """Facts drawn at random: a genre in ten, two shots in five with faces, shots of 4 s on average."""
    rng, shots = np.random.default_rng(seed), films * SHOTS_A_FILM
    return Facts(
        genre=np.arange(films) % len(GENRES),
        year=rng.integers(1980, 2020, films),
        has_faces=rng.random(shots) < 0.4,
        has_speech=rng.random(shots) < 0.3,
        duration_s=np.round(0.5 + rng.exponential(3.5, shots), 2),
    )


def checksum_of(film: int) -> str:
    """Something like the checksum of a film."""
    return uuid.uuid5(uuid.NAMESPACE_URL, str(film)).hex * 2


def row_of(identity: str, films: dict[str, int]) -> int:
    """The row of an id in Chroma; `films` is number by checksum."""
    sha256, _, number = parse_id(identity)
    return films[sha256] * SHOTS_A_FILM + number


def fill(resources: Resources, space: Space, vectors: Floats) -> Library:
    """Rows, feature files, copies and Chroma, as an ingest leaves them."""
    migrate(resources.engine)
    facts = facts_of(len(vectors) // SHOTS_A_FILM)
    name = collection_of(resources.engine, resources.chroma, space)
    with Session(resources.engine) as session:
        session.add(Project(name="Bench"))
        person = Person(name="Bench")
        session.add(person)
        session.flush()
        session.add(Membership(project_id=1, person_id=person.id or 0, role="viewer"))
        token = create_token(session, person.id or 0, "bench")[1]
        for film in range(len(facts.genre)):
            part = vectors[film * SHOTS_A_FILM : (film + 1) * SHOTS_A_FILM]
            key = enter(session, resources, space, film, part, facts)
            put(resources.chroma, name, key, prepared(space, part))
        session.commit()
    return Library(space, vectors, facts, token, name)


def enter(session: Session, resources: Resources, space: Space, film: int, vectors: Floats, facts: Facts) -> FilmKey:
    """A film of project 1 with these shots: rows, feature file, copy. Its facts begin at `film * SHOTS_A_FILM`."""
    key = FilmKey(space.name, checksum_of(film), INPUTS)
    store = FeatureStore(resources.home / "features")
    store.put(key.sha256, space.extractor, Extracted(vectors), inputs=INPUTS)
    write_copy(resources.home, key, prepared(space, vectors))
    _rows(session, space, key, film, facts, len(vectors))
    return key


def _rows(session: Session, space: Space, key: FilmKey, film: int, facts: Facts, shots: int) -> None:
    movie = Movie(
        project_id=1,
        path=f"{film}.mp4",
        sha256=key.sha256,
        title=f"Film {film}",
        year=int(facts.year[film]),
        genres=[GENRES[facts.genre[film]]],
        state="ready",
        scan_key=INPUTS,
        vectors={space.extractor.name: INPUTS},
    )
    session.add(movie)
    session.flush()
    session.execute(insert(Shot), list(_shots(movie.id or 0, film, facts, shots)))
    session.add(
        IndexedFilm(
            movie_id=movie.id or 0,
            space=space.name,
            version=space.version,
            sha256=key.sha256,
            inputs=INPUTS,
            scan_key=INPUTS,
            rows=shots,
            stamp=secrets.token_hex(8),
        )
    )


def _shots(movie_id: int, film: int, facts: Facts, shots: int) -> Iterator[dict[str, Any]]:
    first, start_s = film * SHOTS_A_FILM, 0.0
    for number in range(shots):
        end_s = start_s + float(facts.duration_s[first + number])
        yield {
            "movie_id": movie_id,
            "number": number,
            "scene": number // 10,
            "start_frame": round(start_s * 24),
            "end_frame": round(end_s * 24),
            "start_s": start_s,
            "end_s": end_s,
            "keyframes": [round(start_s * 24)],
            "faces": int(facts.has_faces[first + number]),
            "speech": 0.5 * float(facts.has_speech[first + number]),
            "dialogue": "",
            "labels": [],
        }
        start_s = end_s
