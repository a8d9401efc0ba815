"""The board in a browser, as tests see it."""

from typing import Any

from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.board_rows import House
from tests.browser import Site, open_page

KITCHEN = "Kitchen"
HARBOUR = "Harbour at night"


def opened(browser: Browser, link: str, base: str, project: int, path: str = "/board", **context: Any) -> Page:
    page = open_page(browser, link, **context)
    page.context.add_cookies([{"name": "selects_project", "value": str(project), "url": base}])
    page.goto(base + path)
    expect(page.get_by_role("heading", name="Board", exact=True)).to_be_visible()
    return page


def column(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=f"{name}, ")


def tiles(page: Page, name: str) -> Locator:
    return column(page, name).get_by_role("option")


def ids(found: Locator) -> list[str]:
    return [str(each.get_attribute("data-id")) for each in found.all()]


def box(found: Locator) -> FloatRect:
    measured = found.bounding_box()
    assert measured
    return measured


def drag(page: Page, what: Locator, onto: Locator) -> None:
    """As a hand does it, in steps; what a drop would do is shown on the way."""
    start, end = box(what), box(onto)
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + min(end["height"] / 2, 200), steps=6)


def at_server(site: Site, house: House, name: str, kind: str = "scene") -> list[str]:
    """The items of a cluster as the API has them."""
    asked = {"project": house.project, "kind": kind, "q": name}
    [cluster] = site.api("GET", "/api/clusters", params=asked)["items"]
    found = site.api("GET", f"/api/clusters/{cluster['id']}/members", params={"limit": 500})
    return [str(each["id"]) for each in found["items"]]


def saved(page: Page, words: str) -> None:
    expect(page.locator(".toast")).to_contain_text(words)
