"""The board in a browser while others correct too: nothing jumps under a hand, no old answer undoes what was done."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.board_rows import NAMES, House, house_of
from tests.boarding import HARBOUR, KITCHEN, at_server, box, column, drag, ids, opened, saved, tiles
from tests.browser import Site, problems_of
from tests.service import Service

CORRIDOR = NAMES[4]
CLUSTERS = "**/api/clusters?*"


@pytest.fixture
def house(rows: Service, request: pytest.FixtureRequest) -> House:
    return house_of(rows, rows.project(request.node.name[:60]))


@pytest.fixture
def page(site: Site, browser: Browser, house: House) -> Iterator[Page]:
    page = opened(browser, site.link, site.base, house.project, "/board?sort=name")
    expect(tiles(page, KITCHEN).first).to_be_visible()
    expect(tiles(page, HARBOUR).first).to_be_visible()
    yield page
    assert problems_of(page) == []
    page.context.close()


class Held:
    """Answers to GET requests that the server has given and that have not reached the page yet; the first few do."""

    def __init__(self, page: Page, pattern: str, passing: int = 0) -> None:
        self.page, self.pattern, self.passing = page, pattern, passing
        self.answers: list[tuple[Route, APIResponse]] = []
        page.route(pattern, self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method != "GET" or self.passing:
            self.passing = max(0, self.passing - 1)
            route.continue_()
        else:
            self.answers.append((route, route.fetch()))

    def wait(self) -> None:
        """Until the server has answered one."""
        while not self.answers:
            self.page.wait_for_timeout(20)

    def let_go(self) -> None:
        """They reach the page, which does with them what it does; what is asked for later is not held."""
        self.passing = 10**6
        for route, answer in self.answers:
            with self.page.expect_response(route.request.url):
                route.fulfill(response=answer)
        self.page.evaluate("() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 50))")


def attic(site: Site, house: House) -> None:
    """Somebody else makes a place that stands before all others by its name."""
    noise = site.api("GET", "/api/noise", params={"project": house.project, "kind": "scene"})["items"]
    new = {"kind": "scene", "items": [noise[0]["id"]], "name": "Attic"}
    site.api("POST", "/api/clusters", params={"project": house.project}, json=new)


def look(page: Page) -> None:
    """As when the window comes to the front."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_columns_stay_where_they_are_while_something_is_dragged(page: Page, site: Site, house: House) -> None:
    attic(site, house)
    first = ids(tiles(page, KITCHEN))[0]
    held = Held(page, CLUSTERS, passing=1)
    look(page)
    held.wait()
    drag(page, tiles(page, KITCHEN).first, column(page, HARBOUR))
    before = box(column(page, HARBOUR))
    held.let_go()
    assert box(column(page, HARBOUR)) == before
    expect(column(page, "Attic")).to_have_count(0)
    page.mouse.up()
    saved(page, f"1 shot moved to {HARBOUR}.")
    assert first in at_server(site, house, HARBOUR)
    expect(column(page, "Attic")).to_be_visible()
    expect(page.locator(".board-ground > .board-column").first).to_have_attribute("aria-label", "Attic, 1 shot")


def test_an_answer_from_before_does_not_put_back_what_was_moved(page: Page, site: Site, house: House) -> None:
    attic(site, house)
    first = ids(tiles(page, KITCHEN))[0]
    held = Held(page, f"**/api/clusters/{house.places[0]}/members*")
    site.api("PATCH", f"/api/clusters/{house.places[0]}", json={"name": KITCHEN + "ette"})
    look(page)
    held.wait()
    drag(page, tiles(page, KITCHEN).first, column(page, HARBOUR))
    page.mouse.up()
    saved(page, f"1 shot moved to {HARBOUR}.")
    held.let_go()
    assert ids(tiles(page, HARBOUR))[0] == first
    expect(column(page, KITCHEN + "ette")).to_be_visible()
    assert first in ids(tiles(page, HARBOUR))
    assert first not in ids(tiles(page, KITCHEN))


def test_what_is_dropped_on_a_message_goes_to_what_lies_under_it(page: Page, site: Site, house: House) -> None:
    first = ids(tiles(page, KITCHEN))[0]
    page.evaluate(
        "document.querySelector('selects-toasts').show('A problem stays until it is read. '.repeat(9), {problem: true})"
    )
    message, under = box(page.get_by_role("alert")), box(column(page, CORRIDOR))
    x = max(message["x"], under["x"]) + 10
    assert x < min(message["x"] + message["width"], under["x"] + under["width"])
    start = box(tiles(page, KITCHEN).first)
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(x, message["y"] + message["height"] / 2, steps=6)
    expect(page.locator(".board-ghost")).to_contain_text(f"1 shot → {CORRIDOR}", timeout=20_000)
    page.mouse.up()
    expect(tiles(page, CORRIDOR).first).to_have_attribute("data-id", first)
    expect(page.get_by_role("status").filter(has_text=f"1 shot moved to {CORRIDOR}.")).to_be_visible()
    assert first in at_server(site, house, CORRIDOR)


def test_much_at_once_goes_to_noise_in_parts_that_proxies_let_through(
    site: Site, browser: Browser, rows: Service
) -> None:
    many = house_of(rows, rows.project("Much at once"), shots=840, places=1)
    page = opened(browser, site.link, site.base, many.project)
    expect(tiles(page, KITCHEN).first).to_be_visible()
    page.evaluate(
        """async (place) => {
      const {shelves} = document.querySelector("selects-board");
      while (shelves.list(place).next !== null) await shelves.loadMore(place);
    }""",
        str(many.places[0]),
    )
    before = ids(tiles(page, KITCHEN))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "DELETE" else None)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+a")
    page.keyboard.press("x")
    saved(page, "700 shots moved to noise.")
    assert len(sent) == 3
    assert max(map(len, sent)) < 8000
    expect(tiles(page, KITCHEN)).to_have_count(0)
    assert site.api("GET", "/api/noise", params={"project": many.project})["total"] == 840
    page.get_by_role("button", name="Undo").click()
    expect(tiles(page, KITCHEN).first).to_have_attribute("data-id", before[0])
    assert site.api("GET", "/api/noise", params={"project": many.project})["total"] == 140
    assert problems_of(page) == []
    page.context.close()
