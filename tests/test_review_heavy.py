"""Review of films that no player takes in at once: windows side by side, and a connection that is lost."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect
from sqlmodel import Session, col, select

from backend.library.models import Candidate, Movie, Scene, Shot
from backend.pieces import PIECE
from tests.browser import Site
from tests.films import run_ffmpeg
from tests.reviewing import LOADED, Room, clip_of, playing, press, room_with, saved, session_of

WINDOWS = 3
FILMS = 6
ROUNDS = 2
AHEAD, HELD = 4, 8
"""The clip that is shown and those that are loaded; how many a page has in hand."""
LATE_MS = 4000


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As long as the film that is judged, but so large that no player takes it in at once: 40 s of noise, 80 MiB."""
    path = tmp_path_factory.mktemp("heavy") / "noise.mp4"
    noise = "color=c=gray:s=480x270:r=10:d=40,noise=alls=90:allf=t"
    small = ("-preset", "ultrafast", "-qp", 12, "-g", 5, "-pix_fmt", "yuv420p", "-movflags", "+faststart")
    run_ffmpeg("-f", "lavfi", "-i", noise, "-c:v", "libx264", *small, f"file:{path}")
    return path


@pytest.fixture
def room(site: Site, film: int, heavy: Path) -> Room:
    """A project of the test's own with several such films: a player holds what it has of one for all who play it."""
    room = room_with(site, film)
    with session_of(site) as session:
        first = session.exec(select(Movie).where(col(Movie.project_id) == room.project)).one()
        first.path, first.proxy = str(heavy), ""
        session.add(first)
        for number in range(1, FILMS):
            _copied(session, first, hashlib.sha256(f"{room.project} {number}".encode()).hexdigest(), site.home)
        session.commit()
    return room


def _copied(session: Session, movie: Movie, sha256: str, home: Path) -> None:
    """The film once more, as another one."""
    (home / "films" / sha256).symlink_to(home / "films" / str(movie.sha256))
    copy = Movie(**movie.model_dump(exclude={"id"}) | {"sha256": sha256})
    session.add(copy)
    session.flush()
    for kind in (Shot, Scene, Candidate):
        for row in session.exec(select(kind).where(col(kind.movie_id) == movie.id)).all():
            ours = {"movie_id": copy.id} | ({"movie_sha256": sha256} if kind is Candidate else {})
            session.add(kind(**row.model_dump(exclude={"id"}) | ours))


@pytest.fixture
def answers() -> list[tuple[str, int]]:
    """What players were sent, as it comes: the film's address, and how many bytes."""
    return []


@pytest.fixture
def windows(room: Room, browser: Browser, answers: list[tuple[str, int]]) -> Iterator[list[Page]]:
    """Review windows that are all looked at."""

    def keep(answer: Response) -> None:
        if "/media" in answer.url:
            answers.append((answer.url, int(answer.headers["content-length"])))

    first = room.open(browser, "/agreement")
    first.context.on("response", keep)
    first.goto(room.site.base + "/review")
    windows = [first, *(first.context.new_page() for _ in range(WINDOWS - 1))]
    for window in windows[1:]:
        window.goto(room.site.base + "/review")
    yield windows
    first.context.close()


def test_windows_side_by_side_judge_in_turn(windows: list[Page], answers: list[tuple[str, int]], room: Room) -> None:
    for window in windows:
        playing(window)
        window.wait_for_function(LOADED)
    said = []
    for _ in range(ROUNDS):
        for window in windows:
            # What another window has judged is known here after it asked again.
            window.evaluate("document.querySelector('selects-review').hand.fill()")
            said.append(clip_of(window)["id"])
            press(window, "x")
            saved(window)
    assert len(set(said)) == len(said)
    assert [[each["verdict"] for each in room.decisions(candidate)] for candidate in said] == [["reject"]] * len(said)
    assert len({url for url, _ in answers}) > 2, "films are far enough apart to be asked for one by one"
    assert max(length for _, length in answers) <= PIECE, "no answer is left standing until a player wants more"


def test_without_a_connection_the_clips_that_are_loaded_are_judged(room: Room, browser: Browser) -> None:
    """The page says when there are no more of them, and goes on by itself."""
    page = room.open(browser)
    playing(page)
    page.wait_for_function(LOADED)
    page.evaluate("window.neverReloaded = true")
    page.context.set_offline(True)
    said: list[int] = []
    problem = page.get_by_role("alert").filter(has_text="No connection, and this clip is not loaded")
    while len(said) < AHEAD or not problem.is_visible():
        assert len(said) < HELD
        said.append(clip_of(page)["id"])
        page.keyboard.press("x")
        page.wait_for_timeout(LATE_MS if len(said) >= AHEAD else 500)
    waits = clip_of(page)["id"]
    page.keyboard.press("a")
    expect(page.get_by_text("it can be judged when the connection is back").last).to_be_visible()
    assert clip_of(page)["id"] == waits, "nobody has seen it"
    expect(page.locator(".saved")).to_contain_text(f"{len(said)} decisions kept here, not saved yet")
    assert [room.decisions(candidate) for candidate in [*said, waits]] == [[]] * (len(said) + 1)
    page.context.set_offline(False)
    saved(page)
    playing(page)
    expect(problem).to_be_hidden()
    assert clip_of(page)["id"] == waits
    assert [[each["verdict"] for each in room.decisions(candidate)] for candidate in said] == [["reject"]] * len(said)
    press(page, "a")
    saved(page)
    assert [each["verdict"] for each in room.decisions(waits)] == ["approve"]
    assert page.evaluate("window.neverReloaded")
    page.context.close()
