"""The review page where a connection, a window or the server fails it: nothing that was said is lost."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.reviewing import CLIP, LOADED, Room, clip_of, playing, press, saved
from tests.workers import wait_until

expect.set_options(timeout=20_000)


def test_what_is_decided_without_a_connection_is_saved_when_it_is_back(page: Page, room: Room) -> None:
    page.context.set_offline(True)
    said = []
    for key in "axa":
        said.append(clip_of(page)["id"])
        press(page, key)
    page.keyboard.press("Backspace")
    expect(page.locator(".saved")).to_contain_text("4 decisions kept here, not saved yet")
    assert "saved ✓" not in page.locator(".saved").inner_text()
    assert [room.decisions(each) for each in said] == [[], [], []]
    page.context.set_offline(False)
    saved(page)
    assert [[each["verdict"] for each in room.decisions(candidate)] for candidate in said] == [
        ["approve"],
        ["reject"],
        ["undo", "approve"],
    ]


def test_what_was_not_sent_goes_out_after_the_page_is_loaded_again(page: Page, room: Room) -> None:
    page.route("**/api/decisions", lambda route: route.abort())
    clip = clip_of(page)
    press(page, "f")
    expect(page.locator(".saved")).to_contain_text("not saved yet")
    page.unroute("**/api/decisions")
    page.goto(room.site.base + "/search")
    wait_until(lambda: [each["verdict"] for each in room.decisions(clip["id"])] == ["flag"])
    page.goto(room.site.base + "/review")
    playing(page)
    assert clip_of(page)["id"] != clip["id"]
    press(page, "Backspace")
    assert clip_of(page)["id"] == clip["id"]


def test_a_clip_that_broke_plays_again_by_itself(room: Room, browser: Browser) -> None:
    page = room.open(browser, "/agreement")
    page.route("**/media*", lambda route: route.abort())
    page.goto(room.site.base + "/review")
    expect(page.get_by_role("alert").filter(has_text="cannot be played at the moment")).to_be_visible()
    page.unroute("**/media*")
    playing(page)
    expect(page.locator(".player-problem")).to_be_hidden()
    page.wait_for_function(LOADED)
    page.context.close()


def test_what_stands_beside_a_clip_comes_when_the_connection_is_back(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    for _ in range(5):
        page.keyboard.press("x")
        page.wait_for_timeout(200)
    expect(page.locator(".trim-strip img").first).to_be_hidden()
    page.context.set_offline(False)
    saved(page)
    expect(page.locator(".trim-strip img").first).to_be_visible()
    page.keyboard.press("Shift+[")
    expect(page.locator(".review-cut")).to_contain_text("trimmed")


def test_an_answer_that_is_lost_makes_no_second_decision(page: Page, room: Room) -> None:
    """The server has it, and the page never hears of it: it says the same again."""

    def swallow(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/decisions", swallow, times=2)
    clip = clip_of(page)
    press(page, "x")
    saved(page)
    assert [each["verdict"] for each in room.decisions(clip["id"])] == ["reject"]


def test_a_window_that_nobody_looks_at_keeps_no_connections(page: Page) -> None:
    """A browser has six to a server: two windows with five clips each would keep decisions waiting."""
    clip = clip_of(page)
    page.keyboard.press("ArrowRight")
    hide = "on => { Object.defineProperty(document, 'hidden', {value: on, configurable: true});"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.wait_for_timeout(500)
    second = page.evaluate(f"document.querySelector('{CLIP}').currentTime")
    page.evaluate(hide, True)
    assert page.locator(".deck video[src]").count() == 0
    page.evaluate(hide, False)
    playing(page)
    assert clip_of(page)["id"] == clip["id"]
    assert page.evaluate(f"document.querySelector('{CLIP}').currentTime") >= second
    press(page, "a")
    page.wait_for_function(LOADED)


def test_what_is_judged_in_another_window_is_not_asked_again(page: Page, room: Room) -> None:
    other = page.context.new_page()
    other.goto(room.site.base + "/review")
    playing(other)
    judged = []
    for key in "ax":
        judged.append(clip_of(page)["id"])
        press(page, key)
    saved(page)
    assert clip_of(other)["id"] == judged[0]
    other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    other.wait_for_function(
        "id => document.querySelector('selects-review').hand.current.candidate.id !== id", arg=judged[0]
    )
    assert clip_of(other)["id"] == clip_of(page)["id"]


def test_what_the_server_refuses_is_not_called_saved(page: Page, room: Room) -> None:
    refusal = {"error": "NotAllowed", "detail": "You may only look."}
    page.route("**/api/decisions", lambda route: route.fulfill(status=403, json=refusal))
    press(page, "a")
    expect(page.get_by_text("could not be saved: You may only look.")).to_be_visible()
    expect(page.locator(".saved")).to_have_text("")
