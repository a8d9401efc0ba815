"""Lists in a real browser: made by rule and by hand, put in order by the mouse and by keys, and who may."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import Site, open_page, problems_of
from tests.listing import CLIPS, at_server, ids, rows, settled, shown
from tests.reviewing import Room, room_without_films


def test_a_list_by_rule_is_seen_before_it_is_made(cutting: Room, browser: Browser) -> None:
    page = cutting.open(browser, "/lists")
    expect(page.get_by_role("heading", name="No lists yet")).to_be_visible()
    page.get_by_role("button", name="By rule …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("more than 2 of one scene")
    dialog.get_by_label("Of one scene").fill("")
    expect(dialog).to_contain_text(f"{CLIPS} clips")
    dialog.get_by_label("Best clips at most").fill("2")
    expect(dialog).to_contain_text("2 clips")
    dialog.get_by_label("Together at most").fill("never")
    expect(dialog).to_contain_text("“never” is no length")
    dialog.get_by_label("Together at most").fill("")
    dialog.get_by_label("Name").fill("Best two")
    dialog.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Best two")).to_be_visible()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("link", name="Lists", exact=True).first.click()
    expect(page.get_by_role("link", name="Best two")).to_be_visible()
    page.get_by_role("searchbox", name="Filter by name").fill("nothing like it")
    expect(page.get_by_role("heading", name="No list is like that.")).to_be_visible()
    assert problems_of(page) == []
    page.context.close()


def test_clips_are_dragged_into_another_order_and_back(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    before = shown(list_page)
    first, third = rows(list_page).nth(0).bounding_box(), rows(list_page).nth(2).bounding_box()
    assert first
    assert third
    list_page.mouse.move(first["x"] + 20, first["y"] + 10)
    list_page.mouse.down()
    list_page.mouse.move(third["x"] + 20, third["y"] + third["height"] - 5, steps=8)
    expect(list_page.locator(".list-drop")).to_be_visible()
    list_page.mouse.up()
    expected = [before[1], before[2], before[0], *before[3:]]
    assert shown(list_page) == expected
    settled(list_page)
    assert ids(cutting, teaser) == expected
    list_page.get_by_role("button", name="Undo").click()
    expect(rows(list_page).first).to_have_attribute("data-id", str(before[0]))
    settled(list_page)
    assert ids(cutting, teaser) == before


def test_all_of_it_goes_by_keys(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    before = shown(list_page)
    rows(list_page).first.focus()
    list_page.keyboard.press("Alt+ArrowDown")
    settled(list_page)
    assert ids(cutting, teaser)[:2] == [before[1], before[0]]
    expect(rows(list_page).nth(1)).to_be_focused()
    list_page.keyboard.press("Delete")
    expect(rows(list_page)).to_have_count(CLIPS - 1)
    settled(list_page)
    assert before[0] not in ids(cutting, teaser)
    list_page.get_by_role("button", name="Undo").click()
    expect(rows(list_page)).to_have_count(CLIPS)
    settled(list_page)
    candidates = [each["candidate_id"] for each in at_server(cutting, teaser)]
    assert len(set(candidates)) == CLIPS


def test_an_answer_is_enough(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    """What others have not changed is not read again; what they have is."""
    asked: list[str] = []
    list_page.on("request", lambda request: asked.append(request.url) if request.method == "GET" else None)
    before = shown(list_page)
    rows(list_page).first.focus()
    for key in ("Alt+ArrowDown", "Alt+ArrowDown", "Delete"):
        list_page.keyboard.press(key)
    settled(list_page)
    list_page.get_by_role("button", name="Undo").click()
    expect(rows(list_page)).to_have_count(CLIPS)
    settled(list_page)
    list_page.keyboard.press("Shift+]")
    expect(list_page.locator(".list-row.on")).to_contain_text("trimmed here")
    settled(list_page)
    list_page.get_by_role("button", name="More about this list").click()
    list_page.get_by_role("menuitem", name="Name, length, note …").click()
    list_page.get_by_label("Name").fill("Another")
    list_page.get_by_role("button", name="Save").click()
    expect(list_page.get_by_role("heading", name="Another")).to_be_visible()
    assert [url for url in asked if "/entries" in url] == []
    assert sorted(shown(list_page)[1:]) != sorted(before[1:])
    assert list_page.evaluate("document.querySelector('selects-list').model.entries") == at_server(cutting, teaser)
    facts = list_page.evaluate("document.querySelector('selects-list').model.facts")
    assert facts["version"] == cutting.site.api("GET", f"/api/lists/{teaser['id']}")["version"]
    first = ids(cutting, teaser)[0]
    cutting.site.api("PATCH", f"/api/lists/{teaser['id']}/entries/{first}", json={"note": "by somebody else"})
    rows(list_page).nth(1).focus()
    list_page.keyboard.press("Alt+ArrowDown")
    expect(list_page.locator(".list-note")).to_have_text("by somebody else")


def test_what_is_refused_goes_back_and_says_why(list_page: Page) -> None:
    before = shown(list_page)

    def refuse(route: Route) -> None:
        route.fulfill(status=409, json={"error": "Conflict", "detail": "Somebody has just deleted it."})

    list_page.route("**/entries/move", refuse)
    rows(list_page).first.focus()
    list_page.keyboard.press("Alt+ArrowDown")
    expect(list_page.get_by_role("alert")).to_have_text("Nothing was changed: Somebody has just deleted it.")
    settled(list_page)
    assert shown(list_page) == before


def test_a_viewer_looks_and_changes_nothing(cutting: Room, teaser: dict[str, Any], browser: Browser) -> None:
    asked = {"project_id": cutting.project, "name": "Vera", "role": "viewer"}
    page = open_page(browser, cutting.api("POST", "/api/members/invitations", json=asked)["link"])
    page.get_by_role("button", name="Join as Vera").click()
    page.goto(f"{cutting.site.base}/lists/{teaser['id']}")
    expect(rows(page)).to_have_count(CLIPS)
    before = shown(page)
    rows(page).first.focus()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Delete")
    assert shown(page) == before
    for name in ("Approve", "Add clips …", "By rule …", "More about this clip", "Render …"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_role("link", name="Download").first).to_be_visible()
    assert problems_of(page) == []
    page.context.close()


def test_approved_clips_are_added_by_hand(cutting: Room, browser: Browser) -> None:
    made = cutting.site.api("POST", "/api/lists", json={"name": "By hand", "project": cutting.project})
    page = cutting.open(browser, f"/lists/{made['id']}")
    expect(page.get_by_text("No clips yet.")).to_be_visible()
    page.get_by_role("button", name="Add clips …").click()
    choices = page.get_by_role("dialog").get_by_role("checkbox")
    expect(choices).to_have_count(CLIPS)
    choices.nth(0).check()
    choices.nth(2).check()
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(rows(page)).to_have_count(2)
    assert problems_of(page) == []
    page.context.close()


def test_a_clip_of_a_film_is_put_into_a_list(cutting: Room, browser: Browser, teaser: dict[str, Any]) -> None:
    [movie] = cutting.api("GET", "/api/movies")["items"]
    page = cutting.open(browser, f"/movies/{movie['id']}")
    page.get_by_role("button", name=re.compile("^Put .* into a list$")).first.click()
    page.get_by_role("menuitem", name="New list …").click()
    page.get_by_label("Name").fill("From the film")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".toast")).to_contain_text("It is in “From the film”.")
    page.get_by_role("button", name=re.compile("^Approve and put .* into a list$")).first.click()
    page.get_by_role("menuitem", name="From the film").click()
    expect(page.get_by_role("button", name="Open the list")).to_have_count(2)
    page.get_by_role("button", name="Open the list").last.click()
    expect(rows(page)).to_have_count(2)
    assert problems_of(page) == []
    page.context.close()


def test_an_empty_project_says_what_to_do(site: Site, browser: Browser) -> None:
    page = room_without_films(site).open(browser, "/lists")
    page.get_by_role("button", name="By rule …").click()
    expect(page.get_by_role("dialog")).to_contain_text("No approved clip fits")
    page.goto(site.base + "/lists/999999")
    expect(page.get_by_role("heading", name="This list cannot be shown.")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("width", [1280, 820, 390])
def test_everything_has_a_name_is_reached_by_keys_and_large_enough(
    cutting: Room, browser: Browser, teaser: dict[str, Any], width: int
) -> None:
    for path in ("/lists", f"/lists/{teaser['id']}"):
        page = cutting.open(browser, path, viewport={"width": width, "height": 900})
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".list-format, .card").first).to_be_visible()
        assert page.evaluate("inPage.faults()") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.context.close()
