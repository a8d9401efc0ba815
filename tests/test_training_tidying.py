"""What training leaves behind: files of old refused models go, their cards stay, and what is needed stays whole."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from backend.jobs.liveness import enrol
from backend.jobs.service import Doing
from backend.scoring.models import REFUSED, ModelVersion
from labeling.queue.rivals import may_be_rival
from tests.models_rows import REFUSAL, card
from tests.service import Service, running
from tests.trained import enter, save_trained
from trainer.registry import promote, register
from trainer.runs import service as runs
from trainer.runs.models import TrainingRun
from trainer.runs.shapes import RunNew
from trainer.runs.tidying import LEFT_AFTER_S, tidied_words, tidy_refused
from trainer.workflow import Ended, decide, enter_version

KEPT, WORKER = 2, "a worker"


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    with running(tmp_path / "home", database_url, training={"refused_kept": KEPT}) as made:
        yield made


def refused(service: Service, project: int, *names: str, slot: str = "compelling") -> None:
    for seed, name in enumerate(names):
        enter(service, project, name, seed, **card(0.6, 34, passed=False), slot=slot)


def tidied(service: Service, project: int, slot: str = "compelling") -> list[str]:
    with service.session() as session:
        return tidy_refused(session, service.resources, project, slot)


def on_disk(service: Service) -> set[str]:
    return {path.name for path in (service.resources.home / "models").iterdir()}


def test_old_refused_models_go_and_their_cards_stay(service: Service) -> None:
    project, other = service.project(), service.project("Another")
    refused(service, project, "a", "b", "c", "d")
    refused(service, project, "drama", slot="compelling/drama")
    refused(service, other, "elsewhere")
    enter(service, project, "waiting", 9)  # the gate let it pass, and nobody has promoted it yet
    before = service.client(service.token()).get("/api/models/a").json()
    assert tidied(service, project) == ["b", "a"]
    assert on_disk(service) == {"c", "d", "drama", "elsewhere", "waiting"}
    client = service.client(service.token())
    after = client.get("/api/models/a").json()
    assert before["kept"]
    assert after == before | {"kept": False}
    assert after["card"]["figures"]["challenger"]["auc"]["value"] == 0.6
    assert after["reasons"] == [REFUSAL]
    listed = client.get("/api/models", params={"project": project}).json()["items"]
    assert {each["version"] for each in listed if not each["kept"]} == {"a", "b"}
    asked = client.patch("/api/queue", params={"project": project}, json={"rival": "a"})
    assert (asked.status_code, "Unknown model 'a'" in asked.json()["detail"]) == (422, True), asked.text
    assert tidied(service, project) == []


def test_what_is_live_can_be_gone_back_to_or_is_in_a_duel_stays(service: Service) -> None:
    """However old it is, and whatever is said of it."""
    project = service.project()
    for seed, name in enumerate(("first", "before", "now")):
        enter(service, project, name, seed)
        with service.session() as session:
            promote(session, project, name, None, "me", "")
    refused(service, project, "rival", "trained", "old", "new", "newest")
    client = service.client(service.token())
    assert client.patch("/api/queue", params={"project": project}, json={"rival": "rival"}).status_code == 200
    with service.session() as session:
        run, _ = runs.start(session, project, RunNew(), "me")
        run.version = "trained"
        session.add(run)
        session.execute(update(ModelVersion).where(col(ModelVersion.project_id) == project).values(state=REFUSED))
        session.commit()
    assert tidied(service, project) == ["old"]
    assert on_disk(service) == {"first", "before", "now", "rival", "trained", "new", "newest"}
    with service.session() as session:
        assert may_be_rival(session, project)[-4:] == ["rival", "now", "before", "first"]
    assert client.patch("/api/queue", params={"project": project}, json={"rival": None}).status_code == 200
    assert tidied(service, project) == ["rival"]


def test_what_somebody_left_who_died_is_removed_later(service: Service) -> None:
    project = service.project()
    refused(service, project, "a", "b", "c")
    with service.session() as session:  # died between saying that they are gone and removing them
        session.execute(update(ModelVersion).where(col(ModelVersion.version) == "a").values(folder=""))
        session.commit()
    assert tidied(service, project) == []
    assert "a" in on_disk(service), "it may be written at this moment"
    long_ago = time.time() - 2 * LEFT_AFTER_S
    os.utime(service.resources.home / "models" / "a", (long_ago, long_ago))
    assert tidied(service, project) == []
    assert on_disk(service) == {"b", "c"}


def test_one_that_comes_again_has_its_files_again(service: Service, tmp_path: Path) -> None:
    project = service.project()
    refused(service, project, "a", "b", "c")
    assert tidied(service, project) == ["a"]
    folder = save_trained(tmp_path / "again", "a", 0, **card(0.6, 34, passed=False))
    with service.session() as session:
        row = register(session, service.resources.home, project, folder, None, "me")
        assert (row.folder, row.created_by) == ("models/a", "test")
    assert "a" in on_disk(service)
    assert service.client(service.token()).get("/api/models/a").json()["kept"]


def test_a_run_says_what_it_removed(service: Service) -> None:
    project, resources = service.project(), service.resources
    refused(service, project, *(f"old-{at}" for at in range(6)))
    save_trained(resources.home / "training" / "made", "made", 7, **card(0.6, 34, passed=False))
    with service.session() as session:
        run, _ = runs.start(session, project, RunNew(), "me")
        enrol(session, WORKER, ["gpu"])
        doing = Doing(run.id, run.workflow, WORKER)
        runs.claim(session, doing, "register", 0.9)
    facts = enter_version(resources, doing, {"folder": "training/made"})
    assert facts["version"] == "made"
    assert not facts["passed"]
    said = "files of old refused models removed: old-4, old-3, old-2 and 2 more"
    with service.session() as session:
        assert session.get_one(TrainingRun, run.id).note == said
        stays = set(session.exec(select(ModelVersion.version).where(col(ModelVersion.folder) != "")).all())
    assert stays == on_disk(service) == {"old-5", "made"}
    with pytest.raises(Ended, match="100 are needed"):
        decide(resources, doing, facts)
    assert tidied_words([]) == ""
