"""A project with models, runs and answers, as rows: what the Models page shows. No figure in them was measured."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session

from backend.database import utc_now
from backend.resources import Resources
from backend.settings import Settings
from labeling.decisions.models import Decision
from labeling.queue.models import Queue
from tests.browser import Site
from tests.curating import Studio, add_film
from tests.service import Service
from tests.trained import enter
from trainer.registry import promote
from trainer.runs.models import TrainingRun

REFUSAL = "It has learnt from 34 labels; 100 are needed."
SUMMARY = "The linear model is as good as the network within the interval (AUC +0.010 [-0.020, +0.040])."


def beside(site: Site) -> Service:
    """The rows and files of a running Selects, without its API."""
    return Service(FastAPI(), Resources(Settings(home=site.home)))


@pytest.fixture(scope="module")
def rows(site: Site) -> Iterator[Service]:
    """The same of the module's site, until its tests are done."""
    service = beside(site)
    yield service
    service.resources.close()


def figures(value: float, n: int = 240, films: int = 12) -> dict[str, dict[str, float | int]]:
    """Figures as a card has them."""
    names = ("auc", "ap", "ndcg5", "brier", "ece")
    return {name: {"value": value, "low": value - 0.08, "high": value + 0.07, "n": n, "films": films} for name in names}


def card(value: float, labels: int, *, passed: bool = True) -> dict[str, Any]:
    """A card with everything on it."""
    contenders = {"challenger": 0.0, "linear": -0.01, "boosting": -0.03, "prior": -0.1, "chance": 0.5 - value}
    table = {name: figures(value + apart) for name, apart in contenders.items()}
    checks = [
        {"name": "labels", "passed": passed, "said": "240 labels." if passed else REFUSAL, "value": None, "limit": 100},
        {"name": "finite", "passed": True, "said": "Every probability is a number.", "value": None, "limit": None},
    ]
    shares = [0.05, 0.15, 0.3, 0.4, 0.55, 0.6, 0.8, 0.9]
    return {
        "summary": SUMMARY,
        "snapshot": "0f8fad5bd9cb469f",
        "figures": table,
        "figures_of": "films",
        "slices": {"films": {"about": "films that it had not seen", "figures": table, "differences": {}}},
        "labels": {
            "total": labels,
            "approved": labels // 2,
            "rejected": labels - labels // 2,
            "films": 12,
            "by_source": {"decision": labels - 20, "reference": 20},
            "by_strategy": {"random": 60, "top-score": 120},
        },
        "split": {"method": "5 folds of films", "train_films": [f"film {at}" for at in range(12)], "holdout_films": []},
        "settings": {"learning_rate": 0.0001, "why": "the defaults"},
        "curves": {
            "epochs": [{"epoch": at, "train_loss": 0.7 / at, "validation_loss": 0.3 + 0.4 / at} for at in range(1, 21)],
            "learning": [
                {"labels": labels // 4 * at, "auc": value - 0.1 / at, "low": value - 0.2 / at, "high": value}
                for at in (1, 2, 4)
            ],
        },
        "reliability": [{"low": s, "high": s, "mean": s, "share": s * 0.9, "n": 30} for s in shares],
        "gate": {"passed": passed, "reasons": [] if passed else [REFUSAL], "checks": checks},
        "remarks": ["12 windows lack some features; the mean of all windows stood in for them."],
        "temperature": 1.2,
        "device": "cpu",
        "seconds": 21.0,
    }


def house_of(service: Service, project: int, films: int, clips: int) -> Studio:
    """A project with so many films of so many candidates each."""
    with service.session() as session:
        movies = tuple(add_film(session, project, f"Film {project}-{number}", clips) for number in range(films))
        session.commit()
    return Studio(service, project, movies)


def answered(house: Studio, model: str, skipped: int, count: int) -> None:
    """Answers to what chance chose, every other one an approval; higher scores are approved a little more often."""
    clips = house.candidates()
    rng = random.Random(skipped)
    per_film, films = len(clips) // len(house.movies), len(house.movies)
    order = [clips[film * per_film + place] for place in range(per_film) for film in range(films)]
    with house.service.session() as session:
        for at, clip in enumerate(order[skipped : skipped + count]):
            score = rng.random()
            session.add(answer(clip, model, approve=rng.random() < 0.2 + 0.6 * score, score=score, at=at))
        session.commit()


def duelled(house: Studio, champion: str, rival: str) -> None:
    """A rival shares the queue with the champion: half of its clips were approved, a tenth of the champion's."""
    with house.service.session() as session:
        session.add(Queue(project_id=house.project, rival=rival))
        for at, clip in enumerate(house.candidates()[-80:]):
            approve = at % 4 == 0 if at % 2 == 0 else at % 20 == 1
            row = answer(clip, champion, approve=approve, score=0.5, at=at)
            row.strategy, row.round, row.key = "top-score", 2, f"duel-{clip.id}"
            row.team = champion if at % 2 else rival
            session.add(row)
            session.merge(clip).verdict = row.verdict
        session.commit()


def answer(clip: Any, model: str, *, approve: bool, score: float, at: int) -> Decision:
    """One answer to what chance chose."""
    copied = ("project_id", "movie_sha256", "movie_title", "start_frame", "end_frame", "start_s", "end_s")
    facts = {name: getattr(clip, name) for name in copied} | {"candidate_id": clip.id, "curator": "Ada"}
    why = {"strategy": "random", "propensity": 0.2, "round": 1, "model": model, "score": score}
    facts["key"] = f"{model}-{clip.id}"
    verdict = "approve" if approve else "reject"
    return Decision(**facts, **why, verdict=verdict, decided_at=utc_now() - timedelta(hours=500 - at))


def run(session: Session, project: int, number: int, state: str, **more: Any) -> str:
    """A training run in this state; its id."""
    identity = f"run-{project}-{number}"
    moments = {"created_at": utc_now() - timedelta(hours=number + 1)}
    if state not in ("queued", "running"):
        moments["finished_at"] = utc_now() - timedelta(hours=number)
    session.add(TrainingRun(id=identity, project_id=project, state=state, workflow=identity, **moments, **more))
    session.commit()
    return identity


def with_versions(house: Studio, names: tuple[str, ...]) -> None:
    """Versions of a project, the last of them refused, the first promoted."""
    for at, name in enumerate(names):
        enter(
            house.service, house.project, name, at, **card(0.6 + 0.02 * at, 200 + 20 * at, passed=at < len(names) - 1)
        )
    with house.service.session() as session:
        promote(session, house.project, names[0], None, "owner", "better on the random slice")
