"""Curators whose decisions meet: whoever locks several candidates does so in one order, so that all can go on."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from backend.library.models import Candidate
from backend.members.models import Person
from backend.members.service import Principal, principal
from labeling.decisions import service
from labeling.decisions.shapes import DecisionNew
from labeling.decisions.trims import cuts_of
from labeling.lists import entries
from labeling.lists.importing import bring_in
from labeling.lists.models import StoredList
from labeling.lists.service import create
from labeling.lists.shapes import EntriesNew, EntryNew, ListNew
from tests.curating import Studio, decide, studio
from tests.service import running

ROUNDS = 40
FREE = 1000
"""Frames between the windows of two clips that belong to neither."""
Act = Callable[[Session], object]


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


def at_once(desk: Studio, prepare: Callable[[int, Principal, int], Act]) -> None:
    """What two do, round after round, each round at the same moment. None of it may fail.

    `prepare(number, who, round)` gives what is to be done.
    """
    together = threading.Barrier(2, timeout=60)

    def work(number: int, who: Principal) -> None:
        for turn in range(ROUNDS):
            act = prepare(number, who, turn)
            together.wait()
            try:
                with desk.service.session() as session:
                    act(session)
            except OperationalError:
                together.abort()  # nobody waits for one who failed
                raise

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(work, number, who) for number, who in enumerate(curators(desk, "Ada", "Ben"))]
    failed = [each.exception() for each in both]
    assert [each for each in failed if not isinstance(each, threading.BrokenBarrierError)] == [None, None]


def say_at_once(desk: Studio, said: Callable[[int, int], list[DecisionNew]]) -> None:
    """What two say, `said(number, round)`, as in `at_once`."""

    def prepare(number: int, who: Principal, turn: int) -> Act:
        wanted = said(number, turn)
        cuts = cuts_of(desk.service.resources, wanted)
        return lambda session: service.save(session, who, wanted, cuts)

    at_once(desk, prepare)


def test_each_trims_a_clip_to_the_window_of_the_other(desk: Studio) -> None:
    rows = desk.candidates()
    windows = [(row.start_frame, row.end_frame) for row in rows]
    say_at_once(desk, lambda number, _: [trim(rows[number], windows[1 - number])])
    assert [row.decided for row in desk.candidates()] == [2 * ROUNDS] * 2
    assert desk.candidates(source="trim") == []


def test_both_make_the_same_windows_in_another_order(desk: Studio) -> None:
    rows = desk.candidates()

    def said(number: int, turn: int) -> list[DecisionNew]:
        windows = [(turn * 3, FREE), (turn * 3 + 1, FREE), (turn * 3 + 2, FREE)]
        return [trim(rows[number], window) for window in (windows if number else reversed(windows))]

    say_at_once(desk, said)
    made = desk.candidates(source="trim")
    assert [each.decided for each in made] == [2] * 3 * ROUNDS


def test_one_trims_to_what_the_other_trims_elsewhere(desk: Studio) -> None:
    """A window that nobody had yet, and a clip that is there: whoever makes the one has not locked the other."""
    first, second = desk.candidates()

    def said(number: int, turn: int) -> list[DecisionNew]:
        fresh = trim(second if number else first, (turn, FREE))
        crossed = trim(second, (first.start_frame, first.end_frame))
        return [fresh, crossed] if number else [crossed, fresh]

    say_at_once(desk, said)
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


def lists(desk: Studio, *names: str) -> list[int]:
    with desk.service.session() as session:
        made = [create(session, desk.project, ListNew(name=name), name) for name in names]
        session.commit()
        return [each.id or 0 for each in made]


def putting(desk: Studio, who: Principal, list_id: int, wanted: list[EntryNew]) -> Act:
    with desk.service.session() as session:
        cuts = entries.cuts_of(session, desk.service.resources, who, wanted)
    new = EntriesNew(entries=wanted)
    return lambda session: entries.add(session, who, session.get_one(StoredList, list_id), new, cuts)


def frames(desk: Studio, start: int) -> EntryNew:
    return EntryNew(movie=desk.movies[0], start_frame=start, end_frame=FREE)


def length(desk: Studio, list_id: int) -> int:
    with desk.service.session() as session:
        return len(entries.rows_of(session, session.get_one(StoredList, list_id)))


def test_both_put_the_same_frames_into_lists_in_another_order(desk: Studio) -> None:
    own = lists(desk, "Ada's", "Ben's")

    def prepare(number: int, who: Principal, turn: int) -> Act:
        wanted = [frames(desk, turn * 3 + at) for at in range(3)]
        return putting(desk, who, own[number], wanted if number else wanted[::-1])

    at_once(desk, prepare)
    assert [length(desk, each) for each in own] == [3 * ROUNDS] * 2
    assert len(desk.candidates(source="manual")) == 3 * ROUNDS


def test_one_puts_frames_into_a_list_to_which_the_other_trims_a_clip_of_it(desk: Studio) -> None:
    (own,), (clip, _) = lists(desk, "Ada's"), desk.candidates()
    decide(desk.curator("Cleo"), clip.id or 0, "approve")

    def prepare(number: int, who: Principal, turn: int) -> Act:
        if number:
            wanted = [trim(clip, (turn, FREE))]
            cuts = cuts_of(desk.service.resources, wanted)
            return lambda session: service.save(session, who, wanted, cuts)
        return putting(desk, who, own, [EntryNew(candidate=clip.id), frames(desk, turn)])

    (dan,) = curators(desk, "Dan")
    with desk.service.session() as session:
        putting(desk, dan, own, [EntryNew(candidate=clip.id)])(session)
    at_once(desk, prepare)
    assert length(desk, own) == ROUNDS + 1


def edit(seconds: list[int]) -> str:
    """An EDL of clips of the film, a second long each, that begin at these seconds."""
    lines = ["TITLE: PROMO", "FCM: NON-DROP FRAME", ""]
    for number, second in enumerate(seconds, 1):
        times = " ".join(f"00:{at // 60:02}:{at % 60:02}:00" for at in (second, second + 1, number - 1, number))
        lines += [f"{number:03}  AX       V     C        {times}", "* FROM CLIP NAME: Film 0.mp4"]
    return "\n".join(lines) + "\n"


def test_both_read_in_an_edit_of_the_same_clips_in_another_order(desk: Studio, tmp_path: Path) -> None:
    def prepare(number: int, who: Principal, turn: int) -> Act:
        seconds = [1000 + turn * 3 + at for at in range(3)]
        file = tmp_path / f"{number}-{turn}.edl"
        file.write_text(edit(seconds if number else seconds[::-1]))
        return lambda _: bring_in(desk.service.resources, who, desk.project, file, approve=True)

    at_once(desk, prepare)
    assert [each.decided for each in desk.candidates(source="manual")] == [1] * 3 * ROUNDS
