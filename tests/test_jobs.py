"""Jobs on both databases: who lives, who reaps, whose job it is, and how one is stopped and tried again."""

import os
import select as streams
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import Conflict
from backend.jobs import service as jobs
from backend.jobs.liveness import beat, bury, enrol, find_lost, held_by_another, serving, sweep, take_lease
from backend.jobs.models import Job, JobStage, Lease, Worker
from backend.jobs.service import Cancelled, Doing, Fenced, Report
from backend.jobs.timing import SILENT_S
from backend.library.models import Movie
from tests.command import ROOT, environment
from tests.service import Service

LIMIT_S = 300


@pytest.fixture
def service(job_store: Service) -> Service:
    return job_store


@pytest.fixture
def session(service: Service) -> Iterator[Session]:
    with service.session() as made:
        yield made


def new_job(service: Service, *, enqueued: bool = True) -> Job:
    with Session(service.resources.engine, expire_on_commit=False) as session:
        project = service.project()
        movie = Movie(project_id=project, path="/films/a.mp4", title="A")
        session.add(movie)
        session.flush()
        job = jobs.new_job(session, movie.project_id, movie.id, "ingest", {}, "me")
        session.commit()
        session.refresh(job)
    if enqueued:
        jobs.enqueue(service.resources.queue, job)
    return job


def look(service: Service, job: Job) -> Job:
    with Session(service.resources.reading) as session:
        return session.get_one(Job, job.id)


def silence(session: Session, name: str) -> None:
    """As if the worker had not been heard of for longer than the limit."""
    session.execute(update(Worker).where(col(Worker.name) == name).values(beat=Worker.beat - 2 * SILENT_S))
    session.commit()


def end_leases(session: Session) -> None:
    session.execute(update(Lease).values(until=0.0))
    session.commit()


def state_of(session: Session, name: str) -> str:
    return session.exec(select(Worker.state).where(col(Worker.name) == name)).one()


class Ghost:
    """A process that takes jobs and never finishes one."""

    def __init__(self, service: Service, name: str) -> None:
        with service.session() as session:
            enrol(session, name, ["cpu"])
        self.name = name
        words = [sys.executable, "-m", "tests.ghost", name, service.resources.settings.jobs_url]
        settings = environment(service.resources.home)
        self.process = subprocess.Popen(words, cwd=ROOT, env=settings, stdout=subprocess.PIPE)

    def taken(self, count: int, wait_s: float = LIMIT_S) -> set[str]:
        """The next workflows that it is given, as many as `count` if they come in time."""
        assert self.process.stdout is not None
        found: list[str] = []
        until = time.monotonic() + wait_s
        while len(found) < count and streams.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]:
            found += os.read(self.process.stdout.fileno(), 1 << 16).decode().split()
        assert len(found) == len(set(found))
        return set(found)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def test_a_worker_lives_while_it_is_heard_of(session: Session, service: Service) -> None:
    enrol(session, "a", ["cpu", "gpu"])
    assert beat(session, "a")
    assert serving(session)["cpu"] == 1
    silence(session, "a")
    assert serving(session)["cpu"] == 0
    assert beat(session, "a"), "one that was slow, and that nobody gave up, lives on"
    bury(session, "a")
    assert not beat(session, "a")
    assert not beat(session, "never heard of")


