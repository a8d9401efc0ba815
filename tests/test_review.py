"""The review page in a real browser: clips are judged by keys and by touch, and nothing that was said is lost."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import LINE, Site, open_page, problems_of, running_browser, running_site, shown_frame
from tests.reviewing import CLIP, add_film, clip_of, decisions, drag, playing, press, saved

LEAST_PICTURE = 0.6
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("review") / "home") as site:
        yield site


@pytest.fixture(scope="module")
def empty(site: Site, browser: Browser) -> str:
    """What the page says where there is no film yet."""
    page = open_page(browser, site.link)
    page.goto(site.base + "/review")
    expect(page.get_by_role("heading", name="No films yet")).to_be_visible()
    said = page.locator(".review-nothing").inner_text()
    page.context.close()
    return said


@pytest.fixture(scope="module")
def film(site: Site, empty: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A film with many windows to judge."""
    return add_film(site, tmp_path_factory.mktemp("films") / "harbour_lights.mp4")


@pytest.fixture
def page(site: Site, film: dict[str, Any], browser: Browser) -> Iterator[Page]:
    """The review page with a clip that plays; nothing may go wrong in its scripts."""
    page = open_page(browser, site.link)
    page.goto(site.base + "/review")
    playing(page)
    yield page
    assert problems_of(page) == []
    page.context.close()


def test_without_a_film_the_page_says_what_to_do(empty: str) -> None:
    assert "To the library" in empty


def test_the_clip_plays_at_once_muted_and_says_what_it_is(page: Page) -> None:
    clip = clip_of(page)
    assert clip["start_frame"] <= shown_frame(page, CLIP) < clip["end_frame"]
    expect(page.get_by_text("Muted until your first key")).to_be_visible()
    assert page.evaluate(f"document.querySelector('{CLIP}').muted")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Muted until your first key")).to_be_hidden()
    assert not page.evaluate(f"document.querySelector('{CLIP}').muted")
    side = page.get_by_role("complementary", name="About this clip")
    expect(side).to_contain_text("Harbour lights")
    for part in ("0.70 good", "prior, relative to this film", "dynamics", "Fast cutting."):
        expect(side).to_contain_text(part)
    assert page.evaluate("document.querySelectorAll('.deck video').length") == 5
    loaded = "[...document.querySelectorAll('.deck video')].filter(video => video.readyState >= 2).length >= 4"
    page.wait_for_function(loaded)
    height = page.locator(".review-picture").bounding_box()
    assert height is not None
    assert height["height"] >= LEAST_PICTURE * 720


def test_it_loops_and_shows_the_line_that_is_said(page: Page) -> None:
    for _ in range(12):
        clip = clip_of(page)
        if clip["start_s"] <= 10 < clip["end_s"]:
            break
        press(page, " ")
    else:
        pytest.skip("no clip with the line was asked")
    page.evaluate("document.querySelector('selects-review').deck.seek(10)")
    expect(page.locator(".review-line")).to_have_text(f"“{LINE}”")
    page.evaluate("end => document.querySelector('selects-review').deck.seek(end)", clip["end_s"])
    page.wait_for_function(f"start => document.querySelector('{CLIP}').currentTime < start + 1", arg=clip["start_s"])
    assert not page.evaluate(f"document.querySelector('{CLIP}').paused")


def test_verdicts_go_out_and_the_next_clip_is_there(page: Page, site: Site) -> None:
    for key, verdict in (("a", "approve"), ("x", "reject"), (" ", "skip"), ("f", "flag")):
        clip = clip_of(page)
        press(page, key)
        now = clip_of(page)
        assert now["start_frame"] <= shown_frame(page, CLIP) < now["end_frame"]
        saved(page)
        (kept,) = decisions(site, clip["id"])
        assert kept["verdict"] == verdict
        assert kept["spent_s"] > 0
        assert (kept["strategy"], kept["model"]) != ("chosen", "")


def test_ten_decisions_are_taken_back_one_after_the_other(page: Page, site: Site) -> None:
    said = []
    for key in "axaxaxaxaxa":
        said.append(clip_of(page)["id"])
        press(page, key)
    for candidate in reversed(said[1:]):
        press(page, "Backspace")
        assert clip_of(page)["id"] == candidate
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    saved(page)
    assert [decisions(site, each)[0]["verdict"] for each in said] == ["approve"] + ["undo"] * 10


def test_a_trim_is_made_by_keys_and_by_hand_and_goes_with_the_approval(page: Page, site: Site) -> None:
    while (clip := clip_of(page))["end_frame"] - clip["start_frame"] < 90:
        press(page, " ")
    shots = site.api("GET", f"/api/candidates/{clip['id']}/context")["shots"]
    cuts = [shot["start_frame"] for shot in shots if clip["start_frame"] < shot["start_frame"] < clip["end_frame"]]
    page.keyboard.press("]")
    page.keyboard.press("Shift+[")
    expect(page.locator(".review-cut")).to_contain_text(re.compile(r"in \+0\.1 s, out −"))
    drag(page, "In point", cuts[0] / 10)
    page.keyboard.press("Alt+]")
    page.keyboard.press("]")
    press(page, "a")
    saved(page)
    kept = next(each for each in decisions(site, clip["id"]) if each["verdict"] == "approve")
    assert (kept["trim_start_frame"], kept["trim_end_frame"]) == (cuts[0], cuts[-1])
    press(page, "Backspace")
    expect(page.locator(".review-cut")).to_contain_text("trimmed")
    page.keyboard.press("Escape")
    expect(page.locator(".review-cut")).to_be_hidden()


