"""From rows to a snapshot: what stands, what weighs how much, which vector a window has, which films are held out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import select

from backend.features.registry import profile_named
from backend.library.models import Candidate, Movie
from backend.scoring.pooling import window_vectors
from labeling.decisions.models import Decision
from labeling.engagement.models import Engagement
from tests.curating import Studio, add_film, decide, studio
from tests.service import running
from tests.training import analysed
from trainer.material.holdout import SHARE, holdout, place_of
from trainer.material.labels import NO_FEATURES, NO_FILM, OUTSIDE, freeze
from trainer.material.standing import Label, joined, labels_of_decisions
from trainer.material.viral import viral_labels, viral_targets
from trainer.snapshot import Snapshot, read_snapshot

START = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """A decision."""

    id: int
    curator: str
    verdict: str
    candidate_id: int = 1
    undoes_id: int | None = None
    trim_start_frame: int | None = None
    trim_of_id: int | None = None
    movie_sha256: str = "a"
    start_frame: int = 0
    end_frame: int = 50
    strategy: str = "random"
    propensity: float | None = 0.25
    decided_at: datetime = START


def labels(*rows: Said, manual: frozenset[int] = frozenset()) -> list[tuple[int, float, str, str]]:
    return [(one.label, one.weight, one.source, one.part) for one in labels_of_decisions(rows, manual)]


def test_what_stands_of_each_curator_labels_a_window() -> None:
    changed = Said(1, "Ada", "approve"), Said(2, "Ada", "reject")
    assert labels(*changed) == [(0, 1.0, "decision", "")]
    assert labels(*changed, Said(3, "Ada", "undo", undoes_id=2)) == [(1, 1.0, "decision", "")]
    assert labels(Said(1, "Ada", "skip"), Said(2, "Ben", "flag")) == []
    assert labels(Said(1, "Ada", "approve"), manual=frozenset({1})) == [(1, 1.0, "manual", "")]


def test_several_curators_share_the_weight_of_a_window() -> None:
    agreed = Said(1, "Ada", "approve"), Said(2, "Ben", "approve"), Said(3, "Cy", "skip")
    assert labels(*agreed) == [(1, 1.0, "decision", "")]
    split = labels(*agreed, Said(4, "Di", "reject"))
    assert split == [
        (1, pytest.approx(2 / 3), "decision", "approve"),
        (0, pytest.approx(1 / 3), "decision", "reject"),
    ]


def test_another_cut_shares_the_weight_of_its_approval() -> None:
    asked = Said(1, "Ada", "approve", trim_start_frame=10)
    cut = Said(2, "Ada", "approve", candidate_id=2, trim_of_id=1, start_frame=10, strategy="trim", propensity=None)
    assert labels(asked, cut) == [(1, 0.5, "decision", ""), (1, 0.5, "trim", "")]


def test_why_it_was_asked_stays_with_the_label() -> None:
    own = Said(1, "Ada", "approve", strategy="chosen", propensity=None)
    drawn = Said(2, "Ben", "approve", decided_at=START + timedelta(days=1))
    (found,) = labels_of_decisions([own, drawn])
    assert (found.strategy, found.propensity) == ("random", 0.25)
    assert found.decided_at == drawn.decided_at.timestamp()


def test_decisions_count_before_what_weighs_less() -> None:
    window, other = ("a", 0, 50), ("a", 50, 90)
    decided = Label(window, 0, 1.0, "decision")
    weak = [Label(window, 1, 0.5, "reference"), Label(other, 1, 0.5, "reference")]
    found = joined(([decided], weak), viral_labels({window: 0.5, ("b", 0, 9): 0.7}))
    assert [(one.window, one.label, one.source, one.viral) for one in found] == [
        (window, 0, "decision", 0.5),
        (other, 1, "reference", None),
        (("b", 0, 9), -1, "engagement", 0.7),
    ]


@dataclass(frozen=True)
class Counted:
    """A measurement."""

    clip: str
    likes: int | None = None
    completion: float | None = None
    shares: int | None = None
    views: int | None = 1000
    platform: str = "youtube"
    movie_sha256: str = "a"
    end_frame: int = 50
    measured_at: datetime = START
    start_frame: int = field(default=0)


def test_clips_are_ranked_among_those_of_their_platform() -> None:
    """A large channel gains nothing: ten times the views with ten times the likes is the same."""
    rows = [Counted(f"{n}", likes=10 * n, start_frame=n) for n in range(5)]
    expected = {("a", n, 50): n / 4 for n in range(5)}
    assert viral_targets(rows) == expected
    large = [Counted(row.clip, likes=100 * n, views=10_000, start_frame=n) for n, row in enumerate(rows)]
    assert viral_targets(large) == expected
    elsewhere = [Counted(row.clip, likes=1, platform="tiktok", start_frame=n) for n, row in enumerate(rows[:4])]
    assert viral_targets([*rows, *elsewhere]) == expected, "four clips are too few to be ranked"


def test_of_a_clip_the_newest_figures_count_and_few_views_say_nothing() -> None:
    rows = [Counted(f"{n}", completion=n / 10, start_frame=n) for n in range(5)]
    later = Counted("0", completion=0.9, measured_at=START + timedelta(days=1))
    found = viral_targets([later, *rows, Counted("few", completion=1.0, views=99, start_frame=9)])
    assert found["a", 0, 50] == 1.0
    assert ("a", 9, 50) not in found


def test_a_window_pools_its_shots_by_the_time_that_it_shows_of_them() -> None:
    shots = np.array([[0, 10], [10, 30], [30, 40]])
    seconds = shots / 10.0
    vectors = np.array([[0.0, 1.0], [3.0, 1.0], [np.nan, 1.0]])
    windows = np.array([[0, 30], [5, 15], [12, 20], [30, 40], [35, 45], [20, 20]])
    found, found_s, inside = window_vectors(vectors, shots, seconds, windows)
    assert found[:4, 0].tolist() == pytest.approx([2.0, 1.5, 3.0, 0.0])
    assert found[:4, 1].tolist() == pytest.approx([1.0] * 4)
    assert found_s[1].tolist() == [0.5, 1.5]
    assert inside.tolist() == [True, True, True, True, False, False]


def test_pooling_is_that_of_scoring() -> None:
    """The model's own pooling, on the same shots and windows, gives the same vectors."""
    from backend.scoring.windows import Segments, pool, windows

    rng = np.random.default_rng(0)
    ends = np.cumsum(rng.integers(5, 60, 40))
    shots = np.stack([np.append(0, ends[:-1]), ends], 1).astype(np.int64)
    vectors = rng.standard_normal((40, 7))
    spans = shots / 24.0
    parts = Segments(*shots.T, *spans.T, np.arange(40), np.ones(40, bool))
    found = windows(parts, 5.0, 20.0)
    mine, _, inside = window_vectors(vectors, shots, spans, np.stack([found.start_frame, found.end_frame], 1))
    assert inside.all()
    assert np.allclose(mine, pool(vectors, parts.durations_s, found), atol=1e-6)


