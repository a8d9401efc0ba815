"""Settings as people write them, right and wrong."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.settings import Settings
from tests.command import ROOT, selects


def migrated(tmp_path: Path, **settings: str) -> str:
    """What is said of these settings by a command that reads them and ends; empty where they are taken."""
    done = selects("migrate", home=tmp_path / "home", **settings)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return "" if done.returncode == 0 else lines[0]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SELECTS_SERVR__PORT", "8700", ("Unknown setting 'SELECTS_SERVR__PORT'", "SELECTS_SERVER__…")),
        ("selects_securty__authentication", "true", ("selects_securty__authentication", "SELECTS_SECURITY__…")),
        ("SELECTS_SERVER__PROT", "8700", ("Unknown setting 'SELECTS_SERVER__PROT'", "SELECTS_SERVER__PORT")),
        ("SELECTS_SERVER__PORT", "many", ("SELECTS_SERVER__PORT is wrong", "integer")),
        ("SELECTS_MEDIA__ROOTS", "/films", ("SELECTS_MEDIA__ROOTS cannot be read, it must be JSON", '["one", "two"]')),
        ("SELECTS_MODELS__PATHS", "openclip=/x", ("SELECTS_MODELS__PATHS cannot be read", '{"name": "value"}')),
    ],
)
def test_a_wrong_variable_is_named_with_what_would_be_right(
    name: str, value: str, said: tuple[str, ...], tmp_path: Path
) -> None:
    answer = migrated(tmp_path, **{name: value})
    assert answer.startswith("selects: ")
    for words in said:
        assert words in answer


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    """Also variables that are no settings, such as Kubernetes makes of a service's name."""
    assert migrated(tmp_path, SELECTS_SERVER__PORT="8700", SELECTS_PORT="tcp://10.0.0.1:8600") == ""
    assert migrated(tmp_path, SELECTS_MEDIA__ROOTS='["/films"]', selects_analysis__fast="true") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servr]\nport = 1\n", ("Unknown setting 'SELECTS_SERVR'", "SELECTS_SERVER__…")),
        ("[server]\nprot = 1\n", ("Unknown setting 'SELECTS_SERVER__PROT'", "SELECTS_SERVER__PORT")),
        ("[server\n", ("settings.toml", "line 1")),
        ('[media]\nroots = "/films"\n', ("SELECTS_MEDIA__ROOTS is wrong",)),
    ],
    ids=["section", "name", "syntax", "kind"],
)
def test_a_wrong_settings_file_is_named(text: str, said: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.toml").write_text(text)
    answer = migrated(tmp_path)
    for words in said:
        assert words in answer


@pytest.mark.parametrize("name", ["PROFILE", "DETECTOR"])
def test_a_worker_that_could_analyse_no_film_does_not_start(name: str, tmp_path: Path) -> None:
    assert migrated(tmp_path) == ""
    done = selects("worker", home=tmp_path / "home", timeout_s=300, **{f"SELECTS_ANALYSIS__{name}": "psychic"})
    assert done.returncode == 2
    assert done.stderr.startswith(f"selects: Unknown {name.lower()} 'psychic'; known: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr


GUIDES = {"operating.md": "", "training.md": "TRAINING__"}
ELSEWHERE = ("selects.db", "jobs.db", "own child", "two, or more")
"""How the guide says what an empty or missing value stands for."""


def told(guide: str, prefix: str) -> Iterator[tuple[str, str]]:
    """The settings of a guide's table, each with its default; a row may hold several, in the same order."""
    for row in re.findall(r"^\| (`[A-Z_`, ]+`) \| ?(.*?) ?\| ", (ROOT / "docs" / guide).read_text(), re.MULTILINE):
        names, values = re.findall(r"`([A-Z_]+)`", row[0]), re.split(r", (?=[`\d]|own|false)", row[1])
        for at, name in enumerate(names):
            value = values[at] if len(values) == len(names) else values[0]
            yield prefix + name, value.partition(";")[0].strip("` ")


def defaults() -> dict[str, object]:
    """Every setting but the home, with its default."""
    return {
        f"{section}__{name}".upper(): value
        for section, field in Settings.model_fields.items()
        if section != "home"
        for name, value in field.default
    }


def test_the_guides_name_every_setting_with_its_default() -> None:
    known, said = defaults(), [pair for guide, prefix in GUIDES.items() for pair in told(guide, prefix)]
    assert {name for name, _ in said} == set(known)
    for name, value in said:
        default = known[name]
        if value in ("", "none") or value.startswith(ELSEWHERE):
            assert not default, name
        elif isinstance(default, str):
            assert value == default, name
        elif default is not None:
            assert json.loads(value) == default, name
