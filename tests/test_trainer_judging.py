"""Which windows decide, and whom they flatter."""

from dataclasses import replace
from typing import Any

import numpy as np

from backend.scoring.mlp import Model, make_model
from tests.snapshots import SCHEMA, made
from trainer.evidence.judging import Answers, judged_set, rows_by_set
from trainer.gate import LIMITS
from trainer.learners.linear import Line
from trainer.learners.network import Standard
from trainer.learners.split import make_split
from trainer.snapshot import Snapshot


def champion(**card: Any) -> Model:
    """A model that says the same of every window."""
    wide = SCHEMA.dimension
    line = Line(np.zeros(wide, np.float32), 0.0, Standard(np.zeros(wide, np.float32), np.ones(wide, np.float32)), 1.0)
    return make_model(line.tensors(), {"version": "old", "schema": SCHEMA.to_json(), **card}, "memory")


def answers(snapshot: Snapshot, model: Model | None = None) -> Answers:
    labelled = snapshot.labels >= 0
    rng = np.random.default_rng(1)
    targets = np.where(labelled, snapshot.labels, 0).astype(float)
    chances = {name: np.where(labelled, rng.random(len(snapshot)), np.nan) for name in ("challenger", "champion")}
    split = make_split(snapshot, labelled, 0, 5)
    return Answers(snapshot, split, targets, 0.5, 0.4, chances, 0, model)


def test_labels_that_nobody_gave_are_no_judges_where_there_are_others() -> None:
    sources = np.where(np.arange(400) % 2 == 0, "decision", "reference-far")
    asked = answers(made(400, 8, sources=sources))
    rows = rows_by_set(asked, asked.snapshot.labels >= 0, LIMITS)["films"]
    assert set(asked.snapshot.sources[rows]) == {"decision"}


def against(snapshot: Snapshot, **card: Any) -> tuple[int, bool, str]:
    """How many windows the champion is compared on, whether they flatter it, and what is said of them."""
    asked = answers(snapshot, champion(**card))
    rows = rows_by_set(asked, snapshot.labels >= 0, LIMITS)["films"]
    found = judged_set("films", asked, asked.comparison(rows), rows, frozen=False)
    return found.against["champion"].n, found.flattered, found.about


def test_a_champion_is_compared_where_it_has_not_learnt() -> None:
    snapshot = made(400, 8, unlabelled=0, decided_at=np.random.default_rng(2).permutation(400))
    films = sorted(set(snapshot.movies))
    assert against(snapshot) == (400, False, "films that it had not seen")
    few = {"train_films": films[:4]}
    fresh = int(np.isin(snapshot.movies, films[4:]).sum())
    assert against(snapshot, split=few, labels={"until_s": 300.0})[:2] == (fresh, False)
    every = {"train_films": films}
    later = against(snapshot, split=every, labels={"until_s": 299.0})
    assert later[:2] == (100, False)
    assert "judged after the champion had learnt" in later[2]
    for labels in ({"until_s": 380.0}, {"until_s": None}, {}):
        assert against(snapshot, split=every, labels=labels)[:2] == (400, True)


def test_a_film_is_known_by_its_other_name_too() -> None:
    """The champion learnt from `film 0`; its copy is the same film."""
    snapshot = made(400, 8, unlabelled=0)
    movies = snapshot.movies.copy()
    movies[np.flatnonzero(movies == "film 0")[::2]] = "copy"
    features = snapshot.features.copy()
    features[movies == "copy"] = features[movies == "film 0"][: np.sum(movies == "copy")]
    twice = replace(snapshot, movies=movies, features=features)
    fresh = int(np.sum(~np.isin(movies, ["film 0", "copy"])))
    assert against(twice, split={"train_films": ["film 0"]})[0] == fresh
