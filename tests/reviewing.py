"""What tests of the review page share: a film with many clips to judge, and a curator's hands."""

import itertools
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from sqlmodel import Session, col, select

from backend.library.models import Candidate, Movie, Shot
from backend.resources import Resources
from backend.settings import Settings
from tests.browser import Site, make_speaking_film

ANALYSED_S = 180
CLIP = ".deck video.on"
CLIP_S = (3.0, 16.0)


def add_film(site: Site, path: Path) -> dict[str, Any]:
    """A film with many windows to judge, as the API shows it."""
    with make_speaking_film(path).open("rb") as content:
        added = site.api("POST", "/api/movies", files={"file": (path.name, content)})["movie"]
    until = time.monotonic() + ANALYSED_S
    while (found := site.api("GET", f"/api/movies/{added['id']}"))["state"] != "ready":
        assert found["state"] != "failed"
        assert time.monotonic() < until
        time.sleep(0.2)
    _windows(site)
    return dict(found)


def _windows(site: Site) -> None:
    """As a ranking leaves them."""
    resources = Resources(Settings(home=site.home))
    with Session(resources.engine) as session:
        movie = session.exec(select(Movie)).one()
        shots = session.exec(select(Shot).order_by(col(Shot.number))).all()
        known = {(row.start_frame, row.end_frame) for row in session.exec(select(Candidate)).all()}
        for first, last in itertools.combinations_with_replacement(shots, 2):
            fits = CLIP_S[0] <= last.end_s - first.start_s <= CLIP_S[1]
            if fits and (first.start_frame, last.end_frame) not in known:
                session.add(_candidate(movie, first, last))
        session.commit()
    resources.close()


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
    page.wait_for_function(
        f"(video => video && !video.paused && video.currentTime > 0)(document.querySelector('{CLIP}'))"
    )
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


def decisions(site: Site, candidate: int, **more: Any) -> list[dict[str, Any]]:
    """What the server has of a candidate, the newest first."""
    found = site.api("GET", "/api/decisions", params={"candidate": candidate, **more})["items"]
    return [each for each in found if each["curator"] == "owner"] if not more else found


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
