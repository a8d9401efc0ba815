"""The board in a real browser: by touch, for who may only look, empty, and for who reads it without a mouse."""

import pytest
from playwright.sync_api import Browser, expect

from tests.board_rows import House, house_of
from tests.boarding import HARBOUR, KITCHEN, box, column, drag, ids, opened, saved, tiles
from tests.browser import Site, problems_of
from tests.service import Service


@pytest.fixture
def house(rows: Service, request: pytest.FixtureRequest) -> House:
    return house_of(rows, rows.project(request.node.name[:60]), people=3)


def test_a_finger_taps_to_select_and_rests_to_drag(site: Site, browser: Browser, house: House) -> None:
    page = opened(browser, site.link, site.base, house.project, viewport={"width": 820, "height": 1100}, has_touch=True)
    first, target = tiles(page, KITCHEN).first, column(page, "Noise")
    first.tap()
    tiles(page, KITCHEN).nth(1).tap()
    expect(column(page, KITCHEN).get_by_role("option", selected=True)).to_have_count(2)
    going = ids(tiles(page, KITCHEN))[:2]
    start, end = box(first), box(target)
    line = page.context.new_cdp_session(page)

    def touch(kind: str, x: float, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", start["x"] + 20, start["y"] + 20)
    expect(page.locator(".board-ghost")).to_be_visible()
    for step in range(1, 7):
        touch("touchMove", *(start[k] + 20 + (end[k] + 60 - start[k] - 20) * step / 6 for k in ("x", "y")))
    expect(page.locator(".board-ghost")).to_contain_text("not this")
    touch("touchEnd", 0, 0)
    saved(page, "2 shots moved to noise.")
    assert set(going) <= set(ids(tiles(page, "Noise")))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems_of(page) == []
    page.context.close()


def test_a_viewer_looks_and_changes_nothing(site: Site, browser: Browser, rows: Service, house: House) -> None:
    token = rows.member(house.project, "viewer", "Vera")
    page = opened(browser, f"{site.base}/?token={token}", site.base, house.project)
    expect(tiles(page, KITCHEN).first).to_be_visible()
    before = ids(tiles(page, KITCHEN))
    drag(page, tiles(page, KITCHEN).first, column(page, HARBOUR))
    page.mouse.up()
    page.keyboard.press("x")
    page.keyboard.press("n")
    assert ids(tiles(page, KITCHEN)) == before
    expect(page.get_by_role("button", name="Cluster anew …")).to_have_count(0)
    expect(page.get_by_role("button", name="Not this")).to_have_count(0)
    expect(column(page, KITCHEN).get_by_role("button", name=KITCHEN, exact=True)).to_be_disabled()
    assert problems_of(page) == []
    page.context.close()


def test_an_empty_board_says_why_and_what_helps(site: Site, browser: Browser, rows: Service) -> None:
    empty, faceless = rows.project("Empty"), rows.project("Nobody")
    page = opened(browser, site.link, site.base, empty)
    expect(page.get_by_role("heading", name="No films yet")).to_be_visible()
    house_of(rows, faceless, shots=12)
    page.context.add_cookies([{"name": "selects_project", "value": str(faceless), "url": site.base}])
    page.goto(f"{site.base}/board?kind=character")
    expect(page.get_by_role("heading", name="No faces were found")).to_be_visible()
    unclustered = house_of(rows, rows.project("New"), shots=6, clustered=False)
    page.context.add_cookies([{"name": "selects_project", "value": str(unclustered.project), "url": site.base}])
    page.goto(f"{site.base}/board")
    expect(page.get_by_role("heading", name="The films are not clustered yet")).to_be_visible()
    page.get_by_role("button", name="Cluster now").click()
    saved(page, "Clustering runs")
    assert problems_of(page) == []
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/board", "/board?kind=character", "/board?sort=name&q=kit"])
def test_everything_has_a_name_is_reached_by_keys_and_large_enough(
    site: Site, browser: Browser, house: House, path: str, width: int
) -> None:
    page = opened(browser, site.link, site.base, house.project, path, viewport={"width": width, "height": 844})
    expect(page.locator(".tile").first).to_be_visible()
    for button in ("History", "Wall"):
        page.get_by_role("button", name=button).click()
        page.wait_for_timeout(300)
        assert page.evaluate("inPage.faults()") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        beyond = "all => all.filter((each) => each.getBoundingClientRect().right > innerWidth).length"
        assert page.locator(".board-row .button:visible").evaluate_all(beyond) == 0
        if page.locator(".board-panel:visible").count():
            panel, area = box(page.locator(".board-panel")), box(page.locator(".board-area"))
            assert panel["x"] >= area["x"]
            assert panel["x"] + panel["width"] <= area["x"] + area["width"]
    page.context.close()


def test_what_was_scrolled_to_stays_where_it_is_when_others_correct(
    site: Site, browser: Browser, rows: Service
) -> None:
    """More than one answer of the server holds."""
    many = house_of(rows, rows.project("Many"), shots=840, places=1)
    page = opened(browser, site.link, site.base, many.project)
    shown, here = tiles(page, KITCHEN), column(page, KITCHEN).get_by_role("listbox")
    expect(shown.first).to_be_visible()
    while shown.count() < 700:
        before = shown.count()
        here.evaluate("(list) => { list.scrollTop = list.scrollHeight; }")
        page.wait_for_function("([list, n]) => list.children.length > n", arg=[here.element_handle(), before])
    at = here.evaluate("(list) => { list.scrollTop -= 200; return list.scrollTop; }")
    last = ids(shown)[-1]
    site.api("PATCH", f"/api/clusters/{many.places[0]}", json={"name": "Larder"})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(tiles(page, "Larder").last).to_have_attribute("data-id", last)
    expect(shown).to_have_count(0)
    expect(tiles(page, "Larder")).to_have_count(700)
    renamed = column(page, "Larder").get_by_role("listbox").element_handle()
    page.wait_for_function("([list, at]) => list.scrollTop === at", arg=[renamed, at])
    assert problems_of(page) == []
    page.context.close()
