"""A model's file, its card, and the numpy network against the torch one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from backend.errors import InputError, SchemaMismatch
from backend.features.schema import Block, FeatureSchema
from backend.scoring.explain import PRIOR
from backend.scoring.live import fitting
from backend.scoring.mlp import CARD, WEIGHTS, load_model, make_model, save_model
from backend.scoring.network import build
from backend.scoring.rank import RankRequest, rank
from backend.scoring.windows import pool, segments, windows
from tests.test_scoring import SCHEMA, check, make_film

OTHER = FeatureSchema("tiny", 2, SCHEMA.blocks)


def network(dimension: int = SCHEMA.dimension, hidden: tuple[int, int] = (16, 8)) -> torch.nn.Module:
    """A torch network whose batch norms and standardisation are not the identity."""
    torch.manual_seed(0)
    made = build(dimension, hidden)
    made(torch.randn(64, dimension) * 3 + 1)
    with torch.no_grad():
        for name, value in (*made.named_parameters(), *made.named_buffers()):
            if name.endswith(("norm1.weight", "norm2.weight", "input.scale")):
                value.copy_(torch.rand_like(value) + 0.5)
            elif name.endswith(("norm1.bias", "norm2.bias", "input.mean")):
                value.copy_(torch.randn_like(value))
    return made.eval()


def state(made: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy() for name, value in made.state_dict().items()}


def expected(made: torch.nn.Module, rows: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    with torch.no_grad():
        return torch.softmax(made(torch.from_numpy(rows.astype(np.float32))) / temperature, dim=1)[:, 1].numpy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model", state(network()), SCHEMA, "v7", {"temperature": 1.7, "labels": 12})


def test_numpy_gives_what_torch_gives_at_full_size():
    schema = FeatureSchema("full", 1, (Block("visual", 768, "a"), Block("audio", 128, "b"), Block("rest", 65, "c")))
    made = network(961, (512, 256))
    model = make_model(state(made), {"schema": schema.to_json(), "version": "v1", "temperature": 2.5})
    rows = np.random.default_rng(1).normal(1, 3, (5000, 961)).astype(np.float32)
    np.testing.assert_allclose(model.probabilities(rows), expected(made, rows, 2.5), atol=2e-5)


def test_pooling_after_the_first_layer_is_pooling_before_it(folder):
    film = make_film(seconds=7200, shot_s=4)
    parts = segments(film, 60, 120)
    found = windows(parts, 60, 120)
    model = load_model(folder)
    assert len(found) > 10_000
    slow = model.probabilities(pool(film.vectors, parts.durations_s, found))
    assert np.ptp(slow) > 0.002
    np.testing.assert_allclose(model.window_probabilities(film.vectors, parts.durations_s, found), slow, atol=1e-5)


def test_pieces_of_a_take_share_its_vector(folder):
    film = make_film(shot_s=10_000)
    parts = segments(film, 60, 120)
    found = windows(parts, 60, 120)
    model = load_model(folder)
    given = model.window_probabilities(film.vectors, parts.durations_s, found, parts.shot)
    np.testing.assert_allclose(given, np.full(len(found), model.probabilities(film.vectors)[0]), atol=1e-5)


def test_a_saved_model_is_the_same_when_loaded(folder, tmp_path):
    model, made = load_model(folder), network()
    assert (model.version, model.schema, model.replaces, model.temperature) == ("v7", SCHEMA, "compelling", 1.7)
    assert model.card["labels"] == 12
    rows = np.random.default_rng(2).normal(size=(9, SCHEMA.dimension))
    np.testing.assert_allclose(model.probabilities(rows), expected(made, rows, 1.7), atol=1e-6)
    again = save_model(tmp_path / "again", state(made), SCHEMA, "v7", {"labels": 12, "temperature": 1.7})
    for name in (WEIGHTS, CARD):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    assert sorted(path.name for path in again.iterdir()) == [CARD, WEIGHTS]


@pytest.mark.parametrize("replaces", ["compelling", "viral"])
def test_a_model_gives_its_score_and_the_prior_the_other(tmp_path, replaces):
    model = load_model(save_model(tmp_path, state(network()), SCHEMA, "v7", {"replaces": replaces}))
    film, request = make_film(), RankRequest()
    ranking, before = rank(film, request, model), rank(film, request)
    check(ranking, request)
    assert ranking.model == "v7"
    other = {"compelling": "viral", "viral": "compelling"}[replaces]
    assert ranking.scored_by == {replaces: "v7", other: PRIOR}
    np.testing.assert_array_equal(ranking.scores[other], before.scores[other])
    parts = segments(film, 60, 120)
    pooled = pool(film.vectors, parts.durations_s, ranking.windows)
    np.testing.assert_allclose(ranking.scores[replaces], model.probabilities(pooled), atol=1e-5)
    assert {"visual", "audio"} <= set(ranking.clips[0].explanation)
    assert any("Model v7" in reason for reason in ranking.clips[0].reasons)


def test_a_contribution_is_what_the_score_loses_with_the_block_at_the_films_mean(folder):
    film, model = make_film(), load_model(folder)
    clip = rank(film, RankRequest(top_n=1), model).clips[0]
    inside = (film.shots[:, 0] >= clip.start_frame) & (film.shots[:, 1] <= clip.end_frame)
    pooled = film.vectors[inside].mean(axis=0, keepdims=True).astype(np.float64)
    pooled[:, SCHEMA.slices["visual"]] = film.vectors.mean(axis=0)[SCHEMA.slices["visual"]]
    lost = 0.5 * (clip.compelling - model.probabilities(pooled)[0])
    prior_only = rank(film, RankRequest(top_n=1), None)
    assert prior_only.clips
    viral_lost = clip.explanation["visual"] - lost
    assert abs(viral_lost) < 0.1, "what is left is the prior's part: colour, contrast"
    assert abs(lost) > 1e-4


def broken(folder: Path, **change) -> Path:
    """The same model with other tensors, and a card that vouches for them."""
    import hashlib

    tensors = {**state(network()), **change}
    data = save({name: np.ascontiguousarray(value) for name, value in tensors.items() if value is not None})
    (folder / WEIGHTS).write_bytes(data)
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, "sha256": hashlib.sha256(data).hexdigest()}))
    return folder


def edit(folder: Path, **change) -> None:
    (folder / CARD).write_text(json.dumps({**json.loads((folder / CARD).read_text()), **change}))


WRONG = {
    "no folder": (lambda folder: [path.unlink() for path in folder.iterdir()] and folder.rmdir(), "no model folder"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "lacks model.safetensors"),
    "no card": (lambda folder: (folder / CARD).unlink(), "lacks card.json"),
    "card is no JSON": (lambda folder: (folder / CARD).write_text("{"), "not JSON"),
    "card is not text": (lambda folder: (folder / CARD).write_bytes(b"\xff\xfe\x00"), "not JSON"),
    "card of something else": (lambda folder: (folder / CARD).write_text("[1]"), "no feature schema"),
    "schema with holes": (lambda folder: edit(folder, schema={"name": "x"}), "schema cannot be read"),
    "other bytes": (lambda folder: (folder / WEIGHTS).write_bytes(b"x" + (folder / WEIGHTS).read_bytes()), "sha256"),
    "half a file": (lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:99]), "sha256"),
    "no version": (lambda folder: edit(folder, version=""), "no version"),
    "temperature 0": (lambda folder: edit(folder, temperature=0), "temperature"),
    "temperature next to 0": (lambda folder: edit(folder, temperature=1e-320), "temperature"),
    "temperature NaN": (lambda folder: edit(folder, temperature=float("nan")), "temperature"),
    "a third score": (lambda folder: edit(folder, replaces="funny"), "funny"),
    "not finite": (lambda folder: broken(folder, **{"hidden2.bias": np.full(8, np.nan, np.float32)}), "not finite"),
    "a tensor missing": (lambda folder: broken(folder, **{"output.bias": None}), "lacks the tensor 'output.bias'"),
    "first layer missing": (lambda folder: broken(folder, **{"hidden1.weight": None}), "hidden1.weight"),
    "another shape": (lambda folder: broken(folder, **{"output.bias": np.zeros(3, np.float32)}), "shape"),
    "a scale of zero": (lambda folder: broken(folder, **{"input.scale": np.zeros(12, np.float32)}), "positive"),
    "negative variance": (lambda folder: broken(folder, **{"norm1.running_var": -np.ones(16, np.float32)}), "positive"),
    "another size of input": (
        lambda folder: edit(folder, schema=FeatureSchema("b", 1, (Block("v", 5, "x"),)).to_json()),
        "shape",
    ),
}


@pytest.mark.parametrize(("harm", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_model_is_refused_in_one_sentence(folder, harm, says):
    harm(folder)
    with pytest.raises(InputError) as met:
        load_model(folder)
    assert says in met.value.detail
    assert str(folder) in met.value.detail
    assert "\n" not in met.value.detail


def test_a_broken_file_that_its_card_vouches_for_is_refused(folder):
    import hashlib

    data = (folder / WEIGHTS).read_bytes()[:99]
    (folder / WEIGHTS).write_bytes(data)
    edit(folder, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(InputError, match="is broken"):
        load_model(folder)


def test_another_schema_is_refused(folder):
    model = load_model(folder)
    model.require(SCHEMA)
    with pytest.raises(SchemaMismatch):
        model.require(OTHER)
    with pytest.raises(SchemaMismatch):
        rank(make_film(schema=OTHER), RankRequest(), model)


def test_a_film_with_an_optional_block_is_ranked_as_without_it(folder):
    """Version 2 adds a block; a model of version 1 goes on and gives the same, wherever the block stands."""
    film, model = make_film(), load_model(folder)
    extra = Block("framing", 3, "framing")
    noise = np.random.default_rng(3).normal(size=(len(film.shots), 3)).astype(np.float32)
    for blocks, parts in (
        ((*SCHEMA.blocks, extra), (film.vectors, noise)),
        ((SCHEMA.blocks[0], extra, SCHEMA.blocks[1]), (film.vectors[:, :8], noise, film.vectors[:, 8:])),
    ):
        later = replace(film, schema=FeatureSchema("tiny", 2, blocks), vectors=np.concatenate(parts, axis=1))
        assert fitting((model,), later) == ((model,), [])
        one, two = rank(film, RankRequest(), model), rank(later, RankRequest(), model)
        assert one.scored_by == two.scored_by == {"viral": PRIOR, "compelling": "v7"}
        assert [clip.score for clip in one.clips] == [clip.score for clip in two.clips]
        assert [clip.explanation for clip in one.clips] == [clip.explanation for clip in two.clips]


def test_a_model_of_the_later_version_is_refused_by_a_film_of_the_first(tmp_path):
    schema = FeatureSchema("tiny", 2, (*SCHEMA.blocks, Block("framing", 3, "framing")))
    model = load_model(save_model(tmp_path, state(network(schema.dimension)), schema, "v8", {}))
    fit, notes = fitting((model,), make_film())
    assert fit == ()
    assert "analyse the film again" in notes[0]
    with pytest.raises(SchemaMismatch, match="framing 3"):
        rank(make_film(), RankRequest(), model)


def test_what_cannot_be_loaded_is_not_saved(tmp_path):
    tensors = {**state(network()), "output.bias": np.array([np.inf, 0], np.float32)}
    with pytest.raises(InputError):
        save_model(tmp_path / "model", tensors, SCHEMA, "v1", {})
    assert not (tmp_path / "model").exists()


def test_dropout_and_batch_norm_are_as_described():
    made = build(961)
    shapes = {name: tuple(value.shape) for name, value in made.named_parameters() if name.endswith("weight")}
    assert shapes == {
        "hidden1.weight": (512, 961), "norm1.weight": (512,), "hidden2.weight": (256, 512), "norm2.weight": (256,),
        "output.weight": (2, 256),
    }  # fmt: skip
    assert [layer.p for layer in made if isinstance(layer, torch.nn.Dropout)] == [0.3, 0.3]
