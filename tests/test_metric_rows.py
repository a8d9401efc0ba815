"""From corrections in the database to a head that is live: frozen, trained, promoted, followed, searched with."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, select

from backend.clusters.head import Head
from backend.clusters.metric import common_head, head_of
from backend.errors import SchemaMismatch
from backend.jobs.liveness import enrol
from backend.jobs.queue import migrate_jobs
from backend.jobs.service import Doing
from backend.resources import Resources
from backend.scoring.live import is_current
from tests.corrections import SPACE, add_films, correct, enter_head, key_of, made_live, say, take_back
from tests.databases import sqlite_in
from tests.service import Service, running
from tests.test_live import break_weights, soon
from trainer.heads.data import NOTHING, read_corrections
from trainer.heads.rows import NO_ITEM, freeze_corrections
from trainer.material.labels import snapshots_folder
from trainer.registry import promote, rollback
from trainer.runs import service as runs
from trainer.runs.models import TrainingRun
from trainer.runs.news import CRON, LABELS, corrections_since, last_run, metric_slots_due
from trainer.runs.shapes import RunNew
from trainer.schedule import fire
from trainer.workflow import STEPS, Ended, enter_version, fit, snapshot

SLOT, WORKER = "metric/scene", "a worker"
MOMENT = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)


@pytest.fixture
def service(job_store: Service) -> Service:
    return job_store


@pytest.fixture
def project(service: Service) -> int:
    return service.project()


def trained(service: Service, project: int) -> str:
    """The version that a run of the project gives, live; its steps one after the other, as a worker does them."""
    resources = service.resources
    with service.session() as session:
        run, _ = runs.start(session, project, RunNew(slot=SLOT), "Ada")
        doing = Doing(run.id, run.workflow, WORKER)
        enrol(session, WORKER, ["gpu"])
        runs.claim(session, doing, "train", 0.0)
    known: dict[str, Any] = {}
    for step in (snapshot, fit, enter_version):
        known |= step(resources, doing, known)
    with pytest.raises(Ended) as ended:
        STEPS["promote"](resources, doing, known)
    assert ended.value.state == "done", ended.value.problem
    with service.session() as session:
        runs.finish(session, doing, "done", note=ended.value.note)
    return str(known["version"])


def test_corrections_that_stand_are_frozen(service: Service, project: int) -> None:
    movies = add_films(service, project)
    made = correct(service, project, movies, each=3)
    with service.session() as session:
        take_back(session, project, made[0])
        sha256 = f"{project:032x}{1:032x}"
        own = say(session, project, key_of(sha256, 3), key_of(sha256, 4))
        say(session, project, key_of("f" * 64, 1), key_of(sha256, 2))
        session.commit()
    frozen = freeze_corrections(service.resources, project, "scene")
    assert (frozen.labels, frozen.films, frozen.left_out) == (len(made), 5, {NO_ITEM: 1})
    assert frozen.note == "1 pairs of corrections were left out: what they name is not in the library"
    found = read_corrections(frozen.folder)
    assert made[0] not in found.correction
    assert found.triplets[found.correction == own].tolist()[0][2] == NOTHING
    assert found.vectors.shape == (180, SPACE.dimension)
    assert found.reviewed.all(), "all clusters have names"
    assert 1 <= found.held.sum() < 5
    anchor, positive, negative = found.triplets[0]
    assert found.cluster[anchor] == found.cluster[positive] != found.cluster[negative]
    assert freeze_corrections(service.resources, project, "scene").id == frozen.id
    empty = freeze_corrections(service.resources, project, "character")
    assert (empty.labels, len(read_corrections(empty.folder).vectors)) == (0, 0)
    assert snapshots_folder(service.resources.home) == empty.folder.parent


def test_from_corrections_to_what_is_live(sqlite_template: bytes, tmp_path: Path) -> None:
    url = sqlite_in(tmp_path, sqlite_template)
    with running(tmp_path, url) as service:
        migrate_jobs(service.resources.settings.jobs_url)
        project = service.project()
        correct(service, project, add_films(service, project, films=8))
        client, resources = service.client(service.token()), service.resources
        version = trained(service, project)
        soon(lambda: head_of(resources, project, "scene") is not None)
        head = head_of(resources, project, "scene")
        assert head is not None
        assert (head.version, head.space, head_of(resources, project, "character")) == (version, SPACE.name, None)
        row = client.get(f"/api/models/{version}").json()
        assert (row["slot"], row["kind"], row["live"], row["features"]) == (SLOT, "metric", True, SPACE.name)
        assert row["figures"]["corrected"]["films"] == 8
        (live,) = client.get("/api/models/live", params={"project": project}).json()["items"]
        assert (live["slot"], live["version"], live["serving"], live["problem"]) == (SLOT, version, version, "")
        assert client.get("/api/models", params={"project": project, "slot": SLOT}).json()["total"] == 1


def test_similar_shots_are_in_the_order_of_the_head(service: Service, project: int) -> None:
    movies = add_films(service, project)
    client = service.client(service.token())
    like = {"movie": movies[0], "shot": 5, "limit": 200}
    before = client.get("/api/similar", params=like).json()
    assert (before["model"], before["total"]) == (None, 179)
    head = made_live(service, project, "a")
    after = client.get("/api/similar", params=like).json()
    assert (after["model"], after["total"], after["how"]) == ("a", 179, "exact")
    shots = [(hit["movie_id"], hit["shot"]) for hit in after["items"]]
    assert sorted(shots) == sorted((hit["movie_id"], hit["shot"]) for hit in before["items"])
    likeness = by_hand(service, head, (movies[0], 5))
    found = [likeness[shot] for shot in shots]
    assert all(first >= second - 1e-5 for first, second in pairwise(found))
    assert [hit["score"] for hit in after["items"]] == pytest.approx([max(0, each) for each in found], abs=1e-4)
    pages = [client.get("/api/similar", params=like | {"limit": 50, "offset": at}).json() for at in (0, 50)]
    assert pages[0]["items"] + pages[1]["items"] == after["items"][:100]
    with service.session() as session:
        rollback(session, project, SLOT, "Ada")
    soon(lambda: head_of(service.resources, project, "scene") is None)
    assert client.get("/api/similar", params=like).json() == before


def by_hand(service: Service, head: Head, own: tuple[int, int]) -> dict[tuple[int, int], float]:
    """The likeness of all shots to one, through the head."""
    (hall,) = service.resources.gallery._halls.values()
    rows = np.concatenate([head.apply(film.vectors) for film in hall.films])
    names = [(film.ref.movie_id, shot) for film in hall.films for shot in film.shot_of.tolist()]
    return dict(zip(names, (rows @ rows[names.index(own)]).tolist(), strict=True))


def test_what_is_beyond_those_ranked_anew_follows(service: Service, project: int, monkeypatch: Any) -> None:
    movies = add_films(service, project, films=2)
    client, like = service.client(service.token()), {"movie": movies[0], "shot": 5, "limit": 71}
    plain = client.get("/api/similar", params=like).json()["items"]
    made_live(service, project, "a")
    monkeypatch.setattr("backend.search.taught.RERANKED", 20)
    found = client.get("/api/similar", params=like).json()["items"]
    key = [(hit["movie_id"], hit["shot"]) for hit in plain]
    assert {(hit["movie_id"], hit["shot"]) for hit in found[:20]} == set(key[:20])
    assert [(hit["movie_id"], hit["shot"]) for hit in found[20:]] == key[20:]
    scores = [hit["score"] for hit in found]
    assert scores == sorted(scores, reverse=True)


def test_several_projects_are_searched_through_a_head_only_if_all_have_it(service: Service, project: int) -> None:
    movies, other = add_films(service, project, films=1), service.project("Another")
    resources, client = service.resources, service.client(service.token())
    made_live(service, project, "a")
    assert common_head(resources, [project, project], "scene", SPACE.name) is not None
    assert common_head(resources, [project, other], "scene", SPACE.name) is None
    assert common_head(resources, [project], "scene", "openclip") is None
    assert common_head(resources, [], "scene", SPACE.name) is None
    add_films(service, other, films=2)
    like = {"movie": movies[0], "shot": 5}
    assert client.get("/api/similar", params=like).json()["model"] is None
    assert client.get("/api/similar", params=like | {"project": project}).json()["model"] == "a"


def test_a_broken_head_leaves_the_one_before(service: Service, project: int) -> None:
    resources, client = service.resources, service.client(service.token())
    made_live(service, project, "a")
    enter_head(service, project, "b", 1)
    break_weights(resources.home / "models" / "b")
    with service.session() as session:
        promote(session, project, "b", None, "Ada", "")
    gauge = f'selects_model_alarm{{project="{project}",slot="metric/scene"}}'
    soon(lambda: f"{gauge} 1.0" in client.get("/metrics").text)
    head = head_of(resources, project, "scene")
    assert head is not None
    assert head.version == "a"
    later = Resources(resources.settings)
    fallen = head_of(later, project, "scene")
    later.close()
    assert fallen is not None
    assert fallen.version == "a", "at start the last good one is used"
    assert not resources.live.pin(project).models, "a head scores no clips"
    with service.session() as session:
        assert is_current(session, project, resources.live.pin(project))


def test_a_head_for_vectors_that_the_films_lack_is_not_promoted(service: Service, project: int) -> None:
    enter_head(service, project, "other", extractor="openclip")
    add_films(service, project, films=1)
    with service.session() as session, pytest.raises(SchemaMismatch, match="films have others"):
        promote(session, project, "other", None, "Ada", "")


def test_it_is_trained_when_enough_was_corrected(service: Service, project: int) -> None:
    resources, movies = service.resources, add_films(service, project)
    settings = resources.settings.training

    def due(trigger: str) -> list[str]:
        with Session(resources.reading) as session:
            return metric_slots_due(session, project, trigger, settings)

    made = correct(service, project, movies[:2], each=12)
    assert len(made) >= 20
    assert (due(CRON), due(LABELS)) == ([SLOT], []), f"{settings.new_corrections} start one at once"
    with service.session() as session:
        for correction in made[19:]:
            take_back(session, project, correction)
        session.commit()
    assert due(CRON) == [], "19 stand"
    correct(service, project, movies[2:], each=3)
    assert due(LABELS) == [SLOT]
    fire(resources, LABELS, MOMENT)
    assert due(CRON) == due(LABELS) == [], "one is open"
    with service.session() as session:
        (run,) = session.exec(select(TrainingRun)).all()
        assert (run.slot, run.trigger) == (SLOT, "labels")
        run.state = "refused"
        session.add(run)
        session.commit()
    assert due(CRON) == [], "nothing is new"
    with service.session() as session:
        take_back(session, project, made[0])
        session.commit()
        last = last_run(session, project, SLOT)
        assert corrections_since(session, project, "scene", last) == 1, "what was taken back is new, too"
    assert due(CRON) == [SLOT]
    said = service.client(service.token()).get("/api/training/schedule", params={"project": project}).json()
    scene, character = said["corrections"]
    assert (scene["new"], scene["wanted"], scene["least"]) == (1, settings.new_corrections, 20)
    assert (character["standing"], said["slots"]) == (0, ["compelling", SLOT])
