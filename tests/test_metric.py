"""A metric head: learnt from corrections, proved on films not seen, refused where it has learnt nothing."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.clusters.head import CHUNK, SLOTS, load_head, make_head, schema_of
from backend.clusters.models import KINDS
from backend.clusters.reduce import MOST_DIMS
from backend.errors import InputError, Stopped
from backend.scoring.stored import CARD, GOLDEN, WEIGHTS
from tests.corrections import planted
from trainer.command import run
from trainer.evaluate import Figure
from trainer.heads.data import FILE, NOTHING, read_corrections, write_corrections
from trainer.heads.gate import METRIC_LIMITS, MetricEvidence, judge_head
from trainer.heads.proof import CHALLENGER, CORRECTED, FROZEN, prove
from trainer.metric import fit_head, make_task, right, standing_triplets

GOOD = Figure(0.2, 0.1, 0.3, 200, 8)
PASSING = MetricEvidence(200, 40, 8, 300, True, 0.1, GOOD, GOOD, Figure(0.0, -0.01, 0.01, 300, 8), None, False)


def fit(folder: Path, out: Path, *more: str) -> int:
    return run(["fit", str(folder), str(out), "--slot", "metric/scene", *more])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head that was learnt from what is planted."""
    home = tmp_path_factory.mktemp("metric")
    assert fit(write_corrections(home / "snapshots", planted()), home / "head") == 0
    return home / "head"


def test_what_is_planted_is_found_and_passes(fitted: Path) -> None:
    card = json.loads((fitted / CARD).read_text())
    assert card["gate"]["passed"], card["gate"]["reasons"]
    own = card["figures"]["challenger"]["corrected"]
    assert all(card["differences"][rival]["corrected"]["low"] > 0 for rival in ("frozen", "lot"))
    assert (own["n"], own["films"], card["labels"]["total"]) == (119, 6, 120), "one has no negative to judge by"
    assert card["split"]["holdout_films"] == ["film 5"]
    head = load_head(fitted)
    assert head.axes.shape[1] <= MOST_DIMS
    assert (head.space, head.card["slot"], head.version) == ("efficientnet", "metric/scene", card["version"])


def test_the_same_corrections_give_the_same_bytes(fitted: Path, tmp_path: Path) -> None:
    folder = write_corrections(tmp_path, planted())
    assert fit(folder, tmp_path / "again") == 0
    for name in (WEIGHTS, GOLDEN, "metrics.json"):
        assert (tmp_path / "again" / name).read_bytes() == (fitted / name).read_bytes()


@pytest.mark.parametrize("films", [5, 6])
def test_noise_is_refused(tmp_path: Path, films: int) -> None:
    assert fit(write_corrections(tmp_path, planted(films, noise=True)), tmp_path / "head") == 0
    gate = json.loads((tmp_path / "head" / CARD).read_text())["gate"]
    assert not gate["passed"]
    assert any("drawn by lot" in reason for reason in gate["reasons"])


def test_a_champion_must_be_beaten(fitted: Path, tmp_path: Path) -> None:
    folder = write_corrections(tmp_path, planted())
    assert fit(folder, tmp_path / "head", "--champion", str(fitted)) == 0
    card = json.loads((tmp_path / "head" / CARD).read_text())
    assert not card["gate"]["passed"]
    assert any("the champion" in reason for reason in card["gate"]["reasons"])
    assert "champion" in card["figures"]


def test_what_cannot_be_learnt_from_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = planted()
    cases = {
        "no corrections": replace(found, triplets=found.triplets[:0], correction=found.correction[:0]),
        "of one film": replace(found, triplets=found.triplets[:20], correction=found.correction[:20]),
    }
    for words, wrong in cases.items():
        assert fit(write_corrections(tmp_path, wrong), tmp_path / "head") == 2
        assert words in capsys.readouterr().err
    good = write_corrections(tmp_path, found)
    assert run(["fit", str(good), str(tmp_path / "head"), "--slot", "metric/character"]) == 2
    assert "not for 'metric/character'" in capsys.readouterr().err
    assert not (tmp_path / "head").exists()
    (good / FILE).write_bytes((good / FILE).read_bytes() + b"\1")
    with pytest.raises(InputError, match="not the file that its manifest names"):
        read_corrections(good)


