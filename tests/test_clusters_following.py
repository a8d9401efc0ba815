"""After a metric head was promoted or taken out, places and people are clustered anew."""

import pytest
from sqlmodel import Session, col, select

from backend.clusters.following import Change, behind, watcher
from backend.clusters.models import Clustering
from backend.clusters.workflow import start
from backend.errors import Conflict
from backend.jobs.models import OPEN, Job
from tests.corrections import add_films, made_live
from tests.service import Service
from trainer.registry import rollback

SLOT = "metric/scene"


@pytest.fixture
def service(job_store: Service) -> Service:
    return job_store


@pytest.fixture
def project(service: Service) -> int:
    return service.project()


def test_clusters_of_another_head_are_due(service: Service, project: int) -> None:
    add_films(service, project, films=1)
    made_live(service, project, "a")
    assert due_clusters(service) == [(project, "scene", 1)]
    work = watcher(service.resources)
    for _ in range(2):
        work._work()
    with service.session() as session:
        (job,) = session.exec(select(Job)).all()
        assert (job.project_id, job.request, job.kind) == (project, {"kind": "scene"}, "clusters")
        session.get_one(Clustering, (project, "scene")).version = "a"
        session.commit()
    assert due_clusters(service) == []
    with service.session() as session:
        rollback(session, project, SLOT, "Ada")
        with pytest.raises(Conflict, match="The embedding is live"):
            rollback(session, project, SLOT, "Ada")
    assert due_clusters(service) == [(project, "scene", 2)]


def test_a_head_that_is_promoted_while_all_is_clustered_anew_is_followed_after_that(
    service: Service, project: int
) -> None:
    """The job that runs may have read the vectors already."""
    add_films(service, project, films=1)
    with service.session() as session:
        running, _ = start(session, project, None, "Ada")
    made_live(service, project, "a")
    work = watcher(service.resources)
    work._work()
    assert open_jobs(service) == [running.id]
    with service.session() as session:
        session.get_one(Job, running.id).state = "done"
        session.commit()
    for _ in range(2):
        work._work()
    (after,) = open_jobs(service)
    assert after != running.id


def open_jobs(service: Service) -> list[str]:
    with Session(service.resources.reading) as session:
        return list(session.exec(select(Job.id).where(col(Job.state).in_(OPEN))).all())


def due_clusters(service: Service) -> list[Change]:
    with Session(service.resources.reading) as session:
        return behind(session)
