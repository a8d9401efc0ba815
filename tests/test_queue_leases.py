"""Whatever curators do, in whatever order: leases, answers and rows that are only ever added. On both databases."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.errors import Conflict
from backend.library.models import Candidate
from backend.members.models import Person
from backend.members.service import Principal, principal
from labeling.decisions import service
from labeling.decisions.models import Decision
from labeling.decisions.replay import state
from labeling.decisions.shapes import DecisionNew
from labeling.decisions.trims import cuts_of
from labeling.queue import leases
from labeling.queue.desk import Desk
from labeling.queue.models import Question, Queue
from tests.curating import Studio, studio
from tests.service import Service, running

NAMES = ("Ada", "Ben", "Cleo")
WHO = st.integers(0, len(NAMES) - 1)
CLIPS = 12
VERDICTS = st.sampled_from(["approve", "reject", "skip", "flag", "trim"])


class Curators(RuleBasedStateMachine):
    """Three people at one project; `live` is what they hold, by what they were told."""

    service: Service

    @initialize(overlap=st.sampled_from([0.0, 0.3, 1.0]))
    def begin(self, overlap: float) -> None:
        self.desk = Desk(self.service.resources)
        self.studio: Studio = studio(self.service, films=2, clips=CLIPS // 2)
        self.who = [self._member(name) for name in NAMES]
        self.live = defaultdict[int, set[int]](set)
        self.answered = set[tuple[int, int]]()
        self.mine = defaultdict[int, list[tuple[int, int]]](list)
        self.rows: list[dict[str, Any]] = []
        self.keys = 0
        with self.service.session() as session:
            session.add(Queue(project_id=self.studio.project, strategy="random", overlap=overlap))
            session.commit()

    def _member(self, name: str) -> Principal:
        self.service.member(self.studio.project, "curator", name)
        with self.service.session() as session:
            return principal(session.exec(select(Person).where(col(Person.name) == name)).one())

    @rule(who=WHO, k=st.integers(1, 6))
    def ask(self, who: int, k: int) -> None:
        given = [row.candidate_id for row in self.desk.ask(self.studio.project, self.who[who], k).questions]
        assert len(given) == len(set(given)), "the same twice"
        overlap = self._overlap()
        for candidate in given:
            others = self.live[candidate] - {who}
            done = {person for person, of in self.answered if of == candidate}
            assert who not in done, "it was answered already"
            assert len(others | done) <= (1 if candidate in overlap else 0), "somebody has it already"
            self.live[candidate].add(who)

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), verdict=VERDICTS)
    def answer(self, data: st.DataObject, verdict: str) -> None:
        held = sorted((person, candidate) for candidate, who in self.live.items() for person in who)
        person, candidate = data.draw(st.sampled_from(held))
        self._say(person, candidate, verdict)
        self.live[candidate].discard(person)
        if verdict != "skip":
            self.answered.add((person, candidate))

    @rule(who=WHO, data=st.data(), verdict=VERDICTS)
    def say_unasked(self, who: int, data: st.DataObject, verdict: str) -> None:
        """Somebody picks what nobody holds and nobody was asked about."""
        asked = self._asked() | {candidate for candidate, live in self.live.items() if live}
        free = [row.id or 0 for row in self.studio.candidates() if row.id not in asked]
        if free:
            self._say(who, data.draw(st.sampled_from(free)), verdict)

    def _say(self, person: int, candidate: int, verdict: str) -> None:
        self.keys += 1
        said: dict[str, Any] = {"candidate": candidate, "verdict": verdict, "key": f"{person}-key-{self.keys:05d}"}
        if verdict == "trim":
            said |= {"verdict": "approve", "start_frame": 50_000 + 10 * self.keys, "end_frame": 51_000 + 10 * self.keys}
        new = [DecisionNew.model_validate(said)]
        with self.service.session() as session:
            (kept,) = service.save(session, self.who[person], new, cuts_of(self.service.resources, new))
        with self.service.session() as session:  # it was sent again
            assert service.save(session, self.who[person], new, cuts_of(self.service.resources, new)) == [kept]
        self.mine[person].append((kept.id, candidate))

    @precondition(lambda self: any(self.mine.values()))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(sorted(person for person, made in self.mine.items() if made)))
        decision, candidate = self.mine[person].pop()
        with self.service.session() as session:
            try:
                service.undo(session, self.who[person], decision)
            except Conflict:
                return
        with Session(self.service.resources.reading) as session:
            question = leases.question_of(session, self.who[person], candidate)
            if question is not None and not question.answered:
                assert candidate in self._overlap() or not self.live[candidate] - {person}
                self.live[candidate].add(person)
                self.answered.discard((person, candidate))

    @rule(who=WHO)
    def give_back(self, who: int) -> None:
        held = [candidate for candidate, live in self.live.items() if who in live]
        with self.service.session() as session:
            leases.release(session, self.studio.project, self.who[who], held)
            session.commit()
        for candidate in held:
            self.live[candidate].discard(who)

    @rule()
    def time_passes(self) -> None:
        with self.service.session() as session:
            session.execute(update(Question).where(col(Question.until).is_not(None)).values(until=1.0))
            session.commit()
        self.live.clear()

    @invariant()
    def rows_are_only_added(self) -> None:
        with Session(self.service.resources.reading) as session:
            of_project = select(Decision).where(col(Decision.project_id) == self.studio.project)
            rows = session.exec(of_project.order_by(col(Decision.id))).all()
            now = [row.model_dump() for row in rows]
            assert now[: len(self.rows)] == self.rows
            assert len({(row.curator, row.key) for row in rows}) == len(rows)
            self.rows = now
            for candidate in session.exec(select(Candidate).where(col(Candidate.project_id) == self.studio.project)):
                of = [row for row in rows if row.candidate_id == candidate.id]
                assert (candidate.decided, candidate.verdict) == (len(of), state(of).verdict)

    def _overlap(self) -> set[int]:
        with Session(self.service.resources.reading) as session:
            return set(session.exec(select(Question.candidate_id).where(col(Question.overlap))).all())

    def _asked(self) -> set[int]:
        with Session(self.service.resources.reading) as session:
            return set(session.exec(select(Question.candidate_id)).all())


@pytest.fixture
def service_of(database_url: str, tmp_path: Path) -> Any:
    with running(tmp_path / "home", database_url) as made:
        yield made


def test_leases_and_rows_hold_whatever_happens(service_of: Service) -> None:
    machine = type("Curators", (Curators,), {"service": service_of})
    checks = list(HealthCheck)
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=12, stateful_step_count=25, database=None, suppress_health_check=checks),
    )
