"""What is live: one pointer, moved in one transaction; processes follow it and never use what they cannot trust."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from sqlalchemy import text, update
from sqlmodel import Session, col, select

from backend.errors import Conflict, InputError, NotFound, SchemaMismatch
from backend.features.registry import profile_named
from backend.library.models import Movie
from backend.resources import Resources
from backend.scoring.golden import GOLDEN, check_golden
from backend.scoring.live import LiveModels, Pinned, is_current
from backend.scoring.mlp import CARD, WEIGHTS, load_model
from backend.scoring.models import Live, ModelVersion, Promotion
from tests.command import ROOT, environment
from tests.service import Service, running
from tests.trained import SCHEMA, enter, save_trained, stored
from trainer.registry import live_in, promote, register, rollback, scoring_in
from trainer.versions.service import shown_live

NOTICED_S = 120.0
"""A limit for busy machines; how soon a promotion is noticed is measured by `scripts/bench swap`."""


@pytest.fixture
def project(service: Service) -> int:
    """A project with two versions, a and b."""
    made = service.project()
    for seed, version in enumerate("ab"):
        enter(service, made, version, seed)
    return made


def make_live(service: Service, project: int, version: str, expected: int | None = None) -> Live:
    with service.session() as session:
        live = promote(session, project, version, expected, "Ada", "because")
        session.expunge(live)
        return live


def serving(live: LiveModels, project: int, slot: str = "compelling") -> str:
    return live.held().get((project, slot), "prior")


def soon(what: Callable[[], bool], limit_s: float = NOTICED_S) -> None:
    until = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < until, f"not within {limit_s} s"
        time.sleep(0.02)


def test_golden_vectors_know_their_model(tmp_path: Path) -> None:
    folders = [save_trained(tmp_path / version, version, seed) for seed, version in enumerate("ab")]
    own, other = (load_model(folder) for folder in folders)
    check_golden(folders[0], own)
    with pytest.raises(InputError, match="not the file that its card names"):
        check_golden(folders[1], own)
    changed = [(weight * 1.01, bias) for weight, bias in own.layers]
    with pytest.raises(InputError, match="does not answer its golden vectors"):
        check_golden(folders[0], type(own)(**{**vars(own), "layers": tuple(changed)}))
    (folders[1] / GOLDEN).unlink()
    with pytest.raises(InputError, match=r"has no golden\.safetensors"):
        check_golden(folders[1], other)


def test_a_version_is_entered_once(service: Service, project: int, tmp_path: Path) -> None:
    home = service.resources.home
    with service.session() as session:
        first = session.exec(select(ModelVersion).where(col(ModelVersion.version) == "a")).one()
        assert (first.state, first.folder, first.slot) == ("challenger", "models/a", "compelling")
        again = register(session, home, project, home / "fitted" / "a", None, "test")
        assert again.id == first.id
        with pytest.raises(Conflict, match="another model 'a'"):
            register(session, home, project, save_trained(tmp_path / "a", "a", 7), None, "test")
        for wrong, why in (({"slot": "compelling/"}, "cannot be"), ({"auc": float("nan")}, "not finite")):
            with pytest.raises(InputError, match=why):
                register(session, home, project, save_trained(tmp_path / "c", "c", 1, **wrong), None, "test")
        for name in ("live", "../up", ".hidden"):
            with pytest.raises(InputError, match="is no name"):
                register(session, home, project, save_trained(tmp_path / "n", name, 1), None, "test")
        shutil.rmtree(tmp_path / "n")
        folder = save_trained(tmp_path / "n", "refused", 1, gate={"passed": False, "reasons": ["too few labels"]})
        assert register(session, home, project, folder, None, "test").state == "refused"
        with pytest.raises(Conflict, match="too few labels"):
            promote(session, project, "refused", None, "Ada", "")
        assert live_in(session, project, "compelling").generation == 0


def test_promoted_and_rolled_back(service: Service, project: int) -> None:
    assert make_live(service, project, "a", 0).generation == 1
    assert make_live(service, project, "b").version == "b"
    assert make_live(service, project, "b").generation == 2, "what is live stays live, without another row"
    with service.session() as session:
        with pytest.raises(Conflict, match="Somebody else"):
            promote(session, project, "a", 1, "Ben", "")
        with pytest.raises(NotFound):
            promote(session, project, "c", None, "Ada", "")
        back = [rollback(session, project, "compelling", "Ada").version for _ in "12"]
        assert back == ["a", None], "each goes to what was live before that version"
        with pytest.raises(Conflict, match="nothing to go back to"):
            rollback(session, project, "compelling", "Ada")
        with pytest.raises(NotFound):
            rollback(session, project, "viral", "Ada")
        rows = session.exec(select(Promotion).order_by(col(Promotion.id))).all()
        assert [(row.version, row.previous, row.generation, row.why) for row in rows] == [
            ("a", None, 1, "because"),
            ("b", "a", 2, "because"),
            ("a", "b", 3, "rollback"),
            (None, "a", 4, "rollback"),
        ]
        assert {row.state for row in session.exec(select(ModelVersion))} == {"promoted"}


def test_rolling_back_ends_at_the_prior(service: Service, project: int) -> None:
    """Also where a version was live twice, and whatever people give as a reason."""
    for version, why in (("a", "because"), ("b", "rollback"), ("a", "rollback")):
        with service.session() as session:
            promote(session, project, version, None, "Ada", why)
    with service.session() as session:
        assert [rollback(session, project, "compelling", "Ada").version for _ in "123"] == ["b", "a", None]


def test_what_was_taken_back_is_not_the_last_good_one(service: Service, project: int) -> None:
    make_live(service, project, "a")
    make_live(service, project, "b")
    with service.session() as session:
        rollback(session, project, "compelling", "Ada")
    break_weights(stored(service, "a"))
    started = LiveModels(service.resources)
    started.look()
    assert (serving(started, project), [alarm.version for alarm in started.alarms()]) == ("prior", ["a"])


@pytest.mark.parametrize("expected", [0, None])
def test_of_many_at_once_one_is_first(service: Service, project: int, expected: int | None) -> None:
    together = Barrier(6)

    def one(number: int) -> bool:
        with service.session() as session:
            session.exec(select(ModelVersion.id)).all()
            session.commit()
            together.wait()
            try:
                return promote(session, project, "ab"[number % 2], expected, "Ada", "").generation > 0
            except Conflict:
                return False

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(one, range(6)))
    with service.session() as session:
        rows = session.exec(select(Promotion).order_by(col(Promotion.generation))).all()
        live = live_in(session, project, "compelling")
    assert any(done)
    assert [row.generation for row in rows] == list(range(1, live.generation + 1))
    assert [row.previous for row in rows] == [None, *(row.version for row in rows[:-1])]
    assert rows[-1].version == live.version
    if expected == 0:
        assert live.generation == 1


def test_films_with_other_features_refuse_a_model(service: Service, project: int) -> None:
    enter(service, project, "full", 3, schema=profile_named("full").schema)
    with service.session() as session:
        session.add(Movie(project_id=project, path="film.mp4", state="ready", profile="embedded"))
        session.commit()
        with pytest.raises(SchemaMismatch, match="films have"):
            promote(session, project, "full", None, "Ada", "")


def test_a_running_process_follows(service: Service, project: int) -> None:
    live = service.resources.live
    before = live.pin(project)
    make_live(service, project, "a")
    soon(lambda: serving(live, project) == "a")
    pinned = live.pin(project)
    make_live(service, project, "b")
    soon(lambda: serving(live, project) == "b")
    assert [model.version for pin in (pinned, live.pin(project)) for model in pin.chosen()] == ["a", "b"]
    assert before.chosen() == (), "who pinned the prior keeps it"
    with service.session() as session:
        assert is_current(session, project, live.pin(project))
        assert not is_current(session, project, pinned)
        rollback(session, project, "compelling", "Ada")
        rollback(session, project, "compelling", "Ada")
    soon(lambda: live.pin(project).chosen() == ())


def break_weights(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:-4] + b"\0\0\0\0")


def exchange_weights(folder: Path) -> None:
    """Another model in its place, with a card that fits it."""
    other = save_trained(folder.parent / "other", folder.name, 9)
    for name in (WEIGHTS, CARD):
        shutil.copy(other / name, folder)
    shutil.rmtree(other)


def break_golden(folder: Path) -> None:
    (folder / GOLDEN).write_bytes(b"gold")


def change_schema(folder: Path) -> None:
    card = json.loads((folder / CARD).read_text())
    card["schema"]["version"] += 1
    (folder / CARD).write_text(json.dumps(card))


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize("spoil", [break_weights, exchange_weights, break_golden, change_schema, remove])
def test_what_cannot_be_trusted_never_scores(
    sqlite_template: bytes, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    (tmp_path / "selects.db").write_bytes(sqlite_template)
    url = f"sqlite:///{tmp_path / 'selects.db'}"
    with running(tmp_path / "home", url) as service:
        live, project = service.resources.live, service.project()
        for seed, version in enumerate("ab"):
            enter(service, project, version, seed)
        make_live(service, project, "a")
        live.look()
        spoil(stored(service, "b"))
        make_live(service, project, "b")
        live.look()
        assert serving(live, project) == "a"
        (alarm,) = live.alarms()
        assert (alarm.project_id, alarm.slot, alarm.version, alarm.instead) == (project, "compelling", "b", "a")
        later = LiveModels(service.resources)
        later.look()
        assert serving(later, project) == "a", "at start the last good one is used"
        assert later.alarms() == [alarm]
        spoil(stored(service, "a"))
        last = LiveModels(service.resources)
        last.look()
        assert (serving(last, project), len(last.alarms())) == ("prior", 1)
        assert serving(live, project) == "a", "what is loaded goes on"


def test_files_that_are_put_right_are_used(service: Service, project: int, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, live = stored(service, "a"), LiveModels(service.resources)
    good = (folder / WEIGHTS).read_bytes()
    break_weights(folder)
    make_live(service, project, "a")
    live.look()
    assert live.alarms()
    (folder / WEIGHTS).write_bytes(good)
    monkeypatch.setattr("backend.scoring.live.RETRY_S", 0.0)
    live.look()
    assert (live.alarms(), serving(live, project)) == ([], "a")


def test_a_genre_has_a_model_of_its_own(service: Service, project: int) -> None:
    enter(service, project, "scifi", 5, slot="compelling/sci-fi")
    enter(service, project, "viral", 6, slot="viral")
    for version in ("a", "scifi", "viral"):
        make_live(service, project, version)
    service.resources.live.look()
    pinned = service.resources.live.pin(project)

    def chosen(*genres: str) -> list[str]:
        return [model.version for model in pinned.chosen(genres)]

    assert chosen() == chosen("Drama") == ["a", "viral"]
    assert chosen("Drama", "Science Fiction") == ["scifi", "viral"]
    with service.session() as session:
        row = live_in(session, project, "compelling/sci-fi")
        assert shown_live(service.resources.live, row).serving == "scifi"
        assert scoring_in(session, project, "compelling/drama") == "a", "the champion of a genre without its own"
        assert scoring_in(session, project, "compelling/sci-fi") == "scifi"
        row = rollback(session, project, "compelling/sci-fi", "Ada")
        service.resources.live.look()
        assert shown_live(service.resources.live, row).serving == "a"
    assert Pinned({"compelling/sci-fi": pinned.models["compelling/sci-fi"]}).chosen(["drama"]) == ()


PROMOTER = """
import sys
from itertools import cycle
from pathlib import Path
from sqlmodel import Session
from backend.resources import Resources
from backend.settings import Settings
from trainer.registry import promote
resources = Resources(Settings(home=Path(sys.argv[1]), database={"url": sys.argv[2]}))
for version in cycle("ab"):
    with Session(resources.engine) as session:
        print(promote(session, int(sys.argv[3]), version, None, "Ada", "").generation, flush=True)
