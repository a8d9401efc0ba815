"""What tests of clip lists share: a project with approved clips, and who makes lists of them, by API or page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlmodel import col, select, update
from starlette.testclient import TestClient

from backend.library.models import Candidate, Movie
from tests.browser import Site, problems_of
from tests.curating import Studio, decide, studio
from tests.reviewing import Room, room_with
from tests.service import Service

CLIPS = 5
"""So many are approved in a browser's room."""
Facts = dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """Somebody at work on the lists of a project."""

    studio: Studio
    client: TestClient

    @property
    def service(self) -> Service:
        """What runs."""
        return self.studio.service

    @property
    def project(self) -> int:
        """The project's id."""
        return self.studio.project

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """What the API answers; it must be with this status."""
        answer = self.client.request(method, f"/api{path}", **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, status: int, **more: Any) -> str:
        """Why it does not."""
        return str(self.ask(method, path, status, **more)["detail"])

    def new_list(self, name: str = "Teaser", **more: Any) -> int:
        """A list without clips; its id."""
        return int(self.ask("POST", "/lists", 201, json={"name": name, "project": self.project, **more})["id"])

    def filled(self, clips: int = 3, name: str = "Teaser") -> tuple[int, list[int]]:
        """A list of the first clips that are approved, and its entries."""
        made = self.new_list(name)
        wanted = [{"candidate": row.id} for row in self.approved(clips)]
        added = self.ask("POST", f"/lists/{made}/entries", 201, json={"entries": wanted})
        return made, [entry["id"] for entry in added["entries"]]

    def approved(self, clips: int) -> list[Candidate]:
        """So many candidates that are approved, the first of each film first."""
        found = sorted(self.studio.candidates(), key=lambda row: (row.start_frame, row.movie_id or 0))[:clips]
        for row in found:
            if row.verdict != "approve":
                decide(self.client, row.id or 0, "approve")
        return [row for row in self.studio.candidates() if row.id in {each.id for each in found}]

    def entries(self, made: int) -> list[Facts]:
        """The clips of a list in order."""
        return list(self.ask("GET", f"/lists/{made}/entries", params={"limit": 500})["items"])

    def order(self, made: int) -> list[int]:
        """Ids of entries in order; their places have no gaps."""
        found = self.entries(made)
        assert [entry["position"] for entry in found] == list(range(len(found)))
        return [entry["id"] for entry in found]

    def set_film(self, movie: int, **facts: Any) -> None:
        """Say something of a film."""
        self.ask("PATCH", f"/movies/{movie}", json=facts)

    def export(self, made: int, name: str = "json") -> bytes:
        """The file."""
        answer = self.client.get(f"/api/lists/{made}/export", params={"format": name})
        assert answer.status_code == 200, answer.text
        return answer.content


def desk(service: Service, films: int = 2, clips: int = 6) -> Desk:
    """A new project with films of so many clips, and a curator."""
    made = studio(service, films, clips)
    with service.session() as session:
        session.execute(
            update(Movie).where(col(Movie.id).in_(made.movies)).values(has_audio=True, width=1920, height=1080)
        )
        for movie in session.exec(select(Movie).where(col(Movie.id).in_(made.movies))).all():
            movie.tracks = [{"number": 0, "label": "stereo", "channels": 2, "hz": 48000}]
            session.add(movie)
        session.commit()
    return Desk(made, made.curator("Ada"))


@pytest.fixture
def ada(service: Service) -> Desk:
    """A curator at work on the lists of two films with six clips each."""
    return desk(service)


@pytest.fixture
def cutting(site: Site, film: int) -> Room:
    """Five short clips that follow each other, all approved."""
    room = room_with(site, film)
    [movie] = room.api("GET", "/api/movies")["items"]
    found = room.api("GET", f"/api/movies/{movie['id']}/candidates", params={"limit": 500})["items"]
    chosen: list[Facts] = []
    for clip in sorted(found, key=lambda each: (each["start_s"], each["end_s"])):
        if not chosen or clip["start_s"] >= chosen[-1]["end_s"]:
            chosen.append(clip)
    for number, clip in enumerate(chosen[:CLIPS]):
        said = {"candidate": clip["id"], "verdict": "approve", "key": f"approved-{room.project}-{number}"}
        room.site.api("POST", "/api/decisions", json=said)
    return room


@pytest.fixture
def teaser(cutting: Room) -> Facts:
    """A list of all five, in the film's order."""
    asked = {"name": "Teaser", "project": cutting.project, "rule": {"count": CLIPS, "order": "film"}}
    made: Facts = cutting.site.api("POST", "/api/lists/by-rule", json=asked)
    assert made["clip_list"]["clips"] == CLIPS
    return made["clip_list"]


@pytest.fixture
def list_page(cutting: Room, browser: Browser, teaser: Facts) -> Iterator[Page]:
    """The page of that list; nothing may go wrong in its scripts."""
    page = cutting.open(browser, f"/lists/{teaser['id']}")
    expect(rows(page)).to_have_count(CLIPS)
    yield page
    assert problems_of(page) == []
    page.context.close()


def rows(page: Page) -> Locator:
    """The clips of a list's page."""
    return page.get_by_role("listbox", name="Clips").get_by_role("option")


def shown(page: Page) -> list[int]:
    """Ids of entries as the page has them, in order."""
    return [int(str(each.get_attribute("data-id"))) for each in rows(page).all()]


def at_server(room: Room, made: Facts) -> list[Facts]:
    """The clips of a list as the API has them, in order."""
    found: list[Facts] = room.site.api("GET", f"/api/lists/{made['id']}/entries")["items"]
    return found


def ids(room: Room, made: Facts) -> list[int]:
    """Ids of entries as the API has them, in order."""
    return [each["id"] for each in at_server(room, made)]


def settled(page: Page) -> None:
    """Waits until a list's page has sent what was done."""
    page.wait_for_function("!document.querySelector('selects-list').model.busy")