def test_reasons_are_kept_with_the_decision(page: Page, site: Site) -> None:
    clip = clip_of(page)
    page.keyboard.press("3")
    page.keyboard.press("1")
    page.keyboard.press("1")
    page.keyboard.press("7")
    page.keyboard.type("the axe falls too late")
    page.keyboard.press("Enter")
    press(page, "x")
    expect(page.get_by_role("button", name="slow")).to_have_attribute("aria-pressed", "false")
    saved(page)
    (kept,) = decisions(site, clip["id"])
    assert (kept["reasons"], kept["text"]) == (["slow", "other"], "the axe falls too late")
    press(page, "Backspace")
    expect(page.get_by_role("button", name="slow")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Another reason")).to_have_value("the axe falls too late")


def test_what_is_decided_without_a_connection_is_saved_when_it_is_back(page: Page, site: Site) -> None:
    page.context.set_offline(True)
    said = []
    for key in "axa":
        said.append(clip_of(page)["id"])
        press(page, key)
    page.keyboard.press("Backspace")
    expect(page.locator(".saved")).to_contain_text("4 decisions kept here, not saved yet")
    assert "saved ✓" not in page.locator(".saved").inner_text()
    assert [decisions(site, each) for each in said] == [[], [], []]
    page.context.set_offline(False)
    saved(page)
    assert [[each["verdict"] for each in decisions(site, candidate)] for candidate in said] == [
        ["approve"],
        ["reject"],
        ["undo", "approve"],
    ]


def test_what_was_not_sent_goes_out_after_the_page_is_loaded_again(page: Page, site: Site) -> None:
    page.route("**/api/decisions", lambda route: route.abort())
    clip = clip_of(page)
    press(page, "f")
    expect(page.locator(".saved")).to_contain_text("not saved yet")
    page.unroute("**/api/decisions")
    page.goto(site.base + "/search")
    page.wait_for_timeout(1500)
    assert [each["verdict"] for each in decisions(site, clip["id"])] == ["flag"]
    page.goto(site.base + "/review")
    playing(page)
    assert clip_of(page)["id"] != clip["id"]
    press(page, "Backspace")
    assert clip_of(page)["id"] == clip["id"]


def test_an_answer_that_is_lost_makes_no_second_decision(page: Page, site: Site) -> None:
    """The server has it, and the page never hears of it: it says the same again."""

    def swallow(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/decisions", swallow, times=2)
    clip = clip_of(page)
    press(page, "x")
    saved(page)
    assert [each["verdict"] for each in decisions(site, clip["id"])] == ["reject"]


def test_two_curators_at_once_are_asked_about_different_clips(page: Page, site: Site, browser: Browser) -> None:
    invited = site.api("POST", "/api/members/invitations", json={"project_id": 1, "name": "Ida", "role": "curator"})
    site.api("PATCH", "/api/queue", params={"project": 1}, json={"overlap": 0})
    other = open_page(browser, invited["link"])
    other.get_by_role("button", name="Join as Ida").click()
    other.get_by_role("link", name="Review").click()
    playing(other)
    seen: dict[str, list[int]] = {"owner": [], "Ida": []}
    for key in "axfa":
        for name, view in (("owner", page), ("Ida", other)):
            seen[name].append(clip_of(view)["id"])
            press(view, key)
    for view in (page, other):
        saved(view)
    twice = set(seen["owner"]) & set(seen["Ida"])
    assert [each for each in twice if not decisions(site, each)[0]["overlap"]] == []
    for name, candidates in seen.items():
        last = site.api("GET", "/api/decisions", params={"curator": name, "limit": 4})["items"]
        assert [each["candidate_id"] for each in reversed(last)] == candidates
    other.context.close()


def test_a_tablet_judges_by_touch(site: Site, film: dict[str, Any], browser: Browser) -> None:
    page = open_page(browser, site.link, viewport={"width": 1024, "height": 768}, has_touch=True)
    page.goto(site.base + "/review")
    playing(page)
    clip = clip_of(page)
    page.get_by_role("button", name="quality").tap()
    page.get_by_role("button", name="Approve").tap()
    saved(page)
    assert decisions(site, clip["id"])[0]["reasons"] == ["quality"]
    assert not page.evaluate(f"document.querySelector('{CLIP}').muted")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


@pytest.mark.parametrize("path", ["/review", "/agreement"])
def test_everything_has_a_name_is_reached_by_keys_and_large_enough(
    site: Site, film: dict[str, Any], browser: Browser, path: str
) -> None:
    page = open_page(browser, site.link)
    page.goto(site.base + path)
    page.wait_for_timeout(1500)
    assert page.evaluate("inPage.faults()") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


def test_when_all_is_judged_the_page_says_what_was_done_and_goes_on_by_itself(page: Page, site: Site) -> None:
    """Judged by the API meanwhile: what the page still holds is judged on it."""
    while items := site.api("GET", "/api/queue/next", params={"project": 1, "k": 50})["items"]:
        said = [
            {"candidate": each["candidate"]["id"], "verdict": "reject", "key": f"rest-{each['candidate']['id']}"}
            for each in items
        ]
        site.api("POST", "/api/decisions", json=said)
    while page.locator(".review-view").is_visible():
        page.keyboard.press("x")
        page.wait_for_timeout(200)
    expect(page.get_by_role("heading", name="Nothing left to judge.")).to_be_visible()
    expect(page.locator(".review-nothing")).to_contain_text(re.compile(r"You judged \d+ clips in the last 24 hours"))
    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("heading", name="Agreement")).to_be_visible()
    page.go_back()
    last = site.api("GET", "/api/decisions", params={"curator": "me", "verdict": "reject", "undone": False})["items"][0]
    site.api("POST", f"/api/decisions/{last['id']}/undo")
    playing(page)
    assert clip_of(page)["id"] == last["candidate_id"]
