"""The default mix: when it changes, what its slices are, and what caps hold."""

from collections import Counter

import numpy as np
import pytest

from labeling.strategies import STRATEGIES, mix
from labeling.strategies.pool import Pool, read

COUNT = 400


def pool_of(labels: int, films: int = 10, scenes_per_film: int = 4) -> Pool:
    """Films of equal length, of which the first holds all high scores, most of them in one scene."""
    rng = np.random.default_rng(4)
    film = np.arange(COUNT) * films // COUNT
    scene = np.arange(COUNT) * films * scenes_per_film // COUNT
    probabilities = np.where(film == 0, 0.9, 0.2) + rng.random(COUNT) / 20 + (scene == 1) * 0.04
    width = 6
    return read(
        {
            "embeddings": rng.normal(size=(COUNT, width)) + film[:, None],
            "probabilities": probabilities,
            "groups": film,
            "scenes": scene,
            "labelled_embeddings": rng.normal(size=(labels, width)),
            "labelled_groups": np.zeros(labels),
        }
    )


def drawn(pool: Pool, k: int, seeds: int) -> list[mix.Mixed]:
    return [mix.draw(pool, k, np.random.default_rng(seed)) for seed in range(seeds)]


def test_typical_and_random_until_there_are_a_hundred_labels_then_what_the_model_says():
    cold, warm = ({s for one in drawn(pool_of(n), 20, 5) for s in one.slices} for n in (99, 100))
    assert cold == {"typical", "random"}
    assert warm == {"top-score", "diverse-uncertain", "random"}


@pytest.mark.parametrize(("labels", "share"), [(10, mix.COLD_RANDOM_SHARE), (200, mix.RANDOM_SHARE)])
@pytest.mark.parametrize("k", [1, 7, 20])
def test_the_random_share_is_permanent_also_for_single_items(labels, share, k):
    counts = [one.slices.count("random") for one in drawn(pool_of(labels), k, 600)]
    assert np.mean(counts) == pytest.approx(share * k, abs=4.5 * 0.5 / np.sqrt(600) + 1e-9)
    assert max(counts) - min(counts) <= 1


def test_the_random_slice_is_a_fair_sample_of_the_whole_pool():
    by_film = Counter(
        film
        for one in drawn(pool_of(200), 40, 500)
        for film, came_by in zip(one.indices // 40, one.slices, strict=True)
        if came_by == "random"
    )
    expected = 500 * 6 / 10
    assert all(abs(by_film[film] - expected) < 4.5 * np.sqrt(expected) for film in range(10))


@pytest.mark.parametrize("labels", [10, 200])
@pytest.mark.parametrize("k", [8, 24, 60])
def test_no_film_and_no_scene_fills_the_queue(labels, k):
    pool = pool_of(labels)
    assert pool.scenes is not None
    most = 0
    for one in drawn(pool, k, 20):
        ordered = np.array([s != "random" for s in one.slices])
        films, scenes = (np.bincount(g[one.indices[ordered]]) for g in (pool.groups, pool.scenes))
        assert films.max() <= k // 3
        assert scenes.max() <= max(1, k // 8)
        most = max(most, films[0])
    assert labels < 100 or most == k // 3, "all high scores are in the first film: its cap binds"


def test_caps_give_way_where_nothing_else_is_left():
    fields = {name: pool_of(200)[name] for name in ("embeddings", "probabilities", "labelled_embeddings")}
    one = mix.draw(fields, 30, np.random.default_rng(0))
    assert len(set(one.indices.tolist())) == 30
    assert one.slices.count("top-score") > 5


def test_weighting_by_propensity_gives_the_mean_of_the_pool():
    pool = pool_of(200)
    draws = drawn(pool, 24, 800)
    estimates = [(pool.probabilities[one.indices] / one.propensities).sum() / COUNT for one in draws]
    truth, plain = pool.probabilities.mean(), np.mean([pool.probabilities[one.indices].mean() for one in draws])
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - truth) < 4.5 * error
    assert abs(plain - truth) > 20 * error


def test_a_draw_is_shuffled_so_that_its_first_item_is_of_any_slice():
    first = Counter(one.slices[0] for one in drawn(pool_of(200), 20, 300))
    assert set(first) == {"top-score", "diverse-uncertain", "random"}


def test_another_seed_gives_another_draw_and_the_same_seed_the_same():
    pool = pool_of(200)
    one, same, other = (STRATEGIES["mix"](pool, 20, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert set(one.tolist()) != set(other.tolist())
