"""Pages on a phone held upright: they have the whole width, and the pages' names lie in a bar at the foot."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import problems_of
from tests.reviewing import Room, playing

PHONE = {"width": 390, "height": 844}
SMALL = {"width": 375, "height": 667}
PATHS = ("/", "/review", "/board", "/search", "/lists", "/models", "/agreement", "/people")


def box(found: Locator) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    measured = found.bounding_box()
    assert measured
    return measured["x"], measured["y"], measured["x"] + measured["width"], measured["y"] + measured["height"]


@pytest.fixture(params=[PHONE, SMALL], ids=["390 px", "375 px"])
def phone(room: Room, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = room.open(browser, "/", viewport=request.param, has_touch=True)
    yield page
    assert problems_of(page) == []
    page.context.close()


def test_every_page_has_the_whole_width_and_the_bar_leads_to_each(phone: Page, room: Room) -> None:
    assert phone.viewport_size
    width, height = phone.viewport_size["width"], phone.viewport_size["height"]
    bar = phone.get_by_role("navigation", name="Pages")
    for path in PATHS:
        phone.goto(room.site.base + path)
        expect(phone.get_by_role("main").locator("> *").first).to_be_attached()
        left, _, right, _ = box(phone.get_by_role("main"))
        assert (left, right) == (0, width), path
        assert phone.evaluate("document.documentElement.scrollWidth") <= width, path
        left, top, right, bottom = box(bar)
        assert (left, right, bottom) == (0, width, height), path
        assert height - top <= 0.08 * height
    links = bar.get_by_role("link").all()
    assert len(links) == 6
    for link in links:
        left, top, right, bottom = box(link)
        assert min(right - left, bottom - top) >= 44, "as large as a thumb"
    bar.get_by_role("link", name="Lists").tap()
    expect(phone).to_have_url(re.compile("/lists$"))
    expect(bar.get_by_role("link", name="Lists")).to_have_attribute("aria-current", "page")


def test_a_clip_is_judged_above_the_bar(phone: Page, room: Room) -> None:
    """The picture is as wide as the phone, and what is tapped lies above the bar, however far it is scrolled."""
    phone.goto(f"{room.site.base}/review")
    playing(phone)
    assert phone.viewport_size
    left, _, right, bottom = box(phone.locator(".review-picture"))
    assert right - left >= 0.9 * phone.viewport_size["width"]
    bar_top = box(phone.get_by_role("navigation", name="Pages"))[1]
    verdicts = phone.locator(".review-bar-row")
    for scrolled in (0, 10_000):
        phone.evaluate("(y) => scrollTo(0, y)", scrolled)
        assert box(verdicts)[3] <= bar_top + 1
        if not scrolled:
            assert bottom < box(verdicts)[1], "the buttons do not cover the picture"
    before = phone.evaluate("document.querySelector('selects-review').hand.current.candidate.id")
    verdicts.get_by_role("button", name="Approve").tap()
    phone.wait_for_function(
        "id => document.querySelector('selects-review').hand.current.candidate.id !== id", arg=before
    )


def test_the_times_of_clips_are_read_whole_and_what_has_the_focus_lies_above_the_bar(phone: Page, room: Room) -> None:
    film = room.site.api("GET", "/api/movies", params={"project": room.project})["items"][0]["id"]
    phone.goto(f"{room.site.base}/movies/{film}")
    clip = phone.locator(".clip-main").last
    expect(clip).to_contain_text(re.compile(r"0\.\d\d (low|medium|good|compelling)"))
    span = clip.locator(".clip-span")
    span.evaluate("(span) => { span.firstChild.textContent = '1:43:08 – 1:44:09'; }")
    assert span.evaluate("(span) => span.scrollWidth <= span.clientWidth"), "of a long film too"
    phone.evaluate("scrollTo(0, 0)")
    clip.focus()
    assert box(clip)[3] <= box(phone.get_by_role("navigation", name="Pages"))[1]


def test_project_and_person_are_above_the_page(phone: Page) -> None:
    assert phone.viewport_size
    person = phone.locator(".rail-person")
    _, top, right, bottom = box(person)
    assert top >= 0
    assert bottom <= 48
    assert right <= phone.viewport_size["width"]
    person.tap()
    menu = phone.get_by_text("People and tokens")
    left, top, right, bottom = box(menu)
    assert left >= 0
    assert top >= 0
    assert right <= phone.viewport_size["width"]
    menu.tap()
    expect(phone.get_by_role("heading", name=re.compile("People of"))).to_be_visible()
