"""What every strategy of the queue must hold, run over the dictionary: a new one is tested by being listed."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import InputError, UnknownName
from labeling.strategies import DEFAULT, STRATEGIES, Pool, strategy_named
from labeling.strategies.inclusion import inclusion
from labeling.strategies.pool import read
from tests.command import ROOT

DRAWS = 1200
CERTAIN_DRAWS = 50  # are enough for what says that it is no matter of chance
MOST_DEVIATIONS = 4.5  # in some thousand comparisons of this file


class Both(dict[str, Any]):
    """A pool of somebody else's with both kinds of access."""

    __getattr__ = dict.__getitem__


FORMS = {
    "keys": dict,
    "attributes": lambda fields: SimpleNamespace(**fields),
    "both": Both,
    "ours": read,
}


def pool_of(count: int, labels: int = 0, seed: int = 0, width: int = 5, films: int = 4) -> dict[str, Any]:
    """A pool as keys; probabilities in tenths, so that some are equal."""
    rng = np.random.default_rng(seed)
    return {
        "embeddings": rng.normal(size=(count, width)).astype(np.float32),
        "probabilities": rng.integers(0, 11, count) / 10,
        "groups": rng.integers(0, films, count),
        "labelled_embeddings": rng.normal(size=(labels, width)).astype(np.float32),
        "labelled_groups": rng.integers(0, films, labels),
        "round": 3,
    }


@st.composite
def odd_pools(draw: st.DrawFn) -> dict[str, Any]:
    """Pools as they come: empty, without labels or values, with duplicates, unknown and absurd numbers."""
    labels, width = draw(st.sampled_from([0, 1, 30, 120])), draw(st.integers(1, 40))
    pool = pool_of(draw(st.integers(0, 25)), labels, draw(st.integers(0, 9)), width)
    count = len(pool["embeddings"])
    odd = draw(st.sampled_from(["plain", "constant", "twice", "unknown", "infinite", "huge", "all unknown", "names"]))
    if odd == "constant":
        pool["embeddings"][:] = 7.0
        pool["probabilities"][:] = 0.3
    elif odd == "twice":
        pool["embeddings"][count // 2 :] = pool["embeddings"][: count - count // 2]
    elif odd in ("unknown", "infinite", "huge"):
        value = {"unknown": np.nan, "infinite": np.inf, "huge": 3e38}[odd]
        pool["embeddings"][::2] = value
        pool["labelled_embeddings"][::3] = value
        pool["probabilities"][::2] = np.nan
    elif odd == "all unknown":
        pool |= {"embeddings": pool["embeddings"] * np.nan, "probabilities": np.full(count, np.nan)}
    elif odd == "names":
        pool["groups"] = np.array([f"film {n}" for n in pool["groups"]], object)
        pool["scenes"] = [f"scene {n}" for n in range(count)]
    return pool


every_strategy = pytest.mark.parametrize("name", STRATEGIES)


@every_strategy
@settings(max_examples=60)
@given(odd_pools(), st.integers(0, 30), st.integers(0, 5), st.sampled_from(list(FORMS)))
def test_a_draw_holds_k_different_items_and_their_chances(name, fields, k, seed, form):
    pool = FORMS[form](fields)
    before = {key: np.array(value, copy=True) for key, value in fields.items()}
    indices, propensities = STRATEGIES[name](pool, k, np.random.default_rng(seed))
    count = len(fields["embeddings"])
    assert len(indices) == len(propensities) == min(k, count)
    assert np.issubdtype(indices.dtype, np.integer)
    assert len(set(indices.tolist())) == len(indices)
    assert ((indices >= 0) & (indices < count)).all()
    assert ((propensities > 0) & (propensities <= 1)).all()
    if k >= count:
        assert (propensities == 1).all()
    for key, value in before.items():
        np.testing.assert_array_equal(value, np.asarray(fields[key]))
    again = STRATEGIES[name](FORMS["keys"](fields), k, np.random.default_rng(seed))
    np.testing.assert_array_equal(again[0], indices)
    np.testing.assert_array_equal(again[1], propensities)


@every_strategy
@pytest.mark.parametrize("k", [1, 7, 17])
@pytest.mark.parametrize("labels", [10, 150])
def test_propensities_are_how_often_an_item_is_drawn(name, k, labels):
    fields = pool_of(18, labels) | {"scenes": np.arange(18) // 3}
    drawn, said, draws = np.zeros(18), np.full(18, np.nan), 0
    while draws < (CERTAIN_DRAWS if draws and np.nanmin(said) == 1 else DRAWS):
        indices, propensities = STRATEGIES[name](fields, k, np.random.default_rng(draws))
        draws += 1
        drawn[indices] += 1
        known = ~np.isnan(said[indices])
        np.testing.assert_allclose(propensities[known], said[indices][known])
        said[indices] = propensities
    chance = np.nan_to_num(said)
    assert chance.sum() == pytest.approx(k)
    spread = np.sqrt(chance * np.maximum(1 - chance, 0) / draws)
    assert (np.abs(drawn / draws - chance) <= MOST_DEVIATIONS * spread + 1e-9).all()


@settings(max_examples=200)
@given(st.integers(1, 60), st.data())
def test_chances_of_a_draw_of_two_parts_add_up_to_its_size(count, data):
    k = data.draw(st.integers(1, count))
    random_count = data.draw(st.integers(0, k))
    chances = inclusion(np.random.default_rng(count).permutation(count), k, random_count)
    assert chances.sum() == pytest.approx(k)
    assert ((chances >= random_count / count - 1e-12) & (chances <= 1 + 1e-9)).all()


def test_top_score_and_uncertainty_take_what_they_are_named_for():
    fields = pool_of(8) | {"probabilities": np.array([0.1, np.nan, 0.9, 0.45, 0.7, 0.2, 1.0, 0.56])}
    rng = np.random.default_rng(0)
    assert STRATEGIES["top-score"](fields, 3, rng)[0].tolist() == [6, 2, 4]
    assert STRATEGIES["uncertainty"](fields, 3, rng)[0].tolist() == [3, 7, 4]
    for name in ("top-score", "uncertainty"):
        assert STRATEGIES[name](fields, 8, rng)[0][-1] == 1


def test_equals_at_the_edge_share_their_chance():
    fields = pool_of(6) | {"probabilities": np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1])}
    indices, propensities = STRATEGIES["top-score"](fields, 3, np.random.default_rng(0))
    assert dict(zip(indices.tolist(), propensities.tolist(), strict=True))[0] == 1
    assert sorted(propensities) == [0.5, 0.5, 1]


