"""The pages in a real browser, on the whole of Selects: films come in, are looked at, ranked, cut and searched."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import (
    LINE,
    Site,
    make_speaking_film,
    open_page,
    problems_of,
    shown_frame,
)
from tests.films import make_film
from tests.workers import wait_until

ANALYSED_MS = 600_000
MODELS_MS = 300_000
SETTLED_MS = 1500
SHOTS_OF_FILM = 13


@pytest.fixture(scope="module")
def film(site: Site, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A film that a person has uploaded, with what they saw of it; a file that is no film came with it."""
    folder = tmp_path_factory.mktemp("films")
    path = make_speaking_film(folder / "harbour_lights.mp4")
    (folder / "notes.mov").write_text("this is no film")
    page = open_page(browser, site.link)
    expect(page.get_by_role("heading", name="No films yet")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files …").locator("visible=true").click()
    chooser.value.set_files([path, folder / "notes.mov"])
    card = page.locator(".card", has_text="Harbour lights")
    expect(card.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("selects-tray")).to_be_visible()
    stages = _watch(card)
    bad = page.locator(".card[data-state=failed]")
    expect(bad).to_be_visible(timeout=ANALYSED_MS)
    found = next(each for each in site.api("GET", "/api/movies")["items"] if each["title"] == "Harbour lights")
    return found | {"stages": stages, "wall": page}


def _watch(card: Locator) -> set[str]:
    """What the card says while the film is in work."""
    said: set[str] = set()
    while card.get_attribute("data-state") != "ready":
        said.update(card.locator(".poster-work").all_inner_texts())  # it goes when the film is ready
        card.page.wait_for_timeout(50)
    return said


@pytest.fixture
def page(site: Site, film: dict[str, Any], browser: Browser) -> Iterator[Page]:
    """The film's page; nothing may go wrong in its scripts."""
    page = open_page(browser, site.link)
    page.goto(f"{site.base}/movies/{film['id']}")
    expect(page.locator(".clip").first).to_be_visible()
    yield page
    assert problems_of(page) == []
    page.context.close()


def test_a_stranger_signs_in_and_gets_where_they_wanted(site: Site, browser: Browser) -> None:
    page = open_page(browser, site.base + "/search")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not known")
    page.get_by_label("Token").fill(site.link.partition("token=")[2])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Words to search for")).to_be_visible()
    page.get_by_role("button", name="owner").click()
    page.get_by_text("Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(site.base + "/")
    expect(page.get_by_label("Token")).to_be_visible()


def test_films_come_in_and_show_how_far_they_are(film: dict[str, Any]) -> None:
    """Both at once, the good one with its stages in place, the bad one with the reason in words."""
    wall: Page = film["wall"]
    assert any(re.search(r"\d+ % · (watching|measuring|ranking|reading)", said) for said in film["stages"]), film[
        "stages"
    ]
    card = wall.locator(".card", has_text="Harbour lights")
    expect(card.locator("img")).to_be_visible()
    expect(card.locator(".card-facts")).to_contain_text(re.compile(r"0:40 · \d+ candidate"))
    expect(wall.locator(".card[data-state=failed]")).to_contain_text("notes.mov")
    expect(wall.locator("selects-tray")).to_be_hidden()


def test_a_dropped_film_that_is_there_already_is_not_added_twice(film: dict[str, Any], site: Site) -> None:
    wall: Page = film["wall"]
    before = len(site.api("GET", "/api/movies")["items"])
    wall.evaluate("inPage.drop", ["selects-library", f"/api/movies/{film['id']}/media", "again.mp4", ""])
    expect(wall.get_by_text("is in the library already")).to_be_visible()
    assert len(site.api("GET", "/api/movies")["items"]) == before


def test_the_wall_is_filtered_and_sorted_and_leads_to_the_film(film: dict[str, Any]) -> None:
    wall: Page = film["wall"]
    wall.get_by_label("Filter by title").fill("nothing like it")
    expect(wall.get_by_text("No film is like that.")).to_be_visible()
    wall.get_by_role("button", name="Show all films").click()
    wall.get_by_label("Order").select_option("title")
    expect(wall.locator(".card-title").first).to_have_text(re.compile("Harbour lights|Notes"))
    wall.get_by_role("link", name="Harbour lights").first.click()
    expect(wall).to_have_title("Harbour lights · Selects")
    wall.go_back()
    expect(wall.locator(".card", has_text="Harbour lights")).to_be_visible()


def test_the_film_plays_from_where_it_is_clicked_frame_by_frame(page: Page) -> None:
    with page.expect_response(lambda answer: "/media?" in answer.url and answer.status == 206):
        page.reload()
    expect(page.locator("selects-timeline .strip img").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Play shot")).nth(4).click()
    page.wait_for_function("(video => video.currentTime > 12 && !video.paused)(document.querySelector('video'))")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('video').paused && !document.querySelector('video').seeking")
    _seek(page, CUT_S := 13.0)
    wait_until(lambda: shown_frame(page) == round(CUT_S * 10))
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: shown_frame(page) == round(CUT_S * 10) - 1)
    expect(page.locator(".player-clock")).to_have_text("00:00:12:09")


def _seek(page: Page, second: float) -> None:
    """To a second by the timeline; ends when the picture is there."""
    page.evaluate("inPage.seek", second)
    page.wait_for_function("!document.querySelector('video').seeking")
    page.wait_for_timeout(300)


def test_weights_and_lengths_rank_again_without_loading_the_page(page: Page, site: Site, film: dict[str, Any]) -> None:
    page.evaluate("window.stays = true")
    page.get_by_label("Shortest clip, seconds").fill("3")
    page.get_by_label("Longest clip, seconds").fill("8")
    expect(page.locator(".clip").nth(3)).to_be_visible()
    for viral in (1, 0):
        page.get_by_label("Weight between viral and compelling").fill(str(100 - 100 * viral))
        asked = {"movie": film["id"], "min_s": 3, "max_s": 8, "weight_viral": viral, "top_n": 20}
        wanted = [_key(clip) for clip in site.api("POST", "/api/score", json=asked)["clips"]]
        page.wait_for_function("wanted => inPage.clips().join() === wanted", arg=",".join(wanted))
    page.get_by_label("For", exact=True).select_option("reels")
    expect(page.get_by_label("Longest clip, seconds")).to_have_value("60")
    expect(page.locator("selects-ranking .viral.num")).to_have_text("0.75")
    expect(page.get_by_text("prior, relative to this film")).to_be_visible()
    assert page.evaluate("window.stays")


def _key(clip: dict[str, Any]) -> str:
    return f"{clip['start_frame']}-{clip['end_frame']}"


def test_in_and_out_points_make_a_clip_and_its_ends_are_dragged_to_cuts(
    page: Page, site: Site, film: dict[str, Any]
) -> None:
    _seek(page, 6.2)
    page.keyboard.press("i")
    _seek(page, 10.0)
    page.keyboard.press("o")
    expect(page.locator(".marks")).to_contain_text(re.compile("00:00:06:02.*00:00:10:00.*0:04"))
    page.keyboard.press("Enter")
    own = page.locator(".clip", has_text="own")
    expect(own).to_be_visible()
    assert own.get_attribute("data-key") == "62-101"
    _drag_end(page, 10.1, 14.6)
    expect(page.locator(".clip[data-key='62-150']")).to_be_visible()
    expect(page.locator(".clip[data-key='62-101']")).to_be_hidden()
    stored = site.api("GET", f"/api/movies/{film['id']}/candidates")["items"]
    assert [_key(each) for each in stored if each["source"] == "manual"] == ["62-150"]
    page.get_by_role("button", name="Remove the clip").click()
    expect(own).to_be_hidden()


def test_an_edit_comes_in_and_its_intervals_are_withdrawn(page: Page) -> None:
    page.get_by_role("tab", name="References (0)").click()
    spine = '<spine><asset-clip ref="a" start="6s" duration="2s"/></spine>'
    edit = f'<fcpxml><asset id="a" hasVideo="1"/><project><sequence>{spine}</sequence></project></fcpxml>'
    sent: Any = {"name": "promo.fcpxml", "mimeType": "text/xml", "buffer": edit.encode()}
    page.get_by_label("Trailers and edits to add").set_input_files(sent)
    page.get_by_role("button", name=re.compile("promo.*1 interval")).click()
    page.get_by_role("button", name="0:06 – 0:08").first.click()
    page.wait_for_function("(video => video.currentTime > 6 && !video.paused)(document.querySelector('video'))")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_role("button", name=re.compile("promo.*1 interval$"))).to_be_visible()
    assets = '<asset id="a" src="other.mov" hasVideo="1"/><asset id="b" src="master.mov" hasVideo="1"/>'
    spine = '<spine><asset-clip ref="a" duration="2s"/><asset-clip ref="b" start="9s" duration="2s"/></spine>'
    edit = f"<fcpxml>{assets}<project><sequence>{spine}</sequence></project></fcpxml>"
    page.get_by_text("An edit that calls the film otherwise").click()
    page.get_by_label("What the edit calls the film").fill("master")
    page.get_by_label("Trailers and edits to add").set_input_files(
        sent | {"name": "two.fcpxml", "buffer": edit.encode()}
    )
    page.get_by_role("button", name=re.compile("two.*1 interval")).click()
    expect(page.get_by_role("button", name="0:09 – 0:11").first).to_be_visible()


def _drag_end(page: Page, from_s: float, to_s: float) -> None:
    """The end of the newest bar of one's own, by the mouse."""
    stage = page.locator(".timeline-stage")
    stage.scroll_into_view_if_needed()
    box, length = stage.bounding_box(), 40.0
    assert box is not None
    y = page.evaluate("inPage.lastBar()")
    page.mouse.move(box["x"] + box["width"] * from_s / length, box["y"] + y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * to_s / length, box["y"] + y, steps=6)
    page.mouse.up()


def test_words_find_the_line_and_m_finds_more_like_it(page: Page, site: Site) -> None:
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Words to search for").fill("lantern burning in the harbour")
    page.get_by_role("button", name="Search", exact=True).click()
    first = page.locator(".hit").first
    expect(first.locator(".hit-why")).to_contain_text(LINE, timeout=MODELS_MS)
    expect(first.locator("mark").first).to_have_text("lantern")
    first.hover()
    page.wait_for_function("document.querySelector('.hit-video.on')?.currentTime > 0")
    first.get_by_role("link").focus()
    page.keyboard.press("m")
    expect(page.locator(".example")).to_contain_text("More like shot 4 of Harbour lights")
    expect(page.locator(".hit")).to_have_count(SHOTS_OF_FILM - 1)
    page.get_by_label("Longest shot, seconds").fill("3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("max_duration_s=3"))
    expect(page.locator(".hit").nth(1)).to_be_visible()
    assert page.locator(".hit").count() < SHOTS_OF_FILM - 1


def test_a_dropped_picture_finds_the_shot_it_is_from(page: Page, site: Site, film: dict[str, Any]) -> None:
    shot = site.api("GET", f"/api/movies/{film['id']}/shots")["items"][6]
    page.goto(site.base + "/search")
    expect(page.get_by_label("Words to search for")).to_be_visible()
    page.evaluate("inPage.drop", ["selects-search", shot["picture"], "still.jpg", "image/jpeg"])
    expect(page.get_by_text("Shots that look like still.jpg")).to_be_visible()
    expect(page.locator(".hit").first).to_be_visible(timeout=MODELS_MS)
    assert page.locator(".hit a").first.get_attribute("href") == f"/movies/{film['id']}?t={shot['start_s']:.3f}"


def test_a_viewer_looks_and_changes_nothing(site: Site, film: dict[str, Any], browser: Browser) -> None:
    invited = site.api("POST", "/api/members/invitations", json={"project_id": 1, "name": "Vera", "role": "viewer"})
    page = open_page(browser, invited["link"])
    page.get_by_role("button", name="Join as Vera").click()
    expect(page.locator(".card", has_text="Harbour lights")).to_be_visible()
    expect(page.get_by_text("Drop films here")).to_be_hidden()
    expect(page.locator(".card-menu").first).to_be_hidden()
    page.goto(f"{site.base}/movies/{film['id']}")
    expect(page.locator(".clip").first).to_be_visible()
    expect(page.get_by_role("button", name="Make a clip")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/", "/movies/{}", "/search?q=harbour", "/nowhere"])
def test_everything_has_a_name_is_reached_by_keys_and_large_enough(
    site: Site, film: dict[str, Any], browser: Browser, path: str, width: int
) -> None:
    page = open_page(browser, site.link, viewport={"width": width, "height": 844})
    page.goto(site.base + path.format(film["id"]))
    page.wait_for_timeout(SETTLED_MS)
    assert page.evaluate("inPage.faults()") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


def test_a_timeline_of_two_thousand_shots_is_drawn(page: Page) -> None:
    """The whole timeline anew, as zooming does; how long it takes is measured by `scripts/bench timeline`."""
    page.evaluate("inPage.redraws(2000)")
    assert page.evaluate("inPage.colours('selects-timeline canvas')") > 20, "a timeline with nothing on it has few"


def test_a_film_is_deleted_with_a_sentence_before_it(film: dict[str, Any], site: Site, tmp_path: Path) -> None:
    wall: Page = film["wall"]
    spare = make_film(tmp_path / "spare.mp4", 30, 10, clicks_s=None)
    wall.goto(site.base + "/")
    wall.get_by_label("Films to upload").set_input_files(spare)
    card = wall.locator(".card", has_text="Spare")
    expect(card.get_by_role("button", name="More about Spare")).to_be_visible()
    card.get_by_role("button", name="More about Spare").click()
    wall.get_by_role("menuitem", name="Delete …").click()
    dialog = wall.get_by_role("dialog")
    expect(dialog).to_contain_text("stay on record")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(card).to_be_hidden()
    assert "Spare" not in [each["title"] for each in site.api("GET", "/api/movies")["items"]]