def films(count: int) -> list[str]:
    return [hashlib.sha256(str(n).encode()).hexdigest() for n in range(count)]


def test_the_same_films_are_held_out_for_ever() -> None:
    many = films(1000)
    chosen = holdout(many)
    assert abs(len(chosen) / len(many) - SHARE) < 0.05
    for count in range(100):
        few = holdout(many[:count])
        assert (len(few) >= 1) == (count >= 5)
        assert len(few) < max(count, 1)
        if len(few) > 1:
            assert few == chosen & set(many[:count])
    assert holdout(sorted(many, reverse=True)) == chosen
    low = [film for film in many if place_of(film) < SHARE]
    assert len(holdout(low[:6])) == 5, "never all"


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as service:
        yield studio(service, films=2, clips=6)


def frozen(house: Studio) -> tuple[Snapshot, dict[str, int]]:
    made = freeze(house.service.resources, house.project)
    assert made.folder.name == made.id
    return read_snapshot(made.folder), dict(made.left_out)


def test_a_snapshot_of_what_curators_said(house: Studio) -> None:
    for seed, movie in enumerate(house.movies):
        analysed(house.service, movie, seed)
        genres = house.owner().patch(f"/api/movies/{movie}", json={"genres": ["Science Fiction", "drama"]})
        assert genres.status_code == 200
    ada, ben = house.curator("Ada"), house.curator("Ben")
    first, second, third, *_ = house.candidates(movie_id=house.movies[0])
    decide(ada, first.id or 0, "approve")
    decide(ben, first.id or 0, "reject")
    decide(ada, second.id or 0, "approve", start_frame=2100, end_frame=3000)
    decide(ada, third.id or 0, "skip")
    (one, *_) = house.candidates(movie_id=house.movies[1])
    decide(ben, one.id or 0, "reject")
    found, left_out = frozen(house)
    assert left_out == {}
    assert sorted(zip(found.labels.tolist(), found.weights.tolist(), found.sources.tolist(), strict=True)) == [
        (0, 0.5, "decision"),
        (0, 1.0, "decision"),
        (1, 0.5, "decision"),
        (1, 0.5, "decision"),
        (1, 0.5, "trim"),
    ]
    assert found.genres[0] == ("drama", "sci-fi")
    assert found.schema == profile_named("embedded").schema
    assert found.holdout is None, "two films are too few"
    assert np.isfinite(found.features).all()
    assert found.start_s[0] == first.start_s
    again, _ = frozen(house)
    assert again.id == found.id
    decide(ada, house.candidates(movie_id=house.movies[1])[1].id or 0, "approve")
    assert frozen(house)[0].id != found.id


