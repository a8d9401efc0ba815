"""The live proof: what a model's scores were worth, by clips that were asked for by chance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from labeling.decisions.models import Decision
from tests.command import selects, selects_json
from tests.curating import Studio, decide, questions, studio
from tests.service import running
from trainer.proof.measures import LEAST, MOST_POINTS, STEP, WINDOW, Clip, points_of

START = datetime(2026, 11, 1, tzinfo=UTC)


def clips_of(count: int, films: int = 8, truth: float = 1.0, seed: int = 0) -> list[Clip]:
    """Clips whose score says with this strength what will be answered."""
    rng = np.random.default_rng(seed)
    approved = rng.random(count) < 0.5
    scores = truth * approved + rng.standard_normal(count)
    return [
        Clip(f"film {at % films}", float(scores[at]), bool(approved[at]), START + timedelta(hours=at))
        for at in range(count)
    ]


def test_figures_are_those_of_another_library() -> None:
    clips = clips_of(WINDOW)
    (*_, last) = points_of(clips)
    scores, said = np.array([clip.score for clip in clips]), np.array([clip.approved for clip in clips])
    assert last.auc.value == pytest.approx(roc_auc_score(said, scores))
    half = np.argsort(-scores)[: WINDOW // 2]
    assert last.upper is not None
    assert last.lift is not None
    assert last.upper.value == pytest.approx(said[half].mean())
    assert last.every.value == pytest.approx(said.mean())
    assert last.lift.value == pytest.approx(said[half].mean() - said.mean())
    assert (last.clips, last.films, last.over, last.until) == (WINDOW, 8, "films", clips[-1].at)


def test_a_signal_is_told_from_chance_and_chance_from_a_signal() -> None:
    (*_, signal), (*_, noise) = points_of(clips_of(WINDOW, truth=2)), points_of(clips_of(WINDOW, truth=0))
    assert signal.lift is not None
    assert noise.lift is not None
    assert min(signal.auc.low - 0.5, signal.lift.low) > 0
    assert noise.auc.low < 0.5 < noise.auc.high
    assert noise.lift.low < 0 < noise.lift.high


def test_nothing_is_said_of_too_little() -> None:
    assert points_of(clips_of(LEAST - 1)) == []
    assert points_of([Clip("film", 0.5, True, START)] * 50) == []
    assert points_of([]) == []


def test_of_few_films_clips_are_resampled_and_it_is_said() -> None:
    (point,) = points_of(clips_of(LEAST, films=2, truth=3))
    assert point.over == "clips"
    assert point.auc.low > 0.5


def test_where_all_scores_are_the_same_there_is_no_upper_half() -> None:
    clips = [Clip(f"film {at % 6}", 0.5, at % 2 == 0, START) for at in range(30)]
    (*_, point) = points_of(clips)
    assert (point.auc.value, point.upper, point.lift) == (0.5, None, None)


def test_points_look_back_and_are_not_too_many() -> None:
    points = points_of(clips_of(WINDOW + 3 * STEP))
    assert [point.clips for point in points[-4:]] == [WINDOW] * 4
    assert points[-1].judged == WINDOW + 3 * STEP
    assert points[-1].since == START + timedelta(hours=3 * STEP)
    assert len(points_of(clips_of(3000))) <= MOST_POINTS


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path, database_url) as service:
        yield studio(service, films=6, clips=10)


def asked_by_chance(house: Studio, model: str, ids: list[int], approve: int, **more: Any) -> None:
    """Decisions about candidates, the first so many approvals; the higher the place, the lower the score."""
    with house.service.session() as session:
        for at, clip in enumerate(clip for clip in house.candidates() if clip.id in ids):
            facts = clip.model_dump(include={"movie_sha256", "movie_title", "start_frame", "end_frame"})
            said = {"verdict": "approve" if at < approve else "reject", "model": model, "score": 1 - at / 100}
            said |= {"start_s": clip.start_s, "end_s": clip.end_s, "curator": "Ada", "key": f"{model}-{clip.id}"}
            row = {**facts, **said, "strategy": "random", "propensity": 0.2, "round": 1, **more}
            session.add(Decision(project_id=house.project, candidate_id=clip.id or 0, **row))
        session.commit()


def proof_of(house: Studio) -> dict[str, Any]:
    answer = house.owner().get("/api/training/proof", params={"project": house.project})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_each_model_is_judged_by_what_it_scored(house: Studio) -> None:
    ids = [clip.id or 0 for clip in house.candidates()]
    asked_by_chance(house, "prior", ids[:24], 12)
    asked_by_chance(house, "compelling-1", ids[24:40], 8)
    first, second = proof_of(house)["models"]
    assert (first["model"], first["clips"], first["approved"]) == ("prior", 24, 12)
    assert first["points"][-1]["auc"]["value"] == 1.0
    assert (second["model"], second["clips"], second["points"]) == ("compelling-1", 16, [])


def test_the_command_says_the_same(house: Studio) -> None:
    settings = house.service.resources.settings
    address = house.service.resources.engine.url.render_as_string(hide_password=False)
    here: dict[str, Any] = {"home": settings.home, "SELECTS_DATABASE__URL": address}
    nothing = selects("evaluate", "ranking", "--project", str(house.project), **here)
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "chance chooses some" in nothing.stderr
    ids = [clip.id or 0 for clip in house.candidates()]
    asked_by_chance(house, "prior", ids[:24], 12)
    asked_by_chance(house, "compelling-1", ids[24:40], 9)
    found = selects_json("evaluate", "ranking", "--project", str(house.project), **here)
    assert found == proof_of(house)
    said = selects("evaluate", "ranking", "--project", str(house.project), **here).stdout
    assert "prior: 24 clips judged that chance had chosen, 12 of them approved" in said
    assert "higher score than a rejected one in 100 % (100 to 100); chance gives 50 %" in said
    assert "20 are needed, 5 each approved and rejected (7 rejected so far)" in said
    unknown = selects("evaluate", "ranking", "--project", "99", **here)
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)


def test_only_what_chance_chose_and_what_stands_counts(house: Studio) -> None:
    ids = [clip.id or 0 for clip in house.candidates()]
    asked_by_chance(house, "other", ids[:10], 5, strategy="top-score")
    asked_by_chance(house, "nobody", ids[10:12], 1, score=None)
    assert proof_of(house)["models"] == []
    curator = house.curator("Ben")
    by_chance = [each["candidate"]["id"] for each in questions(curator, house, 20) if each["strategy"] == "random"]
    asked = [name for name in by_chance if name not in ids[:12]]
    assert asked
    kept = decide(curator, asked[0], "approve")
    assert [each["clips"] for each in proof_of(house)["models"]] == [1]
    assert curator.post(f"/api/decisions/{kept['id']}/undo").status_code < 300
    assert proof_of(house)["models"] == []


def test_labels_are_counted_beside_what_the_gate_asks_for(house: Studio) -> None:
    first, second, *_ = house.candidates()
    curator = house.curator("Ben")
    decide(curator, first.id or 0, "approve")
    decide(curator, second.id or 0, "reject")
    decide(curator, house.candidates(movie_id=house.movies[1])[0].id or 0, "skip")
    told = house.owner().get("/api/training/labels", params={"project": house.project}).json()
    assert (told["approved"], told["rejected"], told["films"]) == (1, 1, 1)
    assert (told["labels_wanted"], told["each_wanted"], told["films_wanted"]) == (100, 20, 3)
