"""The row "Films like this" on a film's page, in a real browser."""

import io

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from sqlmodel import Session

from backend.library.models import Movie
from backend.resources import Resources
from backend.settings import Settings
from tests.browser import Site, problems_of
from tests.material import smooth_picture
from tests.reviewing import Room, room_with

PLOT = "A girl travels through the mountains in search of the dragon that she lost."
OTHERS = {
    "Ice and wings": "A young woman looks for a lost baby dragon in a land of ice and mountains.",
    "A film whose title is so long that it has no room on any card of any wall, whatever one does": "A dragon.",
    "The ledger": "Two accountants discover that their bank has been falsifying its quarterly reports.",
}


@pytest.fixture
def neighbours(site: Site, film: int) -> tuple[Room, int]:
    """A project with one analysed film and three that have plots only; the first has a poster."""
    room = room_with(site, film)
    resources = Resources(Settings(home=site.home))
    with Session(resources.engine) as session:
        rows = [
            Movie(project_id=room.project, title=title, plot=plot, path="/nowhere") for title, plot in OTHERS.items()
        ]
        session.add_all(rows)
        session.commit()
        first = rows[0].id
    resources.close()
    poster = io.BytesIO()
    Image.fromarray(smooth_picture(1, 300, 200)).save(poster, "jpeg")
    site.api("PUT", f"/api/movies/{first}/poster", content=poster.getvalue())
    return room, next(each["id"] for each in room.api("GET", "/api/movies")["items"] if each["shots"])


def test_films_like_this_come_with_the_plot_and_lead_there(
    neighbours: tuple[Room, int], site: Site, browser: Browser
) -> None:
    room, movie = neighbours
    page = room.open(browser, f"/movies/{movie}")
    expect(page.locator(".clip").first).to_be_visible()
    row = page.locator("selects-alike")
    expect(row).to_be_hidden()
    site.api("PATCH", f"/api/movies/{movie}", json={"plot": PLOT})
    page.reload()
    expect(row.get_by_role("heading", name="Films like this")).to_be_visible()
    cards = row.locator(".card")
    expect(cards.first).to_contain_text("Ice and wings")
    expect(cards.first).to_contain_text("plot")
    expect(row.get_by_role("status")).to_have_text("by plot")
    wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide, "a long title does not widen the page"
    cards.first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    cards.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Ice and wings")).to_be_visible()
    assert problems_of(page) == []
    page.context.close()
