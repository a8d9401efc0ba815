"""A library of many films, made by copying real ones and perturbing what was found in them: rows and vectors.

The real films are analysed once by `selects ingest` into a home of their own. A copy takes a stretch of their shots,
joined end to end, from a place of its own; its shots last 0.8 to 1.25 times as long, and each vector is mixed from that
of its shot (half or more) and those of two other shots of the real films. Labels and faces go with their shots, lines
are put in at random. Candidates have the scores and reasons of real ones and windows drawn at random. So rows and files
are of the sizes and shapes that an ingest makes, and there is nothing to be said about the quality of anything.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, SQLModel

from backend.database import utc_now
from backend.features.base import Extracted
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.library.models import Candidate, DialogueLine, Movie, Project, Scene, Shot
from backend.members.models import Membership, Person
from backend.members.tokens import create_token
from backend.migrations.run import migrate
from backend.resources import Resources
from backend.search.collections import collection_of, put
from backend.search.copies import FilmKey, prepared, write_copy
from backend.search.models import IndexedFilm
from backend.search.rows import lines_inputs
from backend.search.spaces import SPACES
from labeling.decisions.models import Decision
from scripts.benches._pouring import pour
from scripts.benches._real_films import Floats, Material, mixed

INPUTS = "copied"
GENRES = ("action", "drama", "comedy", "horror", "romance", "thriller", "sci-fi", "western", "war", "documentary")
STRETCH = (0.8, 1.25)
RATE = 24
WINDOW_S = (60.0, 120.0)
LINE_S = 2.5
BATCH_FILMS = 50
JUDGED = 0.1
"""So many of the candidates were decided about before."""


@dataclass(frozen=True)
class Size:
    """How large a library is wanted: films, the shots, candidates and lines of each; how many films Chroma holds."""

    films: int
    shots: int
    candidates: int
    lines: int
    chroma_films: int


class Copies:
    """Films as they are added to a library, each the same for the same number."""

    def __init__(self, resources: Resources, source: Material, size: Size) -> None:
        self._resources, self._source, self._size = resources, source, size
        self._store = FeatureStore(resources.home / "features")
        self._collections: dict[str, str] = {}

    def add(self, first: int, end: int) -> None:
        """Films `first` to `end`: files, vectors, then rows."""
        for at in range(first, end, BATCH_FILMS):
            made: dict[type[SQLModel], list[dict[str, Any]]] = {}
            for number in range(at, min(at + BATCH_FILMS, end)):
                for table, rows in self._film(number).items():
                    made.setdefault(table, []).extend(rows)
            with self._resources.engine.begin() as connection:
                for table, rows in made.items():
                    pour(connection, table, rows)

    def _film(self, number: int) -> dict[type[SQLModel], list[dict[str, Any]]]:
        rng, source, size = np.random.default_rng(number), self._source, self._size
        picked = (int(rng.integers(len(source.shots))) + np.arange(size.shots)) % len(source.shots)
        spans = np.cumsum(np.concatenate([[0], source.seconds[picked] * rng.uniform(*STRETCH, size.shots)]))
        frames = np.round(spans * RATE).astype(np.int64)
        sha256, movie_id = uuid.uuid5(uuid.NAMESPACE_URL, f"copy {number}").hex * 2, number + 1
        lines, line_rows = self._lines(movie_id, spans, rng)
        inputs = dict.fromkeys(source.vectors, INPUTS)
        said = FilmKey("dialogue", sha256, lines_inputs([row["text"] for row in lines]))
        vectors = {FilmKey(name, sha256, INPUTS): mixed(rows, picked, rng) for name, rows in source.vectors.items()}
        vectors[said] = mixed(source.said, line_rows, rng)
        indexed = [self._keep(number, movie_id, key, rows) for key, rows in vectors.items()]
        scenes = np.cumsum(source.scene_starts[picked]) - source.scene_starts[picked[0]]
        shots = self._shots(movie_id, picked, scenes, frames, spans, lines)
        movie = Movie(
            id=movie_id,
            project_id=1,
            path=source.path,
            sha256=sha256,
            title=f"Film {number}",
            year=int(rng.integers(1980, 2020)),
            genres=[GENRES[number % len(GENRES)]],
            state="ready",
            scan_key=INPUTS,
            vectors=inputs,
            duration_s=float(spans[-1]),
            rate=f"{RATE}/1",
            frames=int(frames[-1]),
            width=1280,
            height=720,
            has_audio=True,
            ready_at=utc_now(),
        )
        candidates = self._candidates(movie, frames, spans, scenes, rng)
        return {
            Movie: [movie.model_dump()],
            Shot: shots,
            Scene: _scenes(movie_id, shots),
            DialogueLine: lines,
            Candidate: candidates,
            Decision: _decisions(candidates),
            IndexedFilm: [row for row in indexed if row],
        }

    def _keep(self, number: int, movie_id: int, key: FilmKey, vectors: Floats) -> dict[str, Any]:
        """The vectors of a film where an ingest puts them; its row in the index, nothing where it is in no space."""
        self._store.put(key.sha256, EXTRACTORS[_extractor(key.space)], Extracted(vectors), inputs=key.inputs)
        if key.space not in SPACES:
            return {}
        space, resources = SPACES[key.space], self._resources
        rows = prepared(space, vectors)
        if len(rows):
            write_copy(resources.home, key, rows)
        if space.chroma and number < self._size.chroma_films:
            if key.space not in self._collections:
                self._collections[key.space] = collection_of(resources.engine, resources.chroma, space)
            put(resources.chroma, self._collections[key.space], key, rows)
        entered = IndexedFilm(
            movie_id=movie_id,
            space=key.space,
            version=space.version,
            sha256=key.sha256,
            inputs=key.inputs,
            scan_key=INPUTS,
            rows=len(rows),
            stamp=key.sha256[:16],  # one for all spaces of a film
        )
        return entered.model_dump(exclude={"id"})

    def _shots(
        self,
        movie_id: int,
        picked: NDArray[np.int64],
        scenes: NDArray[np.int64],
        frames: NDArray[np.int64],
        spans: NDArray[np.float64],
        lines: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, Any]]:
        made, said = [], dict[int, list[str]]()
        for line in lines:
            said.setdefault(line["shot"], []).append(line["text"])
        for number, real in enumerate(picked.tolist()):
            shot, start, end = self._source.shots[real], int(frames[number]), int(frames[number + 1])
            made.append(
                {
                    "movie_id": movie_id,
                    "number": number,
                    "scene": int(scenes[number]),
                    "start_frame": start,
                    "end_frame": end,
                    "start_s": float(spans[number]),
                    "end_s": float(spans[number + 1]),
                    "keyframes": [start + (end - start) * k // (len(shot.keyframes) + 1) for k in (1,)],
                    "faces": shot.faces,
                    "speech": shot.speech,
                    "dialogue": " ".join(said.get(number, ())),
                    "labels": shot.labels,
                }
            )
        return made

    def _lines(
        self, movie_id: int, spans: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[list[dict[str, Any]], NDArray[np.int64]]:
        """Lines spread over the film, and which text each is."""
        starts_s = np.sort(rng.uniform(0, spans[-1] - LINE_S, self._size.lines))
        shots = np.searchsorted(spans, starts_s, side="right") - 1
        texts = rng.integers(0, len(self._source.texts), self._size.lines)
        lines = [
            {
                "movie_id": movie_id,
                "number": number,
                "shot": int(shots[number]),
                "start_s": float(start_s),
                "end_s": float(start_s) + LINE_S,
                "text": self._source.texts[int(texts[number])],
                "source": "subtitles",
            }
            for number, start_s in enumerate(starts_s)
        ]
        return lines, texts

    def _candidates(
        self,
        movie: Movie,
        frames: NDArray[np.int64],
        spans: NDArray[np.float64],
        scenes: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> list[dict[str, Any]]:
        found: dict[tuple[int, int], dict[str, Any]] = {}
        last = int(np.searchsorted(spans, spans[-1] - WINDOW_S[1]))
        for rank in range(self._size.candidates):
            first = int(rng.integers(max(1, last)))
            end = int(np.searchsorted(spans, spans[first] + rng.uniform(*WINDOW_S)))
            real = self._source.candidates[int(rng.integers(len(self._source.candidates)))]
            decided = bool(rng.random() < JUDGED)
            row = real.model_dump(exclude={"id"}) | {
                "project_id": 1,
                "movie_id": movie.id,
                "movie_sha256": movie.sha256,
                "movie_title": movie.title,
                "start_frame": int(frames[first]),
                "end_frame": int(frames[min(end, len(frames) - 1)]),
                "start_s": float(spans[first]),
                "end_s": float(spans[min(end, len(spans) - 1)]),
                "scene": int(scenes[first]),
                "rank": rank + 1,
                "decided": int(decided),
                "verdict": str(rng.choice(["approve", "reject"])) if decided else "",
                "asked": decided,
            }
            found[row["start_frame"], row["end_frame"]] = row
        base = (int(movie.id or 0) - 1) * self._size.candidates
        return [{"id": base + nth + 1, **row} for nth, row in enumerate(found.values())]


def _extractor(space: str) -> str:
    return SPACES[space].extractor.name if space in SPACES else space


def _scenes(movie_id: int, shots: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for shot in shots:
        if not made or made[-1]["number"] != shot["scene"]:
            start = {name: shot[name] for name in ("start_frame", "start_s")}
            made.append({"movie_id": movie_id, "number": shot["scene"], "first_shot": shot["number"], **start})
        made[-1] |= {"end_shot": shot["number"] + 1, "end_frame": shot["end_frame"], "end_s": shot["end_s"]}
    return made


def _decisions(candidates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    named = ("project_id", "movie_sha256", "movie_title", "start_frame", "end_frame", "start_s", "end_s", "model")
    return [
        Decision(
            candidate_id=row["id"],
            curator="Before",
            verdict=row["verdict"],
            key=uuid.uuid4().hex,
            score=row["score"],
            **{name: row[name] for name in named},
        ).model_dump(exclude={"id"})
        for row in candidates
        if row["decided"]
    ]


def people(resources: Resources) -> str:
    """An empty library with project 1 and a curator who runs it; her token."""
    migrate(resources.engine)
    with Session(resources.engine) as session:
        session.add(Project(id=1, name="Bench"))
        person = Person(name="Bench")
        session.add(person)
        session.flush()
        session.add(Membership(project_id=1, person_id=person.id or 0, role="admin"))
        session.commit()
        return create_token(session, person.id or 0, "bench")[1]