def test_a_lease_has_one_holder(session: Session, service: Service) -> None:
    holders: list[str] = []

    def try_it(name: str) -> None:
        with service.session() as own:
            if take_lease(own, "x", name):
                holders.append(name)

    threads = [threading.Thread(target=try_it, args=(str(n),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(holders) == 1
    assert take_lease(session, "x", holders[0]), "the holder renews it"
    assert not take_lease(session, "x", "another")
    assert held_by_another(session, "x", "another")
    assert not held_by_another(session, "x", holders[0])
    assert not held_by_another(session, "y", "another"), "nobody ever had it"
    end_leases(session)
    assert not held_by_another(session, "x", "another"), "it has run out"
    assert take_lease(session, "x", "another")
    assert not take_lease(session, "x", holders[0])


def test_what_the_dead_leave_is_resumed_once(session: Session, service: Service) -> None:
    """One story: a worker is killed with two films; its reaper dies between the lines; a second worker dies, too."""
    queue = service.resources.queue
    wanted = {new_job(service).workflow for _ in range(2)}
    with ExitStack() as ending:
        first = Ghost(service, "first")
        ending.callback(first.kill)
        assert first.taken(2) == wanted
        first.kill()
        beat(session, "first")  # a process starts slowly on a busy machine
        assert sweep(session, queue, "reaper")
        assert state_of(session, "first") == "alive", "it was heard of just now"
        assert set(queue.states(list(wanted)).values()) == {"PENDING"}
        # A reaper that dies after it has said who is dead, and before it resumes anything.
        bury(session, "first")
        assert not sweep(session, queue, "another"), "the lease is still the dead reaper's"
        end_leases(session)
        assert sweep(session, queue, "another")
        assert set(queue.states(list(wanted)).values()) == {"ENQUEUED"}

        second = Ghost(service, "second")
        ending.callback(second.kill)
        assert second.taken(2) == wanted
        for _ in range(3):
            beat(session, "second")
            assert sweep(session, queue, "another")
        assert second.taken(1, wait_s=1) == set(), "what the living do is left alone"
        second.kill()
        silence(session, "second")
        assert sweep(session, queue, "another")
        assert state_of(session, "second") == "dead"
        assert set(queue.states(list(wanted)).values()) == {"ENQUEUED"}


def test_a_job_that_was_never_enqueued_is_found(session: Session, service: Service) -> None:
    job = new_job(service, enqueued=False)
    find_lost(session, service.resources.queue)
    assert service.resources.queue.states([job.workflow]) == {}, "it may be about to be enqueued"
    session.execute(update(Job).values(created_at=utc_now() - timedelta(seconds=10)))
    session.commit()
    for _ in range(2):
        find_lost(session, service.resources.queue)
        assert service.resources.queue.states([job.workflow]) == {job.workflow: "ENQUEUED"}


def test_a_job_whose_workflow_ended_without_it_is_queued_again(session: Session, service: Service) -> None:
    queue = service.resources.queue
    going, stopping = new_job(service), new_job(service)
    session.execute(update(Job).values(created_at=utc_now() - timedelta(seconds=10), state="running"))
    session.execute(update(Job).where(col(Job.id) == stopping.id).values(state="cancelling"))
    session.commit()
    for job in (going, stopping):
        queue.cancel(job.workflow)
    find_lost(session, queue)
    again = look(service, going)
    assert (again.state, again.workflow) == ("queued", f"{going.id}-1")
    assert queue.states([again.workflow]) == {again.workflow: "ENQUEUED"}
    assert look(service, stopping).state == "cancelled"


def claimed(session: Session, service: Service, *workers: str) -> tuple[Job, list[Doing]]:
    """A job that each of these living workers was handed, one after the other."""
    job = new_job(service, enqueued=False)
    doings = [Doing(job.id, job.workflow, name) for name in workers]
    for doing in doings:
        enrol(session, doing.worker, ["cpu"])
        jobs.claim(session, doing, "probe", 0.0)
    return job, doings


def test_whoever_is_handed_a_job_has_it_alone(session: Session, service: Service) -> None:
    job, (old, new) = claimed(session, service, "old", "new")
    with pytest.raises(Fenced):
        jobs.report(session, old, Report("probe", 0.5))
    with pytest.raises(Fenced):
        jobs.fence(session, old)
    session.rollback()
    jobs.finish(session, old, "failed", problem="too late")
    jobs.report(session, new, Report("probe", 0.25, 1, 4, "frames", 2.0, 1.5))
    jobs.fence(session, new)
    session.commit()
    seen = look(service, job)
    assert (seen.state, seen.worker, seen.fraction, seen.eta_s) == ("running", "new", 0.25, 1.5)


def test_who_was_given_up_changes_nothing(session: Session, service: Service) -> None:
    job, (doing,) = claimed(session, service, "a")
    bury(session, "a")
    for call in (
        lambda: jobs.claim(session, doing, "scan", 0.1),
        lambda: jobs.report(session, doing, Report("probe", 0.5)),
        lambda: jobs.fence(session, doing),
        lambda: jobs.finish(session, doing, "done"),
    ):
        with pytest.raises(Fenced):
            call()
        session.rollback()
    assert (look(service, job).state, look(service, job).fraction) == ("running", 0.0)


def test_cancel_before_it_begins(session: Session, service: Service) -> None:
    job = new_job(service)
    jobs.cancel(session, service.resources.queue, session.get_one(Job, job.id))
    seen = look(service, job)
    assert (seen.state, seen.finished_at is not None) == ("cancelled", True)
    assert service.resources.queue.states([job.workflow]) == {job.workflow: "CANCELLED"}
    assert session.get_one(Movie, job.movie_id).state == "cancelled"
    enrol(session, "a", ["cpu"])
    with pytest.raises(Cancelled):
        jobs.claim(session, Doing(job.id, job.workflow, "a"), "probe", 0.0)
    with pytest.raises(Conflict, match="cancelled already"):
        jobs.cancel(session, service.resources.queue, session.get_one(Job, job.id))


def test_cancel_while_it_runs(session: Session, service: Service) -> None:
    job, (doing,) = claimed(session, service, "a")
    jobs.cancel(session, service.resources.queue, session.get_one(Job, job.id))
    assert look(service, job).state == "cancelling"
    with pytest.raises(Cancelled):
        jobs.report(session, doing, Report("probe", 0.5))
    jobs.finish(session, doing, "failed", problem="its folder went away")
    seen = look(service, job)
    assert (seen.state, seen.problem) == ("cancelled", "")


def test_a_cancelled_job_of_a_dead_worker_is_ended_by_the_next(session: Session, service: Service) -> None:
    job, _ = claimed(session, service, "a")
    jobs.cancel(session, service.resources.queue, session.get_one(Job, job.id))
    bury(session, "a")
    enrol(session, "b", ["cpu"])
    next_one = Doing(job.id, job.workflow, "b")
    with pytest.raises(Cancelled):
        jobs.claim(session, next_one, "scan", 0.2)
    jobs.finish(session, next_one, "cancelled")
    assert look(service, job).state == "cancelled"


def test_retry_is_a_new_workflow(session: Session, service: Service) -> None:
    queue = service.resources.queue
    job, (doing,) = claimed(session, service, "a")
    with pytest.raises(Conflict, match="running"):
        jobs.retry(session, queue, session.get_one(Job, job.id))
    jobs.stage_done(session, doing, "probe", 1.0, "a note")
    jobs.stage_done(session, doing, "probe", 2.0)
    jobs.finish(session, doing, "failed", problem="It cannot be read.")
    assert session.get_one(Movie, job.movie_id).problem == "It cannot be read."
    jobs.retry(session, queue, session.get_one(Job, job.id))
    seen = look(service, job)
    assert (seen.state, seen.workflow, seen.problem, seen.note) == ("queued", f"{job.id}-1", "", "")
    assert queue.states([seen.workflow]) == {seen.workflow: "ENQUEUED"}
    with pytest.raises(Fenced):
        jobs.claim(session, doing, "proxy", 0.1)
    assert session.exec(select(JobStage.seconds)).all() == [1.0]
