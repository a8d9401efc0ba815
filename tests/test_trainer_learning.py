"""The parts that learn: optimizers against closed forms and scikit-learn, the network, boosting, standardisation."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from backend.features.schema import Block, FeatureSchema
from backend.scoring.mlp import make_model
from backend.scoring.network import build
from tests.snapshots import SCHEMA, made
from trainer.learners.baselines import telling
from trainer.learners.linear import fit_line
from trainer.learners.network import Material, filled, standard
from trainer.learners.optimize import Adam
from trainer.train import SETTINGS, Course, fit_network, network_margins


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a training."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def material(rows: int = 300) -> Material:
    snapshot = made(rows, 6, unlabelled=0)
    targets = torch.from_numpy(snapshot.labels.astype(np.float32))
    weights = torch.from_numpy(np.random.default_rng(1).uniform(0.5, 2, rows).astype(np.float32))
    return Material(torch.from_numpy(snapshot.features), targets, weights, SCHEMA)


def course(epochs: int = 5, seed: int = 0) -> Course:
    return Course(epochs, 32, seed, threading.Event())


def test_adam_is_that_of_torch() -> None:
    networks = []
    for _ in range(2):
        torch.manual_seed(0)
        networks.append(build(8, (6, 4), 0.0))
    mine, theirs = Adam(networks[0], 0.01, 0.1), torch.optim.AdamW(networks[1].parameters(), 0.01, weight_decay=0.1)
    rows = torch.randn(20, 8)
    for _ in range(5):
        mine.step((networks[0](rows) ** 2).mean())
        theirs.zero_grad()
        (networks[1](rows) ** 2).mean().backward()
        theirs.step()
    for one, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_the_line_is_that_of_scikit_learn_and_a_network_of_two_units() -> None:
    given, rows = material(), np.arange(200)
    line = fit_line(given, rows, 0.1, threading.Event())
    scaled = (given.features[rows].numpy() - line.standard.mean) / line.standard.scale
    weights = given.weights[rows].numpy()
    # scikit-learn: C · Σ weighted losses + ½ |w|²
    strength = 1 / (0.1 / np.sqrt(8) * weights.sum())
    wanted = LogisticRegression(C=strength, tol=1e-8, max_iter=1000).fit(scaled, given.targets[rows], weights)
    np.testing.assert_allclose(line.weights, wanted.coef_[0], atol=5e-3)
    assert abs(line.bias - wanted.intercept_[0]) < 5e-3
    margins = network_margins(line.tensors(), given.features)
    everything = (given.features.numpy() - line.standard.mean) / line.standard.scale
    np.testing.assert_allclose(margins, everything @ line.weights + line.bias, atol=1e-4)
    model = make_model(line.tensors(), {"schema": SCHEMA.to_json(), "version": "line"})
    np.testing.assert_allclose(model.probabilities(given.features.numpy()), 1 / (1 + np.exp(-margins)), atol=1e-5)


def test_a_network_is_the_same_for_a_seed_whoever_else_draws_numbers() -> None:
    given, rows, none = material(), np.arange(200), np.arange(0)
    one = fit_network(given, rows, none, SETTINGS[0], course())
    torch.manual_seed(99)
    torch.randn(7)
    again, other = (fit_network(given, rows, none, SETTINGS[0], course(seed=seed)) for seed in (0, 1))
    for name, value in one.tensors.items():
        np.testing.assert_array_equal(value, again.tensors[name])
    assert not np.array_equal(one.tensors["hidden1.weight"], other.tensors["hidden1.weight"])


def test_a_network_stops_when_other_films_say_so_and_keeps_its_best() -> None:
    given = material()
    found = fit_network(given, np.arange(200), np.arange(200, 300), SETTINGS[2], course(40))
    seen = [loss for _, loss in found.curve if loss is not None]
    assert found.epochs == int(np.argmin(seen)) + 1
    assert found.validation_loss == min(seen)
    assert len(seen) in (found.epochs + 4, 40)
    margins = network_margins(found.tensors, given.features[200:])
    losses = np.logaddexp(0, margins) - given.targets[200:].numpy() * margins
    weights = given.weights[200:].numpy()
    assert np.isclose(np.average(losses, weights=weights), found.validation_loss, atol=1e-5)


def test_rows_that_weigh_nothing_teach_nothing() -> None:
    given = material()
    weights = given.weights.clone()
    weights[100:200] = 0
    turned = given.targets.clone()
    turned[100:200] = 1 - turned[100:200]
    lines = [
        fit_line(Material(given.features, targets, weights, SCHEMA), np.arange(200), 0.1, threading.Event())
        for targets in (given.targets, turned)
    ]
    np.testing.assert_array_equal(lines[0].weights, lines[1].weights)


def test_one_scale_a_block_unless_its_features_are_on_scales_of_their_own() -> None:
    rng = np.random.default_rng(0)
    schema = FeatureSchema("x", 1, (Block("alike", 3, ""), Block("unlike", 2, ""), Block("constant", 1, "")))
    features = rng.normal(size=(10_000, 6)) * [1, 2, 3, 1, 1000, 0] + 50
    found = standard(features.astype(np.float32), schema, step=999)
    np.testing.assert_allclose(found.mean, features.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.scale[:3], np.sqrt(14 / 3), rtol=0.05)
    np.testing.assert_allclose(found.scale[3:], [1, 1000, 1], rtol=0.05)


def test_what_is_missing_counts_as_the_mean() -> None:
    features = np.array([[1, np.nan, np.nan], [3, 5, np.nan], [np.inf, 7, np.nan]], np.float32)
    found, rows = filled(features)
    assert rows == 3
    assert found.tolist() == [[1, 6, 0], [3, 5, 0], [2, 7, 0]]
    assert filled(np.ones((2, 2), np.float32))[1] == 0


def test_boosting_looks_at_the_features_that_tell() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 300)).astype(np.float32)
    answers = features[:, 7] - features[:, 290] > 0
    columns = telling(features, answers, np.ones(500, np.float32), np.arange(500))
    assert len(columns) == 64
    assert {7, 290} <= set(columns.tolist())
    assert telling(features[:, :9], answers, np.ones(500, np.float32), np.arange(500)).tolist() == list(range(9))
