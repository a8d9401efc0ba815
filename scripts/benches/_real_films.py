"""What a few real films give to be copied: shots, lines, candidates and vectors, as `selects ingest` leaves them."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.features.labels import classes
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.library.models import Candidate, DialogueLine, Movie, Shot
from backend.resources import Resources
from backend.search.spaces import SPACES
from backend.settings import Settings
from scripts.benches._processes import ROOT, free_port

Floats = NDArray[np.float32]
OWN_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Material:
    """What real films gave: a row a shot. `vectors`: extractor → float32 [N, D], as it is stored.

    texts  what can be said in a film: the lines of the real ones, which are few, and WordNet's definitions of
           ImageNet's classes, which are many; `said`: their vectors, float32 [texts, 384]
    """

    shots: Sequence[Shot]
    scene_starts: NDArray[np.bool_]
    vectors: Mapping[str, Floats]
    texts: Sequence[str]
    said: Floats
    candidates: Sequence[Candidate]
    path: str

    @property
    def seconds(self) -> NDArray[np.float64]:
        """How long each shot is."""
        return np.array([shot.end_s - shot.start_s for shot in self.shots])


def material(films: Sequence[Path], home: Path) -> Material:
    """What is known of real films, analysed now if `home` does not have them yet."""
    settings = Settings(home=home)
    resources = Resources(settings)
    try:
        if not (home / "analysed").is_file():
            ingest = [sys.executable, "-m", "backend", "ingest", *map(str, films)]
            subprocess.run(ingest, env=_environment(home), check=True, stdout=subprocess.DEVNULL)
            (home / "analysed").touch()
        return _read(resources)
    finally:
        resources.close()


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SELECTS_")}
    return {**kept, "SELECTS_HOME": str(home), "SELECTS_VECTORS__PORT": str(free_port())}


def _read(resources: Resources) -> Material:
    store = FeatureStore(resources.home / "features")
    shots, starts, vectors = list[Shot](), list[bool](), dict[str, list[Floats]]()
    with Session(resources.reading, expire_on_commit=False) as session:
        movies = session.exec(select(Movie).where(col(Movie.state) == "ready").order_by(col(Movie.id))).all()
        for movie in movies:
            own = session.exec(select(Shot).where(col(Shot.movie_id) == movie.id).order_by(col(Shot.number))).all()
            starts += [number == 0 or shot.scene != own[number - 1].scene for number, shot in enumerate(own)]
            for name, inputs in movie.vectors.items():
                if name == SPACES["dialogue"].extractor.name:
                    continue
                stored = store.get(movie.sha256 or "", EXTRACTORS[name], inputs=inputs)
                if stored is not None:
                    vectors.setdefault(name, []).append(stored.vectors)
            shots += own
        texts = list(session.exec(select(DialogueLine.text)).all())
        candidates = session.exec(select(Candidate).where(col(Candidate.rank).is_not(None))).all()
    whole = {name: np.concatenate(parts) for name, parts in vectors.items() if sum(map(len, parts)) == len(shots)}
    texts += [definition for _, definition in classes()]
    kept = resources.home / "said.npy"
    if not kept.is_file():
        np.save(kept, resources.encoders.words.vectors(texts))
    return Material(shots, np.array(starts), whole, texts, np.load(kept), list(candidates), movies[0].path)


def mixed(rows: Floats, wanted: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """For each wanted row its mix with two others, float32 [len(wanted), D]: at least half is its own."""
    weights = rng.dirichlet(np.ones(3), len(wanted)).astype(np.float32) * (1 - OWN_SHARE)
    weights[:, 0] += OWN_SHARE
    others = rng.integers(0, len(rows), (2, len(wanted)))
    found = weights[:, :1] * rows[wanted]
    for k, other in enumerate(others, start=1):
        found += weights[:, k : k + 1] * rows[other]
    return np.asarray(found, np.float32)


def real_films() -> list[Path]:
    """The films of SELECTS_TEST_DATA, by name."""
    folder = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared")) / "films"
    return sorted(film for film in folder.iterdir() if film.suffix in (".mp4", ".webm"))
