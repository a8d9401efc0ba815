"""What a training of framing keeps and says: folders of judges, features of stills, the page and its remarks."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.analysis.still_features import AT_ONCE, KEPT, PARTS, still_features
from backend.analysis.stills import FramesRequest, StoredStill, read_index, write_stills
from backend.errors import InputError, OutputError
from backend.features.framing.judge import SPACE, load_judge, packed
from tests.test_framing_training import SMALL, made
from trainer.framing import train
from trainer.framing.learning import learn_cnn, learn_head
from trainer.framing.material import Material
from trainer.framing.page import render
from trainer.framing.printed import lines
from trainer.framing.report import figures, require_place, write
from trainer.framing.splits import Fold, mixed, unwatched
from trainer.framing.train import Asked, Trained


def test_a_training_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """Or the figures beside a model would be of another one."""
    vectors, yes = np.random.default_rng(0).normal(size=(20, SPACE)).astype(np.float32), np.arange(20) % 2 == 0
    for answers in (yes, ~yes):
        judge = learn_head(vectors, answers, 0)
        write(tmp_path, Trained({"head": judge}, {}, {}), b"{}", "page")
        assert np.array_equal(load_judge(tmp_path / "head").tensors["weight"], judge.tensors["weight"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head", "metrics.json", "report.html"]


def test_no_model_of_another_training_stays(tmp_path: Path) -> None:
    """What is not of a training does."""
    vectors, yes = np.random.default_rng(0).normal(size=(20, SPACE)).astype(np.float32), np.arange(20) % 2 == 0
    judge = learn_head(vectors, yes, 0)
    write(tmp_path, Trained({"cnn-tuned": judge, "head": judge}, {}, {}), b"{}", "page")
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, Trained({"head": judge}, {}, {}), b"{}", "page")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head", "metrics.json", "notes.txt", "report.html"]
    (tmp_path / "cnn").mkdir()
    (tmp_path / "cnn" / "news.mp4").touch()
    with pytest.raises(OutputError, match=r"news\.mp4"):
        require_place(tmp_path)


def test_a_training_that_ends_while_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    judge = learn_cnn(*made(6, 0), replace(SMALL, epochs=0), 0)
    require_place(tmp_path / "out")
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "out", Trained({"cnn": judge}, {}, {}), b"{}", "\ud800")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("cnn", {"shape": None}, "lacks 'shape'; train it again"),
        ("cnn", {"threshold": None}, "lacks 'threshold'; train it again"),
        ("cnn", {"shape": {"filters": [4, 4], "hidden": 8, "dropout": 0.0}}, "broken .*size mismatch"),
        ("cnn", {"shape": {"filters": 8 * [4], "hidden": 8, "dropout": 0.0}}, "broken .*no network has the shape"),
        ("cnn", {"threshold": "high"}, "broken .*high"),
        ("head", {"threshold": 2}, "broken .*threshold is 2"),
        ("head", {"kind": "cnn"}, "lacks 'shape'"),
    ],
)
def test_a_card_that_does_not_go_with_its_weights_is_refused(
    kind: str, change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    if kind == "cnn":
        judge = learn_cnn(*made(6, 0), replace(SMALL, epochs=0), 0)
    else:
        judge = learn_head(np.eye(6, SPACE, dtype=np.float32), np.arange(6) % 2 == 0, 0)
    for name, content in packed(judge.card, judge.tensors).items():
        (tmp_path / name).write_bytes(content)
    card = {**json.loads((tmp_path / "card.json").read_text()), **change}
    (tmp_path / "card.json").write_text(json.dumps({name: value for name, value in card.items() if value is not None}))
    with pytest.raises(InputError, match=said):
        load_judge(tmp_path)


def test_a_head_of_other_vectors_is_refused(tmp_path: Path) -> None:
    judge = learn_head(np.eye(6, dtype=np.float32), np.arange(6) % 2 == 0, 0)
    for name, content in packed(judge.card, judge.tensors).items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="not for vectors of 1280 numbers"):
        load_judge(tmp_path)


def test_features_of_stills_are_kept_as_they_are_made(films: Path, tmp_path: Path, extractor: Any) -> None:
    """A stopped run goes on, and nothing that is kept is written again until all are there."""
    write_stills(FramesRequest((films / "faces_stage_360p.mp4",), tmp_path / "stills", 0.5), tmp_path / "home")
    folder, told = tmp_path / "stills", list[tuple[int, int]]()
    stills, extractors = read_index(folder), {name: extractor(name) for name in ("efficientnet", "faces")}
    assert len(stills) == AT_ONCE + 3, "else a part says nothing of the next"

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        still_features(folder, stills, extractors, stop)
    assert not (folder / KEPT).exists()
    (part,) = (folder / PARTS).iterdir()
    with np.load(part) as kept:
        first = kept["vectors"]
    assert len(first) == AT_ONCE
    seen = still_features(folder, stills, extractors, lambda done, total: told.append((done, total)))
    assert told == [(3, 3)]
    assert np.array_equal(seen.vectors[:AT_ONCE], first)
    assert not (folder / PARTS).exists()
    again = still_features(folder, stills, extractors, stop)
    assert np.array_equal(again.vectors, seen.vectors)
    assert again.guesses == seen.guesses


def test_films_that_cannot_be_tested_on_are_named(tmp_path: Path) -> None:
    """All medium close-ups in one film: of that film nothing can be said, and a dash would not say why."""
    film = np.repeat([0, 1, 2], 4)
    yes = np.array([1, 1, 0, 0] + 8 * [0], bool)
    material = material_of(film, yes)
    splits = {"unwatched": unwatched(film, yes), "mixed": mixed(yes, 0)}
    tested = {split: {"rule": train.Tested(said_of(folds, 12))} for split, folds in splits.items()}
    found = figures(material, Asked(), Trained({}, tested, {}))
    (remark,) = found["remarks"]
    assert remark.startswith("Not tested on film 0: without it no medium close-up is left to learn from")
    assert "Label medium close-ups in another film" in remark
    told = "\n".join(lines(found))
    assert remark in told
    assert "recall – (no medium close-up among them), precision – (yes to none)" in told
    assert "–," not in told
    page = render(material, Trained({}, {"unwatched": {}}, {}), found)
    assert "no medium close-up among them" in page
    assert remark in page
    assert "not tested" in page
    others = figures(material_of(film, ~yes), Asked(), Trained({}, tested, {}))["remarks"]
    assert "no other frame is left" in others[0]
    everywhere = {"unwatched": {"rule": train.Tested(np.zeros(12))}}
    assert figures(material, Asked(), Trained({}, everywhere, {}))["remarks"] == []


def material_of(
    film: np.ndarray, yes: np.ndarray, folder: Path = Path(), stills: tuple[StoredStill, ...] = ()
) -> Material:
    """Labelled stills, by default without pictures."""
    count = len(yes)
    stills = stills or tuple(StoredStill(f"{k}", f"film {k}", n, 0.0, "", 8.0, 360, "") for n, k in enumerate(film))
    pixels, vectors = np.zeros((count, 1, 128, 128), np.float32), np.zeros((count, 4), np.float32)
    scales = tuple("medium" if each else "none" for each in yes)
    titles = tuple(f"film {k}" for k in np.unique(film))
    return Material(folder, stills, pixels, vectors, yes, ~yes & yes, film, titles, scales, scales, 0)


def said_of(folds: list[Fold], count: int) -> np.ndarray:
    """No to whatever is tested."""
    said = np.full(count, np.nan)
    said[np.concatenate([test for _, test in folds])] = 0.0
    return said
