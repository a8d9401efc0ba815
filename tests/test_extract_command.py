"""`selects features extract` and `models` as one calls them."""

from pathlib import Path
from typing import Any

import pytest

from backend.analysis.catalogue.commands import _request
from backend.errors import InputError
from tests.command import selects, selects_json


def test_the_command_says_what_it_did(five_titles: Path, cache: Path) -> None:
    home = five_titles / "home"
    home.mkdir()
    (home / "networks").symlink_to(cache)
    call = ("features", "extract", "--modality", "text", "--model", "minilm", "--in", five_titles / "titles.csv")
    done = selects(*call, "--out", five_titles / "out", home=home)
    assert done.returncode == 0, done.stderr
    assert "4 of 5 titles in" in done.stdout
    assert "inside the model" in done.stdout
    assert "Skipped: 1" in done.stderr
    assert selects(*call, "--out", five_titles / "out", home=home).stdout.startswith("Nothing to do: all 5 titles")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"modality": "smell"}, "Unknown modality 'smell'; known: audio, image, text, video"),
        ({"model": "resnet"}, "Unknown text model 'resnet'"),
        ({"format_": "xml"}, "Unknown format 'xml'; known: h5, json, parquet"),
        ({"seconds": "-3"}, "--seconds takes a number above 0"),
    ],
)
def test_a_wrong_call_is_one_sentence(changes: dict[str, str], said: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"modality": "text", "model": "minilm", "format_": "json", "seconds": "30"} | changes
    with pytest.raises(InputError, match=said):
        _request(source=tmp_path, out=tmp_path / "out", **given)


def test_missing_weights_end_the_command_with_the_way_out(five_titles: Path) -> None:
    away = {"SELECTS_MODELS__OFFLINE": "true", "HF_HOME": str(five_titles / "none")}
    call = ("features", "extract", "--modality", "text", "--model", "mpnet", "--in", five_titles / "titles.csv")
    done = selects(*call, "--out", five_titles / "out", home=five_titles / "h", **away)
    assert done.returncode == 2
    assert "SELECTS_MODELS__PATHS" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (five_titles / "out").exists()


def test_the_list_names_every_model_of_the_catalogue(tmp_path: Path) -> None:
    rows = selects_json("features", "models", home=tmp_path / "home")
    found = {(row["modality"], row["published"]): row for row in rows if row["modality"]}
    assert len(found) == 16
    assert found["text", "all-MiniLM-L6-v2"]["here"] is True
    assert found["image", "VGG16"]["dimension"] == 4096
    assert found["video", "MViTv2-S"]["source"].startswith("https://download.pytorch.org/models/mvit_v2_s")
    assert found["audio", "log-mel-128"]["here"] is True
