"""Measures of agreement: worked examples of the literature, another library, and what the API makes of decisions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from starlette.testclient import TestClient

from labeling.agreement.measures import Measure, cohen_kappa, krippendorff_alpha
from tests.curating import Studio, decide, questions, studio
from tests.service import running


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def alpha(*rows: str) -> Measure:
    """Alpha of rows of answers, one a person; a dot is no answer."""
    said = [row.split() for row in rows]
    units = [{str(who): row[at] for who, row in enumerate(said) if row[at] != "."} for at in range(len(said[0]))]
    return krippendorff_alpha(units, rng())


# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections A, B and C.
EXAMPLES = {
    "binary, two observers": (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
    "nominal, two observers": (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
    "nominal, four observers, some silent": (
        (
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 .",
        ),
        0.743,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_alpha_of_published_examples(name: str) -> None:
    rows, value = EXAMPLES[name]
    measured = alpha(*rows)
    assert measured.value == pytest.approx(value, abs=5e-4)
    assert measured.low is not None
    assert measured.high is not None
    assert measured.low < value < measured.high


def test_kappa_of_a_published_example() -> None:
    """Fifty grant proposals that two readers said yes or no to: 20 and 15 alike, 5 and 10 not."""
    said = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    measured = cohen_kappa(said, rng())
    assert measured.value == pytest.approx(0.4)
    assert measured.observed == pytest.approx(0.7)
    assert measured.units == 50


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=40))
def test_kappa_is_that_of_scikit_learn(said: list[tuple[str, str]]) -> None:
    first, second = zip(*said, strict=True)
    measured = cohen_kappa(said, rng())
    if len({*first, *second}) == 1:
        assert measured.value is None
    else:
        assert measured.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-9)


@given(st.lists(st.lists(st.sampled_from("ab."), min_size=3, max_size=3), min_size=1, max_size=20))
def test_alpha_knows_no_order_of_people_and_units(rows: list[list[str]]) -> None:
    said = [" ".join(row) for row in rows]
    turned = [" ".join(reversed(row)) for row in reversed(rows)]
    columns, other = (list(map(" ".join, zip(*map(str.split, part), strict=True))) for part in (said, turned))
    assert alpha(*columns).value == pytest.approx(alpha(*other).value, nan_ok=True)


def test_there_is_nothing_to_say_without_answers() -> None:
    assert alpha("1 . 2", ". 1 .") == Measure(None, None, None, 0, None)
    assert alpha("1 1 1", "1 1 1") == Measure(None, None, None, 3, 1.0)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Two who agree by a known chance: kappa is 0.6. Of 200 intervals some 95 % hold it."""
    draws, held = np.random.default_rng(1), 0
    for _ in range(200):
        truth = draws.integers(0, 2, 60)
        other = np.where(draws.random(60) < 0.8, truth, 1 - truth)
        measured = cohen_kappa(list(zip(map(str, truth), map(str, other), strict=True)), rng())
        assert measured.low is not None
        assert measured.high is not None
        held += measured.low <= 0.6 <= measured.high
    assert 0.89 <= held / 200 <= 0.99


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as service:
        made = studio(service, films=1, clips=40)
        made.owner().patch("/api/queue", params={"project": made.project}, json={"overlap": 1}).raise_for_status()
        yield made


def agreement(client: TestClient, desk: Studio) -> dict[str, Any]:
    answer = client.get("/api/agreement", params={"project": desk.project})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_agreement_is_of_what_two_were_asked(desk: Studio) -> None:
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    asked = [item["candidate"]["id"] for item in questions(ada, desk, 40)]
    assert {item["candidate"]["id"] for item in questions(ben, desk, 40)} == set(asked)
    verdicts = {name: ("approve", "reject") if n < 20 else ("reject", "reject") for n, name in enumerate(asked)}
    verdicts |= dict.fromkeys(asked[20:30], ("approve", "approve"))
    for name, (first, second) in verdicts.items():
        decide(ada, name, first, reasons=["slow"] if first == "reject" else [])
        decide(ben, name, second, reasons=["slow"] if second == "reject" else [])
    found = agreement(ada, desk)
    assert [found[name] for name in ("clips", "answered", "waiting", "curators")] == [40, 40, 0, 2]
    (pair,) = found["verdict"]["pairs"]
    first, second = zip(*verdicts.values(), strict=True)
    assert (pair["first"], pair["second"]) == ("Ada", "Ben")
    assert pair["kappa"]["value"] == pytest.approx(cohen_kappa_score(first, second))
    assert pair["kappa"]["low"] < pair["kappa"]["value"] < pair["kappa"]["high"]
    assert found["verdict"]["alpha"]["observed"] == 0.5
    assert list(found["reasons"]) == ["slow"]
    assert found["reasons"]["slow"]["used"] == first.count("reject") + second.count("reject")
    assert found["reasons"]["slow"]["pairs"][0]["kappa"] == pair["kappa"]


def test_what_was_not_asked_of_two_does_not_count(desk: Studio) -> None:
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    chosen = desk.candidates()[0].id or 0
    for client in (ada, ben):
        decide(client, chosen, "approve")
    asked = questions(ada, desk, 1)[0]["candidate"]["id"]
    kept = decide(ada, asked, "approve")
    found = agreement(ada, desk)
    assert (found["answered"], found["waiting"], found["verdict"]["alpha"]["value"]) == (0, 1, None)
    ada.post(f"/api/decisions/{kept['id']}/undo").raise_for_status()
    decide(ada, asked, "skip")
    found = agreement(ada, desk)
    assert (found["answered"], found["waiting"], found["curators"]) == (0, 0, 0)
