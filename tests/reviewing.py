"""What tests of the review page share: a film with many clips to judge, and a curator's hands."""

import itertools
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, col, select

from backend.library.models import Candidate, DialogueLine, Movie, Scene, Shot
from backend.resources import Resources
from backend.settings import Settings
from labeling.web.boot import PROJECT_COOKIE
from tests.browser import Site, make_speaking_film, open_page, problems_of
from tests.sharing import filling

ANALYSED_S = 600
CLIP = ".deck video.on"
CLIP_S = (3.0, 16.0)
KEPT = ("films", "features")
LOADED = "[...document.querySelectorAll('.deck video')].filter(video => video.readyState >= 2).length >= 4"


def add_film(site: Site, path: Path) -> int:
    """A film with many windows to judge, analysed; its id. Tests judge copies of it, see `room_with`."""
    return _added(site, make_speaking_film(path), path.name)


def _known_film(site: Site, folder: Path, name: str) -> int:
    """The same, analysed by the first process of the run that asks; the others find in their home what it has kept."""
    with filling(folder) as first:
        film = folder / "film.mp4"
        if first:
            added = _added(site, make_speaking_film(film), name)
            for kind in KEPT:
                shutil.copytree(site.home / kind, folder / kind)
            return added
    for kind in KEPT:
        shutil.copytree(folder / kind, site.home / kind, dirs_exist_ok=True)
    return _added(site, film, name)


def _added(site: Site, film: Path, name: str) -> int:
    with film.open("rb") as content:
        added = site.api("POST", "/api/movies", files={"file": (name, content)})["movie"]
    until = time.monotonic() + ANALYSED_S
    while (found := site.api("GET", f"/api/movies/{added['id']}"))["state"] != "ready":
        assert found["state"] != "failed"
        assert time.monotonic() < until
        time.sleep(0.2)
    with session_of(site) as session:
        movie = session.exec(select(Movie).where(Movie.id == added["id"])).one()
        _add_windows(session, movie)
        session.commit()
    return int(added["id"])


@contextmanager
def session_of(site: Site) -> Iterator[Session]:
    resources = Resources(Settings(home=site.home))
    with Session(resources.engine) as session:
        yield session
    resources.close()


def _add_windows(session: Session, movie: Movie) -> None:
    """As a ranking leaves them."""
    shots = session.exec(select(Shot).where(Shot.movie_id == movie.id).order_by(col(Shot.number))).all()
    found = session.exec(select(Candidate).where(Candidate.movie_id == movie.id)).all()
    known = {(row.start_frame, row.end_frame) for row in found}
    for first, last in itertools.combinations_with_replacement(shots, 2):
        fits = CLIP_S[0] <= last.end_s - first.start_s <= CLIP_S[1]
        if fits and (first.start_frame, last.end_frame) not in known:
            session.add(_candidate(movie, first, last))


@dataclass(frozen=True)
class Room:
    """A project of its own: what is judged in one test is not met in another."""

    site: Site
    project: int

    def api(self, method: str, path: str, **more: Any) -> Any:
        """What the API answers the owner about this project."""
        return self.site.api(method, path, params={"project": self.project, **more.pop("params", {})}, **more)

    def decisions(self, candidate: int) -> list[dict[str, Any]]:
        """What the server has of a candidate, the newest first; without what a trim says of itself."""
        found = self.api("GET", "/api/decisions", params={"candidate": candidate})["items"]
        return [each for each in found if each["strategy"] != "trim"]

    def open(self, browser: Browser, path: str = "/review", **context: Any) -> Page:
        """A page of the project, in a browser that nobody has used."""
        page = open_page(browser, self.site.link, **context)
        cookie = {"name": PROJECT_COOKIE, "value": str(self.project), "url": self.site.base}
        page.context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(self.site.base + path)
        return page


def room_without_films(site: Site) -> Room:
    """A new project."""
    made = site.api("POST", "/api/projects", json={"name": f"Project {uuid.uuid4().hex[:8]}"})
    return Room(site, made["id"])