def test_what_has_no_features_is_left_out_and_counted(house: Studio) -> None:
    analysed(house.service, house.movies[0], 0)
    ada = house.curator("Ada")
    for movie in house.movies:
        decide(ada, house.candidates(movie_id=movie)[0].id or 0, "approve")
    with house.service.session() as session:
        window: dict[str, Any] = {"start_frame": 0, "end_frame": 99, "start_s": 0.0, "end_s": 4.0}
        gone = Candidate(project_id=house.project, movie_sha256="f" * 64, movie_title="Gone", **window)
        session.add(gone)
        session.flush()
        kept = {"project_id": house.project, "candidate_id": gone.id, "curator": "Ada", "verdict": "approve"}
        session.add(Decision(**kept, movie_sha256="f" * 64, movie_title="Gone", key="gone", **window))
        session.commit()
    last = house.candidates(movie_id=house.movies[0])[-1]
    decide(ada, last.id or 0, "approve", start_frame=19_000, end_frame=21_000)
    found, left_out = frozen(house)
    assert left_out == {NO_FILM: 1, NO_FEATURES: 1, OUTSIDE: 1}
    assert len(found) == 2


def test_clips_cut_by_hand_and_published_ones(house: Studio) -> None:
    analysed(house.service, house.movies[0], 0)
    with house.service.session() as session:
        movie = session.get_one(Movie, house.movies[0])
        facts = {"project_id": house.project, "movie_id": movie.id, "movie_sha256": movie.sha256, "movie_title": "F"}
        window = {"start_frame": 10, "end_frame": 400, "start_s": 0.4, "end_s": 16.0}
        session.add(Candidate(**facts, **window, source="manual"))
        for number in range(5):
            kept = {"movie_sha256": movie.sha256, "start_frame": 10 + number, "end_frame": 400, "views": 500}
            of = {"project_id": house.project, "platform": "youtube", "clip": str(number)}
            session.add(Engagement(**of, **kept, likes=number, measured_at=START))
        session.commit()
    found, _ = frozen(house)
    assert found.labels.tolist() == [1, -1, -1, -1, -1]
    assert found.sources[0] == "manual"
    assert found.viral.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_film_held_out_is_marked(house: Studio) -> None:
    with house.service.session() as session:
        more = [add_film(session, house.project, f"More {number}", 1) for number in range(4)]
        session.commit()
    ada = house.curator("Ada")
    for seed, movie in enumerate([*house.movies, *more]):
        analysed(house.service, movie, seed)
        decide(ada, house.candidates(movie_id=movie)[0].id or 0, "approve")
    found, _ = frozen(house)
    with house.service.session() as session:
        checksums = session.exec(select(Movie.sha256).where(Movie.project_id == house.project)).all()
    assert found.holdout is not None
    assert set(found.movies[found.holdout]) == holdout([sha for sha in checksums if sha])
