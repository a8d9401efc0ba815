"""Curators whose decisions meet: whoever locks several candidates does so in one order, so that all can go on."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from backend.library.models import Candidate
from backend.members.models import Person
from backend.members.service import Principal, principal
from labeling.decisions import service
from labeling.decisions.shapes import DecisionNew
from labeling.decisions.trims import cuts_of
from tests.curating import Studio, studio
from tests.service import running

ROUNDS = 40
FREE = 1000
"""Frames between the windows of two clips that belong to neither."""


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as made:
        yield studio(made, films=1, clips=2)


def curators(desk: Studio, *names: str) -> list[Principal]:
    for name in names:
        desk.service.member(desk.project, "curator", name)
    with desk.service.session() as session:
        return [principal(session.exec(select(Person).where(Person.name == name)).one()) for name in names]


def trim(candidate: Candidate, window: tuple[int, int]) -> DecisionNew:
    key, (start, end) = uuid.uuid4().hex, window
    return DecisionNew(candidate=candidate.id or 0, verdict="approve", key=key, start_frame=start, end_frame=end)


def at_once(desk: Studio, said: Callable[[int, int], list[DecisionNew]]) -> None:
    """What two say, round after round, each round at the same moment; `said(who, round)`. None of it may fail."""
    together = threading.Barrier(2, timeout=60)

    def say(number: int, who: Principal) -> None:
        for turn in range(ROUNDS):
            wanted = said(number, turn)
            cuts = cuts_of(desk.service.resources, wanted)
            together.wait()
            try:
                with desk.service.session() as session:
                    service.save(session, who, wanted, cuts)
            except OperationalError:
                together.abort()  # nobody waits for one who failed
                raise

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(say, number, who) for number, who in enumerate(curators(desk, "Ada", "Ben"))]
    failed = [each.exception() for each in both]
    assert [each for each in failed if not isinstance(each, threading.BrokenBarrierError)] == [None, None]


def test_each_trims_a_clip_to_the_window_of_the_other(desk: Studio) -> None:
    rows = desk.candidates()
    windows = [(row.start_frame, row.end_frame) for row in rows]
    at_once(desk, lambda number, _: [trim(rows[number], windows[1 - number])])
    assert [row.decided for row in desk.candidates()] == [2 * ROUNDS] * 2
    assert desk.candidates(source="trim") == []


def test_both_make_the_same_windows_in_another_order(desk: Studio) -> None:
    rows = desk.candidates()

    def said(number: int, turn: int) -> list[DecisionNew]:
        windows = [(turn * 3, FREE), (turn * 3 + 1, FREE), (turn * 3 + 2, FREE)]
        return [trim(rows[number], window) for window in (windows if number else reversed(windows))]

    at_once(desk, said)
    made = desk.candidates(source="trim")
    assert [each.decided for each in made] == [2] * 3 * ROUNDS


def test_one_trims_to_what_the_other_trims_elsewhere(desk: Studio) -> None:
    """A window that nobody had yet, and a clip that is there: whoever makes the one has not locked the other."""
    first, second = desk.candidates()

    def said(number: int, turn: int) -> list[DecisionNew]:
        fresh = trim(second if number else first, (turn, FREE))
        crossed = trim(second, (first.start_frame, first.end_frame))
        return [fresh, crossed] if number else [crossed, fresh]

    at_once(desk, said)
    assert len(desk.candidates(source="trim")) == ROUNDS


def test_what_is_known_already_makes_no_window(desk: Studio) -> None:
    """The same key with another cut is the decision as it was kept."""
    (ada,), (row, _) = curators(desk, "Ada"), desk.candidates()
    wanted = [trim(row, (3, FREE))]
    other = [wanted[0].model_copy(update={"start_frame": 4})]
    for each in (wanted, other):
        cuts = cuts_of(desk.service.resources, each)
        with desk.service.session() as session:
            (kept,) = service.save(session, ada, each, cuts)
        assert kept.trim_start_frame == 3
    assert [each.start_frame for each in desk.candidates(source="trim")] == [3]
