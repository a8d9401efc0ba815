"""Two models share the queue: a fair draft, true chances, teams that stay with the decision, an interval at the end."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from labeling.agreement.duel import Share, difference, preferred
from labeling.decisions.models import Decision
from labeling.queue import rivals
from labeling.queue.models import Question
from labeling.strategies import mix
from labeling.strategies.interleave import CHAMPION, RIVAL, TEAMS, team_draft
from tests.curating import Studio, decide, questions, studio
from tests.service import running
from tests.test_mix import pool_of
from tests.trained import enter
from tests.training import planted
from trainer.registry import promote


@given(st.integers(1, 40), st.randoms(use_true_random=False), st.sampled_from(TEAMS))
def test_a_draft_takes_all_and_gives_both_the_same_places(count: int, rng: object, first: str) -> None:
    own = np.random.default_rng(rng.randrange(1000))  # type: ignore[attr-defined]
    orders = {team: own.permutation(count) for team in TEAMS}
    order, teams = team_draft(orders[CHAMPION], orders[RIVAL], first)
    assert sorted(order.tolist()) == list(range(count))
    for n in range(1, count + 1):
        taken = Counter(teams[order[:n]].tolist())
        assert abs(taken[CHAMPION] - taken[RIVAL]) <= 1
    assert teams[order[0]] == first
    for at, row in enumerate(order.tolist()):
        ranking = orders[str(teams[row])].tolist()
        left = [other for other in ranking if other not in order[:at]]
        assert left[0] == row, "everybody takes their best that is left"


def test_the_chances_of_a_shared_draw_are_true() -> None:
    rng = np.random.default_rng(1)
    pool = replace(pool_of(200), rivals=rng.random(400))
    draws = [mix.draw(pool, 12, np.random.default_rng(seed)) for seed in range(500)]
    seen, said = Counter[int](), dict[int, float]()
    for one in draws:
        seen.update(one.indices.tolist())
        said.update(zip(one.indices.tolist(), one.propensities.tolist(), strict=True))
    for row, chance in said.items():
        spread = np.sqrt(chance * (1 - chance) / len(draws))
        assert abs(seen[row] / len(draws) - chance) < 5 * spread + 1e-9, row
    teams = Counter(team for one in draws for team in one.teams)
    assert abs(teams[CHAMPION] - teams[RIVAL]) <= len(draws)
    by_slice = Counter((name, bool(team)) for one in draws for name, team in zip(one.slices, one.teams, strict=True))
    assert by_slice["top-score", False] == by_slice["random", True] == by_slice["diverse-uncertain", True] == 0


def test_without_a_rival_a_draw_is_what_it_was() -> None:
    one = mix.draw(pool_of(200), 20, np.random.default_rng(0))
    assert set(one.teams) == {""}


def test_intervals() -> None:
    """Numbers of Newcombe (1998), table II, method 10, and Wilson's for 0 of 20."""
    found = difference(Share(56, 70), Share(48, 80))
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert difference(Share(9, 10), Share(3, 10)) == pytest.approx((0.6, 0.1705, 0.8090), abs=1e-4)
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert difference(Share(1, 2), Share(0, 0)) is None


def test_who_is_preferred() -> None:
    assert preferred(Share(18, 20), Share(4, 20)) == RIVAL
    assert preferred(Share(4, 20), Share(18, 20)) == CHAMPION
    assert preferred(Share(11, 20), Share(9, 20)) == ""
    assert preferred(Share(9, 9), Share(0, 20)) == "", "of nine nothing is concluded"
    assert preferred(Share(1, 2), Share(0, 0)) == ""


@pytest.fixture
def house(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A hundred labels, as many clips that nobody judged, two versions of which one is live."""
    monkeypatch.setattr(rivals, "READING_LIMIT_S", 600.0)  # a busy machine reads fewer films in its time
    with running(tmp_path / "home", database_url) as service:
        made = studio(service, films=4, clips=50)
        planted(replace(made, movies=made.movies[:2]))
        planted(replace(made, movies=made.movies[2:]), seed=1, judge=False)
        enter(service, made.project, "old", 1)
        enter(service, made.project, "new", 2)
        with service.session() as session:
            promote(session, made.project, "old", None, "test", "")
        yield made


def test_what_each_put_into_a_draw_is_judged_for_it(house: Studio) -> None:
    admin, ada = house.owner(), house.curator("Ada")
    here = {"project": house.project}
    assert admin.get("/api/agreement/duel", params=here).status_code == 404
    wrong = admin.patch("/api/queue", params=here, json={"rival": "none such"})
    assert (wrong.status_code, wrong.json()["error"]) == (422, "UnknownName")
    assert admin.patch("/api/queue", params=here, json={"rival": "new"}).json()["rival"] == "new"
    assert admin.patch("/api/queue", params=here, json={"overlap": 0}).json()["rival"] == "new"
    asked = questions(ada, house, 16)
    assert not any("team" in item for item in asked), "who judges does not know whose it is"
    with house.service.session() as session:
        first = select(Question.candidate_id, Question.team).where(col(Question.round) == 1)
        teams = dict(session.exec(first).all())
    drawn = Counter(teams.values())
    assert abs(drawn["old"] - drawn["new"]) <= 1
    counted = Counter(teams[item["candidate"]["id"]] for item in asked)
    assert min(counted["old"], counted["new"]) >= 2
    for item in asked:
        name = item["candidate"]["id"]
        decide(ada, name, "approve" if teams[name] != "old" else "reject")
    with house.service.session() as session:
        kept = session.exec(select(Decision.candidate_id, Decision.team).where(col(Decision.round) == 1)).all()
    assert dict(kept).items() >= {item["candidate"]["id"]: teams[item["candidate"]["id"]] for item in asked}.items()
    found = admin.get("/api/agreement/duel", params=here).json()
    assert (found["champion"]["version"], found["rival"]["version"]) == ("old", "new")
    assert (found["champion"]["approved"], found["champion"]["judged"]) == (0, counted["old"])
    assert found["rival"]["approved"] == found["rival"]["judged"] == counted["new"]
    assert found["difference"] == 1.0
    assert found["preferred"] is None, "so few say nothing yet"


def test_a_duel_ends_when_it_is_ended_or_won(house: Studio) -> None:
    admin, here = house.owner(), {"project": house.project}
    admin.patch("/api/queue", params=here, json={"rival": "new"})
    with house.service.session() as session:
        promote(session, house.project, "new", None, "test", "")
    questions(house.curator("Ada"), house, 4)
    assert admin.patch("/api/queue", params=here, json={"rival": None}).json()["rival"] is None
    with house.service.session() as session:
        assert set(session.exec(select(Question.team)).all()) == {""}