def test_films_never_cross_sides() -> None:
    found = planted()
    crossing = found.triplets.copy()
    crossing[:, 1] = (crossing[:, 1] + 40) % len(found.vectors)  # positives of the next film
    task = make_task(replace(found, triplets=crossing), 0, threading.Event())
    films = np.array([0, 2, 4])
    alone = fit_head(replace(task, standing=task.standing[:0]), films, films[:0], 3, lambda *_: None)
    assert alone.epochs == 0, "each triplet has an item in a film that may not be seen"
    task = make_task(found, 0, threading.Event())
    proof = prove(task, None, lambda *_: None)
    assert proof.folds.tolist()[5] == -1
    assert sorted(proof.folds.tolist()[:5]) == list(range(5))
    heads = [axes for axes, _ in proof.heads]
    where = proof.folds[found.film[proof.judged[CORRECTED][0][:, 0]]]
    for k, axes in enumerate(heads):
        own = proof.judged[CORRECTED][0][where == k]
        assert (proof.found[CORRECTED][CHALLENGER][where == k] == right(axes, task.vectors, own)).all()
    assert proof.figure(CORRECTED, CHALLENGER, FROZEN) is not None


def test_it_can_be_stopped() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        prove(make_task(planted(), 0, stop), None, lambda *_: None)


def test_what_stands_is_what_people_looked_at() -> None:
    found = planted()
    moved = set(found.triplets[:, 0].tolist())
    for anchor, mate, other in standing_triplets(found, 0).tolist():
        assert anchor not in moved
        assert found.cluster[anchor] == found.cluster[mate] != found.cluster[other]
        assert found.film[anchor] == found.film[mate] == found.film[other]
    assert not len(standing_triplets(replace(found, reviewed=np.zeros_like(found.reviewed)), 0))
    assert not len(standing_triplets(replace(found, cluster=np.full_like(found.cluster, NOTHING)), 0))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pairs": METRIC_LIMITS.pairs - 1}, "99 pairs"),
        ({"corrections": 19}, "19 corrections"),
        ({"films": 2}, "2 films"),
        ({"standing_count": 49}, "49 comparisons"),
        ({"finite": False}, "not numbers"),
        ({"spread": 0.0}, "vary by 0"),
        ({"frozen": Figure(0.02, -0.01, 0.05, 200, 8)}, "not surely better than the plain embedding"),
        ({"frozen": None}, "Nothing was corrected"),
        ({"chance": Figure(0.02, -0.01, 0.05, 200, 8)}, "drawn by lot"),
        ({"standing": Figure(-0.011, -0.02, 0.01, 300, 8)}, "worse than the plain embedding"),
        ({"standing": Figure(-0.005, -0.008, -0.001, 300, 8)}, "worse than the plain embedding"),
        ({"standing": None}, "No cluster that people have reviewed"),
        ({"has_champion": True, "champion": Figure(0.0, -0.1, 0.1, 200, 8)}, "the champion"),
    ],
)
def test_each_refusal_has_its_reason(change: dict[str, object], reason: str) -> None:
    assert judge_head(PASSING).passed
    verdict = judge_head(replace(PASSING, **change))  # type: ignore[arg-type]
    assert not verdict.passed
    assert reason in " ".join(verdict.reasons)


def test_a_head_takes_rows_of_any_length() -> None:
    assert tuple(f"metric/{kind}" for kind in KINDS) == SLOTS
    rng = np.random.default_rng(0)
    schema = schema_of("scene", "efficientnet", 1, 24)
    card = {"version": "a", "slot": "metric/scene", "schema": schema.to_json(), "nothing": 1.0}
    head = make_head(rng.standard_normal((24, 8)).astype(np.float32), card)
    rows = rng.standard_normal((CHUNK + 5, 24)).astype(np.float32)
    rows[3], rows[4, 0] = 0, np.nan
    found = head.apply(rows)
    assert found.shape == (CHUNK + 5, 8)
    assert not found[[3, 4]].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(found, [3, 4], axis=0), axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(head.apply(7 * rows[-9:]), found[-9:], atol=1e-6)
    assert head.apply(rows[:0]).shape == (0, 8)
    for wrong in ({"slot": "viral"}, {"nothing": 0}, {"nothing": True}, {"version": ""}):
        with pytest.raises(InputError):
            make_head(head.axes, card | wrong)
    with pytest.raises(InputError, match="shape"):
        make_head(head.axes[:5], card)