def blobs(per_blob: int = 20, count: int = 5, spread: float = 0.05) -> np.ndarray:
    """Points around the corners of a simplex, blob after blob."""
    rng = np.random.default_rng(2)
    return np.repeat(np.eye(count) * 3, per_blob, axis=0) + rng.normal(scale=spread, size=(per_blob * count, count))


def test_typical_takes_one_of_each_kind_and_first_of_those_without_labels():
    points = blobs()
    fields = pool_of(100) | {"embeddings": points}
    taken = STRATEGIES["typical"](fields, 5, np.random.default_rng(0))[0]
    assert sorted(taken // 20) == [0, 1, 2, 3, 4]
    middles = points.reshape(5, 20, 5).mean(axis=1)
    off = np.linalg.norm(points - np.repeat(middles, 20, axis=0), axis=1)
    assert (off[taken] < np.median(off)).all()
    labelled = {"labelled_embeddings": points[:60:20], "labelled_groups": np.zeros(3)}
    assert sorted(STRATEGIES["typical"](fields | labelled, 2, np.random.default_rng(0))[0] // 20) == [3, 4]


def test_diverse_uncertain_does_not_ask_the_same_thing_twice():
    doubts = np.array([0.5, 0.49, 0.48, 0.1, 0.95])
    fields = pool_of(100) | {"embeddings": blobs(), "probabilities": np.repeat(doubts, 20)}
    rng = np.random.default_rng(0)
    assert set(STRATEGIES["uncertainty"](fields, 9, rng)[0] // 20) == {0}
    assert set(STRATEGIES["diverse-uncertain"](fields, 9, rng)[0][:3] // 20) == {0, 1, 2}
    assert set(STRATEGIES["diverse-uncertain"](fields, 9, rng)[0] // 20) == {0, 1, 2}


def test_without_probabilities_the_order_of_the_pool_does_not_decide():
    fields = pool_of(100) | {"probabilities": np.full(100, 0.5), "embeddings": blobs()}
    for name in ("diverse-uncertain", "top-score", "uncertainty", "mix"):
        taken = STRATEGIES[name](fields, 10, np.random.default_rng(0))[0]
        assert len(set((taken // 20).tolist())) >= 4, name


def test_strategies_are_found_by_name_and_others_refused():
    assert strategy_named(DEFAULT) is STRATEGIES["mix"]
    assert list(STRATEGIES) == ["random", "top-score", "uncertainty", "typical", "diverse-uncertain", "mix"]
    with pytest.raises(UnknownName, match=r"'margin'; known: diverse-uncertain, mix, random"):
        strategy_named("margin")


def test_our_pool_is_frozen_and_has_its_fields_as_keys():
    pool = read(pool_of(3, 2))
    assert isinstance(pool, Pool)
    assert pool["round"] == pool.round == 3
    with pytest.raises(AttributeError):
        pool.round = 4  # type: ignore[misc]
    with pytest.raises(KeyError):
        pool["read"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"probabilities": np.zeros(4)},
        {"groups": np.zeros(6)},
        {"scenes": np.zeros(6)},
        {"labelled_embeddings": np.zeros((2, 3))},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_pool_whose_shapes_disagree_is_refused(wrong):
    with pytest.raises(InputError):
        read(pool_of(5, 2) | wrong)


@every_strategy
def test_a_pool_of_thousands_is_drawn_from_as_a_whole(name):
    count = 6000
    fields = pool_of(count, 150, width=40, films=20) | {"probabilities": np.random.default_rng(1).random(count)}
    fields["embeddings"][::7] *= 1e30
    fields["embeddings"][:, 3] = 2.0
    fields["embeddings"][5, 3] = 3e38
    indices, propensities = STRATEGIES[name](fields, 200, np.random.default_rng(0))
    assert len(set(indices.tolist())) == 200
    assert ((propensities > 0) & (propensities <= 1)).all()
    assert indices.max() > count * 0.9
    assert indices.min() < count * 0.1


def test_strategies_import_nothing_heavy():
    code = (
        "import sys, labeling.strategies; sys.exit(bool({'sklearn', 'scipy', 'torch', 'sqlmodel'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_bench_measures_a_strategy_against_chance():
    spec = importlib.util.spec_from_file_location("bench_strategies", ROOT / "scripts" / "benches" / "strategies.py")
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = bench
    spec.loader.exec_module(bench)
    measured = bench.run(["--seeds", "3", "--data", "wine", "--strategy", "mix", "top-score"])["data"]["wine"]
    assert measured["random"]["difference_ci95"] == [0, 0]
    assert 0.9 < measured["mix"]["area"] < 1
    assert measured["top-score"]["positives_found"] > measured["random"]["positives_found"] + 0.2
