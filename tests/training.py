"""A project with labels to train on: rows and feature files alone.

The vectors are made up, with a direction planted in them: they show that the mechanism works, nothing about quality.
"""

from typing import Any

import numpy as np
from sqlmodel import col, select

from backend.features.base import Extracted
from backend.features.registry import EXTRACTORS, profile_named
from backend.features.store import FeatureStore
from backend.library.models import Candidate, Movie, Shot
from labeling.decisions.models import Decision
from tests.curating import RATE, Studio
from tests.service import Service

SHOT_FRAMES = 1000
SHOTS_A_CLIP = 2
"""`tests.curating` begins a clip every 2000 frames."""
PLANTED, STRENGTH, WRONG = 20, 0.7, 0.1


def analysed(
    service: Service, movie_id: int, seed: int = 0, shots: int = 20, good: frozenset[int] = frozenset()
) -> None:
    """Give a film shots and vectors of the embedded profile; clips of the ranks `good` have something in common."""
    rng, schema = np.random.default_rng(seed), profile_named("embedded").schema
    store = FeatureStore(service.resources.home / "features")
    lifted = np.isin(np.arange(shots) // SHOTS_A_CLIP, sorted(good))
    with service.session() as session:
        movie = session.get_one(Movie, movie_id)
        for number in range(shots):
            start, end = SHOT_FRAMES * number, SHOT_FRAMES * (number + 1)
            span = {"start_frame": start, "end_frame": end, "start_s": start / RATE, "end_s": end / RATE}
            session.add(Shot(movie_id=movie_id, number=number, scene=0, **span))
        for block in schema.blocks:
            vectors = rng.standard_normal((shots, block.dimension), np.float32)
            if block.name == "visual":
                vectors[lifted, :PLANTED] += STRENGTH
            store.put(movie.sha256 or "", EXTRACTORS[block.extractor], Extracted(vectors), inputs="made-up")
        movie.vectors = {block.extractor: "made-up" for block in schema.blocks}
        session.add(movie)
        session.commit()


def planted(house: Studio, seed: int = 0, *, judge: bool = True) -> int:
    """Judge every clip of every film: approved where something was planted, but for some by mistake. How many.

    Or let them all be analysed, and judge none.
    """
    rng = np.random.default_rng(seed)
    count = 0
    for number, movie in enumerate(house.movies):
        clips = house.candidates(movie_id=movie)
        good = frozenset(np.flatnonzero(rng.random(len(clips)) < 0.5).tolist())
        analysed(house.service, movie, seed=1000 * seed + number, shots=SHOTS_A_CLIP * len(clips), good=good)
        verdicts = ["approve" if (at in good) != (rng.random() < WRONG) else "reject" for at in range(len(clips))]
        count += judged(house, clips, verdicts) if judge else 0
    return count


def judged(house: Studio, clips: list[Candidate], verdicts: list[str]) -> int:
    """Rows of decisions about candidates, as the random slice of a draw asks for them."""
    with house.service.session() as session:
        for clip, verdict in zip(clips, verdicts, strict=True):
            facts: dict[str, Any] = clip.model_dump(include={"movie_sha256", "movie_title", "start_frame", "end_frame"})
            facts |= {"start_s": clip.start_s, "end_s": clip.end_s, "curator": "Ada", "verdict": verdict}
            facts |= {"strategy": "random", "propensity": 0.5, "round": 1, "key": f"judged-{clip.id}"}
            session.add(Decision(project_id=house.project, candidate_id=clip.id or 0, **facts))
            row = session.exec(select(Candidate).where(col(Candidate.id) == clip.id)).one()
            row.verdict, row.decided = verdict, 1
            session.add(row)
        session.commit()
    return len(clips)