def room_with(site: Site, film: int, fits: Callable[[Candidate], bool] = lambda _: True) -> Room:
    """A new project with a copy of a film and its windows, of which nobody has judged one."""
    room = room_without_films(site)
    with session_of(site) as session:
        movie = session.exec(select(Movie).where(Movie.id == film)).one()
        copy = Movie(**movie.model_dump(exclude={"id"}) | {"project_id": room.project})
        session.add(copy)
        session.flush()
        ours = {"movie_id": copy.id, "project_id": room.project}
        rows: list[Shot | Scene | DialogueLine | Candidate] = []
        rows += session.exec(select(Shot).where(Shot.movie_id == film)).all()
        rows += session.exec(select(Scene).where(Scene.movie_id == film)).all()
        rows += session.exec(select(DialogueLine).where(DialogueLine.movie_id == film)).all()
        rows += [row for row in session.exec(select(Candidate).where(Candidate.movie_id == film)).all() if fits(row)]
        session.add_all([type(row)(**row.model_dump(exclude={"id"}) | ours) for row in rows])
        session.commit()
    return room


def _candidate(movie: Movie, first: Shot, last: Shot) -> Candidate:
    row = Candidate(project_id=movie.project_id, movie_id=movie.id, movie_sha256=movie.sha256 or "", movie_title="")
    row.start_frame, row.start_s, row.end_frame, row.end_s = (
        first.start_frame,
        first.start_s,
        last.end_frame,
        last.end_s,
    )
    row.rank = first.number + 10
    row.score, row.viral, row.compelling, row.band, row.model = 0.7, 0.7, 0.7, "good", "prior"
    row.explanation, row.reasons = {"dynamics": 0.2, "faces": -0.03}, ["Fast cutting.", "Ends on a scene edge."]
    return row


def playing(page: Page) -> None:
    shows = "video && !video.paused && !video.seeking && video.readyState >= 2"
    page.wait_for_function(f"(video => {shows})(document.querySelector('{CLIP}'))")
    expect(page.locator(".trim-strip img").first).to_be_visible()


def clip_of(page: Page) -> dict[str, Any]:
    """The candidate that is shown, as the page has it."""
    found: dict[str, Any] = page.evaluate("document.querySelector('selects-review').hand.current.candidate")
    return found


def press(page: Page, key: str) -> None:
    """A key that leads to another clip; ends when that plays."""
    before = clip_of(page)["id"]
    page.keyboard.press(key)
    page.wait_for_function(
        "id => document.querySelector('selects-review').hand.current.candidate.id !== id", arg=before
    )
    playing(page)


def saved(page: Page) -> None:
    page.wait_for_function("document.querySelector('.saved').dataset.waiting === '0'")
    expect(page.locator(".saved")).to_contain_text("saved ✓")


def drag(page: Page, end: str, second: float) -> None:
    """An end in the strip, to a second."""
    handle, strip = page.get_by_role("slider", name=end).bounding_box(), page.locator(".trim-strip").bounding_box()
    assert handle is not None
    assert strip is not None
    view = page.evaluate("document.querySelector('selects-review').strip.view")
    x = strip["x"] + strip["width"] * (second - view["from"]) / (view["to"] - view["from"])
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(x + 2, handle["y"] + 5, steps=5)
    page.mouse.up()


@pytest.fixture(scope="module")
def film(site: Site, together: Path) -> int:
    """A film with many windows to judge."""
    return _known_film(site, together / "speaking", "harbour_lights.mp4")


@pytest.fixture
def room(site: Site, film: int) -> Room:
    """A project of the test's own in which nobody has judged a clip."""
    return room_with(site, film)


@pytest.fixture
def page(room: Room, browser: Browser) -> Iterator[Page]:
    """The review page with a clip that plays; nothing may go wrong in its scripts."""
    page = room.open(browser)
    playing(page)
    yield page
    assert problems_of(page) == []
    page.context.close()