"""


def test_killed_while_promoting(service: Service, project: int) -> None:
    """Whatever was cut off: one version is live, the history says how it became so, and it works."""
    settings, rng = service.resources.settings, np.random.default_rng(3)
    seen = []
    for _ in range(3):
        words = [sys.executable, "-c", PROMOTER, str(settings.home), settings.database.url, str(project)]
        env = environment(settings.home, PGAPPNAME="promoter")
        process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        began = [int(process.stdout.readline()) for _ in range(3)]
        assert began[-1] > began[0], "it is at work"
        time.sleep(0.1 + 0.2 * float(rng.random()))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if settings.database.url.startswith(
            "postgresql"
        ):  # it does what it was sent before it sees that nobody is there
            soon(lambda: not _at_work(service))
        seen.append(_sound(service.resources, project))
    assert 0 < seen[0] < seen[1] < seen[2]


def _at_work(service: Service) -> int:
    """How many connections the promoter has."""
    with Session(service.resources.reading) as session:
        counted = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'promoter'")
        return int(session.execute(counted).scalar_one())


def _sound(resources: Resources, project: int) -> int:
    """The generation that is live, after making sure of it."""
    with Session(resources.engine) as session:
        (live,) = session.exec(select(Live).where(col(Live.project_id) == project)).all()
        rows = session.exec(select(Promotion).order_by(col(Promotion.generation))).all()
        session.expunge_all()
        session.execute(update(Live).values(slot=live.slot))  # nobody holds a lock any more
        session.rollback()
    assert [row.generation for row in rows] == list(range(1, live.generation + 1))
    assert rows[-1].version == live.version
    models = LiveModels(resources)
    models.look()
    assert models.alarms() == []
    (model,) = models.pin(project).chosen()
    assert model.version == live.version
    assert np.isfinite(model.probabilities(np.zeros((2, SCHEMA.dimension)))).all()
    return live.generation
