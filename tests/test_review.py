"""The review page in a real browser: clips are judged by keys and by touch, and nothing that was said is lost."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import LINE, Site, open_page, problems_of, shown_frame
from tests.reviewing import (
    CLIP,
    LOADED,
    Room,
    clip_of,
    drag,
    playing,
    press,
    room_with,
    room_without_films,
    saved,
)

LEAST_PICTURE = 0.6
JUDGE = """async ([project, flipped]) => {
  const ask = async () => (await (await fetch(`/api/queue/next?project=${project}&k=50`)).json()).items;
  const headers = {"Content-Type": "application/json"};
  for (let items = await ask(); items.length; items = await ask()) {
    const said = items.map(({candidate: {id}}) => {
      const no = (id % 2 === 1) !== (flipped > 0 && id % flipped === 0);
      const key = `${flipped}-judged-${id}`;
      return {candidate: id, key, verdict: no ? "reject" : "approve", reasons: no ? ["slow"] : []};
    });
    const {ok} = await fetch("/api/decisions", {method: "POST", headers, body: JSON.stringify(said)});
    if (!ok) return false;
  }
  return true;
}"""
"""Judges all that is asked, by numbers; of some the other way round."""

OVERLAPS = """() => {
  const side = document.querySelector(".review-side");
  const parts = [...side.children].filter((each) => each.checkVisibility());
  const boxes = parts.map((each) => each.getBoundingClientRect()), frame = side.getBoundingClientRect(), wrong = [];
  boxes.forEach((one, at) => {
    if (one.bottom > frame.bottom + 1 || one.right > frame.right + 1) wrong.push(`${parts[at].className} is cut off`);
    boxes.slice(at + 1).forEach((other, on) => {
      const beside = one.right <= other.left || other.right <= one.left;
      const over = !beside && one.bottom > other.top && other.bottom > one.top;
      if (over) wrong.push(`${parts[at].className} lies over ${parts[at + 1 + on].className}`);
    });
  });
  return wrong;
}"""
"""What beside the clip lies over another thing or is cut off."""


def test_without_a_film_the_page_says_what_to_do(site: Site, browser: Browser) -> None:
    page = room_without_films(site).open(browser)
    expect(page.get_by_role("heading", name="No films yet")).to_be_visible()
    page.locator(".review-nothing").get_by_role("link", name="To the library").click()
    expect(page).to_have_url(site.base + "/")
    page.context.close()


def test_the_clip_plays_at_once_muted_and_says_what_it_is(site: Site, film: int, browser: Browser) -> None:
    page = room_with(site, film, fits=lambda clip: "Fast cutting." in clip.reasons).open(browser)
    playing(page)
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
    page.wait_for_function(LOADED)
    height = page.locator(".review-picture").bounding_box()
    assert height is not None
    assert height["height"] >= LEAST_PICTURE * 720
    page.context.close()


def test_it_loops_and_shows_the_line_that_is_said(site: Site, film: int, browser: Browser) -> None:
    page = room_with(site, film, fits=lambda clip: clip.start_s <= 10 < clip.end_s).open(browser)
    playing(page)
    clip = clip_of(page)
    page.evaluate("document.querySelector('selects-review').deck.seek(10)")
    expect(page.locator(".review-line")).to_have_text(f"“{LINE}”")
    page.evaluate("end => document.querySelector('selects-review').deck.seek(end)", clip["end_s"])
    page.wait_for_function(f"start => document.querySelector('{CLIP}').currentTime < start + 1", arg=clip["start_s"])
    assert not page.evaluate(f"document.querySelector('{CLIP}').paused")
    assert problems_of(page) == []
    page.context.close()


def test_verdicts_go_out_and_the_next_clip_is_there(page: Page, room: Room) -> None:
    for key, verdict in (("a", "approve"), ("x", "reject"), (" ", "skip"), ("f", "flag")):
        clip = clip_of(page)
        press(page, key)
        now = clip_of(page)
        assert now["start_frame"] <= shown_frame(page, CLIP) < now["end_frame"]
        saved(page)
        (kept,) = room.decisions(clip["id"])
        assert kept["verdict"] == verdict
        assert kept["spent_s"] > 0
        assert (kept["strategy"], kept["model"]) != ("chosen", "")


def test_ten_decisions_are_taken_back_one_after_the_other(page: Page, room: Room) -> None:
    said = []
    for key in "axaxaxaxaxa":
        said.append(clip_of(page)["id"])
        press(page, key)
    for candidate in reversed(said[1:]):
        press(page, "Backspace")
        assert clip_of(page)["id"] == candidate
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    saved(page)
    assert [room.decisions(each)[0]["verdict"] for each in said] == ["approve"] + ["undo"] * 10


def test_a_trim_is_made_by_keys_and_by_hand_and_goes_with_the_approval(page: Page, room: Room) -> None:
    while (clip := clip_of(page))["end_frame"] - clip["start_frame"] < 90:
        press(page, " ")
    shots = room.api("GET", f"/api/candidates/{clip['id']}/context")["shots"]
    cuts = [shot["start_frame"] for shot in shots if clip["start_frame"] < shot["start_frame"] < clip["end_frame"]]
    page.keyboard.press("]")
    page.keyboard.press("Shift+[")
    expect(page.locator(".review-cut")).to_contain_text(re.compile(r"in \+0\.1 s, out −"))
    drag(page, "In point", cuts[0] / 10)
    page.keyboard.press("Alt+]")
    page.keyboard.press("]")
    press(page, "a")
    saved(page)
    kept = next(each for each in room.decisions(clip["id"]) if each["verdict"] == "approve")
    assert (kept["trim_start_frame"], kept["trim_end_frame"]) == (cuts[0], cuts[-1])
    press(page, "Backspace")
    expect(page.locator(".review-cut")).to_contain_text("trimmed")
    page.keyboard.press("Escape")
    expect(page.locator(".review-cut")).to_be_hidden()


def test_reasons_are_kept_with_the_decision(page: Page, room: Room) -> None:
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
    (kept,) = room.decisions(clip["id"])
    assert (kept["reasons"], kept["text"]) == (["slow", "other"], "the axe falls too late")
    press(page, "Backspace")
    expect(page.get_by_role("button", name="slow")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Another reason")).to_have_value("the axe falls too late")


def test_two_curators_at_once_are_asked_about_different_clips(room: Room, browser: Browser) -> None:
    room.api("PATCH", "/api/queue", json={"overlap": 0})
    page = room.open(browser)
    playing(page)
    asked = {"project_id": room.project, "name": "Ida", "role": "curator"}
    invited = room.api("POST", "/api/members/invitations", json=asked)
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
    assert set(seen["owner"]) & set(seen["Ida"]) == set()
    for name, candidates in seen.items():
        last = room.api("GET", "/api/decisions", params={"curator": name})["items"]
        assert [each["candidate_id"] for each in reversed(last)] == candidates
    page.context.close()
    other.context.close()


def test_a_tablet_judges_by_touch(room: Room, browser: Browser) -> None:
    page = room.open(browser, viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True)
    playing(page)
    clip = clip_of(page)
    page.get_by_role("button", name="quality").tap()
    page.get_by_role("button", name="Approve", exact=True).tap()
    saved(page)
    assert room.decisions(clip["id"])[0]["reasons"] == ["quality"]
    page.wait_for_function(f"!document.querySelector('{CLIP}').muted")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/review", "/agreement"])
def test_everything_has_a_name_is_reached_by_keys_and_large_enough(
    room: Room, browser: Browser, path: str, width: int
) -> None:
    page = room.open(browser, path, viewport={"width": width, "height": 844})
    page.wait_for_timeout(1500)
    assert page.evaluate("inPage.faults()") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


def test_the_side_has_its_own_place_on_every_screen(room: Room, browser: Browser) -> None:
    """Nothing beside the clip lies over another thing or is cut off, trimmed clips and long lines too."""
    for width, height in ((1440, 900), (1280, 720), (820, 1180), (390, 844)):
        page = room.open(browser, viewport={"width": width, "height": height})
        playing(page)
        page.keyboard.press("]")
        page.locator(".review-line").evaluate("line => { line.textContent = 'Said at length. '.repeat(20); }")
        assert page.evaluate(OVERLAPS) == []
        page.context.close()


def test_agreement_is_shown_of_all_and_two_by_two(room: Room, browser: Browser) -> None:
    room.api("PATCH", "/api/queue", json={"overlap": 1})
    page = room.open(browser, "/agreement")
    expect(page.get_by_role("heading", name="Nothing to compare yet")).to_be_visible()
    asked = {"project_id": room.project, "name": "Joan", "role": "curator"}
    other = open_page(browser, room.api("POST", "/api/members/invitations", json=asked)["link"])
    other.get_by_role("button", name="Join as Joan").click()
    expect(other.get_by_role("link", name="Review")).to_be_visible()
    for view, flipped in ((page, 0), (other, 3)):
        assert view.evaluate(JUDGE, [room.project, flipped])
    page.reload()
    measured = room.api("GET", "/api/agreement")
    assert measured["answered"] >= 10
    of_all, of_two = page.get_by_role("table").nth(0), page.get_by_role("table").nth(1)
    expect(of_all.locator("tbody tr")).to_have_count(2)
    for place, name in enumerate(("verdict", "slow")):
        row = of_all.locator("tbody tr").nth(place)
        expect(row).to_contain_text(name)
        subject = measured["reasons"]["slow"] if place else measured["verdict"]
        assert 0 < subject["alpha"]["value"] < 1
        for value in (subject["alpha"]["value"], subject["alpha"]["high"]):
            expect(row).to_contain_text(f"{value:.2f}")
        page.get_by_label("Two by two, about").select_option(name)
        expect(of_two.locator("tbody tr")).to_contain_text("Joan and owner")
        expect(of_two.locator("tbody tr")).to_contain_text(f"{subject['pairs'][0]['kappa']['value']:.2f}")
    assert problems_of(page) == []
    page.context.close()
    other.context.close()


def test_when_all_is_judged_the_page_says_what_was_done_and_goes_on_by_itself(
    site: Site, film: int, browser: Browser
) -> None:
    room = room_with(site, film, fits=lambda clip: clip.start_s < 5)
    page = room.open(browser)
    playing(page)
    while page.locator(".review-view").is_visible():
        page.keyboard.press("x")
        page.wait_for_timeout(100)
    expect(page.get_by_role("heading", name="Nothing left to judge.")).to_be_visible()
    page.wait_for_function("document.querySelector('.saved').dataset.waiting === '0'")
    judged = room.api("GET", "/api/decisions")["total"]
    expect(page.locator(".review-nothing")).to_contain_text(f"You judged {judged} clips in the last 24 hours")
    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("heading", name="Agreement", exact=True)).to_be_visible()
    page.go_back()
    last = room.api("GET", "/api/decisions")["items"][0]
    room.api("POST", f"/api/decisions/{last['id']}/undo")
    playing(page)
    assert clip_of(page)["id"] == last["candidate_id"]
    assert problems_of(page) == []
    page.context.close()
