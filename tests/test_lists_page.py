"""Lists in a real browser: made by rule, put in order by hand and by keys, trimmed, played end to end, exported."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from sqlmodel import col, update

from backend.library.models import Movie
from tests.browser import Site, open_page, problems_of
from tests.reviewing import Room, add_film, room_with, room_without_films, session_of

CLIPS = 5


@pytest.fixture(scope="module")
def film(site: Site, tmp_path_factory: pytest.TempPathFactory) -> int:
    return add_film(site, tmp_path_factory.mktemp("films") / "lighthouse.mp4")


@pytest.fixture
def room(site: Site, film: int) -> Room:
    """Five short clips that follow each other, all approved."""
    room = room_with(site, film)
    [movie] = room.api("GET", "/api/movies")["items"]
    found = room.api("GET", f"/api/movies/{movie['id']}/candidates", params={"limit": 500})["items"]
    chosen: list[dict[str, Any]] = []
    for clip in sorted(found, key=lambda each: (each["start_s"], each["end_s"])):
        if not chosen or clip["start_s"] >= chosen[-1]["end_s"]:
            chosen.append(clip)
    for number, clip in enumerate(chosen[:CLIPS]):
        said = {"candidate": clip["id"], "verdict": "approve", "key": f"approved-{room.project}-{number}"}
        room.site.api("POST", "/api/decisions", json=said)
    return room


@pytest.fixture
def clips(room: Room) -> dict[str, Any]:
    """A list of all five, in the film's order."""
    asked = {"name": "Teaser", "project": room.project, "rule": {"count": CLIPS, "order": "film"}}
    made: dict[str, Any] = room.site.api("POST", "/api/lists/by-rule", json=asked)
    assert made["clip_list"]["clips"] == CLIPS
    return made["clip_list"]


@pytest.fixture
def page(room: Room, browser: Browser, clips: dict[str, Any]) -> Iterator[Page]:
    page = room.open(browser, f"/lists/{clips['id']}")
    expect(rows(page)).to_have_count(CLIPS)
    yield page
    assert problems_of(page) == []
    page.context.close()


def rows(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Clips").get_by_role("option")


def shown(page: Page) -> list[int]:
    return [int(str(each.get_attribute("data-id"))) for each in rows(page).all()]


def at_server(room: Room, clips: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = room.site.api("GET", f"/api/lists/{clips['id']}/entries")["items"]
    return found


def ids(room: Room, clips: dict[str, Any]) -> list[int]:
    return [each["id"] for each in at_server(room, clips)]


def settled(page: Page) -> None:
    page.wait_for_function("!document.querySelector('selects-list').model.busy")


def test_a_list_by_rule_is_seen_before_it_is_made(room: Room, browser: Browser) -> None:
    page = room.open(browser, "/lists")
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


def test_clips_are_dragged_into_another_order_and_back(page: Page, room: Room, clips: dict[str, Any]) -> None:
    before = shown(page)
    first, third = rows(page).nth(0).bounding_box(), rows(page).nth(2).bounding_box()
    assert first
    assert third
    page.mouse.move(first["x"] + 20, first["y"] + 10)
    page.mouse.down()
    page.mouse.move(third["x"] + 20, third["y"] + third["height"] - 5, steps=8)
    expect(page.locator(".list-drop")).to_be_visible()
    page.mouse.up()
    expected = [before[1], before[2], before[0], *before[3:]]
    assert shown(page) == expected
    settled(page)
    assert ids(room, clips) == expected
    page.get_by_role("button", name="Undo").click()
    expect(rows(page).first).to_have_attribute("data-id", str(before[0]))
    settled(page)
    assert ids(room, clips) == before


def test_all_of_it_goes_by_keys(page: Page, room: Room, clips: dict[str, Any]) -> None:
    before = shown(page)
    rows(page).first.focus()
    page.keyboard.press("Alt+ArrowDown")
    settled(page)
    assert ids(room, clips)[:2] == [before[1], before[0]]
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("Delete")
    expect(rows(page)).to_have_count(CLIPS - 1)
    settled(page)
    assert before[0] not in ids(room, clips)
    page.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(CLIPS)
    settled(page)
    candidates = [each["candidate_id"] for each in at_server(room, clips)]
    assert len(set(candidates)) == CLIPS


def test_an_answer_is_enough(page: Page, room: Room, clips: dict[str, Any]) -> None:
    """What others have not changed is not read again; what they have is."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "GET" else None)
    before = shown(page)
    rows(page).first.focus()
    for key in ("Alt+ArrowDown", "Alt+ArrowDown", "Delete"):
        page.keyboard.press(key)
    settled(page)
    page.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(CLIPS)
    settled(page)
    page.keyboard.press("Shift+]")
    expect(page.locator(".list-row.on")).to_contain_text("trimmed here")
    settled(page)
    page.get_by_role("button", name="More about this list").click()
    page.get_by_role("menuitem", name="Name, length, note …").click()
    page.get_by_label("Name").fill("Another")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Another")).to_be_visible()
    assert [url for url in asked if "/entries" in url] == []
    assert sorted(shown(page)[1:]) != sorted(before[1:])
    assert page.evaluate("document.querySelector('selects-list').model.entries") == at_server(room, clips)
    facts = page.evaluate("document.querySelector('selects-list').model.facts")
    assert facts["version"] == room.site.api("GET", f"/api/lists/{clips['id']}")["version"]
    first = ids(room, clips)[0]
    room.site.api("PATCH", f"/api/lists/{clips['id']}/entries/{first}", json={"note": "by somebody else"})
    rows(page).nth(1).focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".list-note")).to_have_text("by somebody else")


def test_in_and_out_are_on_the_films_own_clock(room: Room, browser: Browser, clips: dict[str, Any]) -> None:
    """As the exports have them, also while one trims."""
    with session_of(room.site) as session:
        movie = col(Movie.id) == at_server(room, clips)[0]["movie_id"]
        session.execute(update(Movie).where(movie).values(start_timecode="23:59:58:00"))
        session.commit()
    page = room.open(browser, f"/lists/{clips['id']}")
    exported = room.site.api("GET", f"/api/lists/{clips['id']}/export?format=json")["clips"]
    events = [(each["start_timecode"], each["end_timecode"]) for each in exported]
    assert events[0][0] != events[-1][0] >= "00:00:00:00"
    expect(rows(page)).to_have_count(CLIPS)
    assert page.locator(".list-words p.num").evaluate_all("all => all.map(each => each.title)") == [
        " – ".join(event) for event in events
    ]
    rows(page).first.click()
    for at, name in enumerate(("In point", "Out point")):
        expect(page.get_by_label(name)).to_have_text(events[0][at])
    page.get_by_role("button", name="Out one frame later").click()
    expect(page.get_by_label("Out point")).not_to_have_text(events[0][1])
    later = page.get_by_label("Out point").text_content()
    expect(rows(page).first).to_contain_text("trimmed here")
    settled(page)
    assert at_server(room, clips)[0]["timecodes"] == [events[0][0], later]
    expect(page.get_by_label("Out point")).to_have_text(str(later))
    page.context.close()


def test_what_is_refused_goes_back_and_says_why(page: Page) -> None:
    before = shown(page)

    def refuse(route: Route) -> None:
        route.fulfill(status=409, json={"error": "Conflict", "detail": "Somebody has just deleted it."})

    page.route("**/entries/move", refuse)
    rows(page).first.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_role("alert")).to_have_text("Nothing was changed: Somebody has just deleted it.")
    settled(page)
    assert shown(page) == before


def test_it_plays_from_end_to_end(page: Page) -> None:
    """Through every clip, in order, and it ends at the last one."""
    page.evaluate("document.querySelectorAll('.list-player video').forEach((video) => { video.playbackRate = 4; })")
    page.evaluate(
        "window.played = []; document.querySelector('selects-list-player')"
        ".addEventListener('clip', ({detail}) => window.played.push(detail.id))"
    )
    page.get_by_role("button", name="Play the list, or pause").click()
    page.wait_for_function(
        "!document.querySelector('selects-list-player').plays && window.played.length >= 4", timeout=60_000
    )
    assert page.evaluate("window.played") == shown(page)[1:]
    expect(rows(page).last).to_have_class(re.compile(r"\bon\b"))
    over = "(video => [video.currentTime, video.duration])(document.querySelector('.list-player video.on'))"
    second, _ = page.evaluate(over)
    last = page.evaluate("document.querySelector('selects-list').model.entries.at(-1).end_s")
    assert second == pytest.approx(last, abs=0.25)


def test_a_clip_is_trimmed_for_this_list_alone(page: Page, room: Room, clips: dict[str, Any]) -> None:
    before = at_server(room, clips)[0]
    rows(page).first.click()
    page.keyboard.press("Shift+[")
    page.keyboard.press("Shift+]")
    page.get_by_role("button", name="In one frame later").click()
    page.get_by_role("button", name="In one frame later").click()
    page.get_by_role("button", name="In one frame earlier").click()
    expect(rows(page).first).to_contain_text("trimmed here")
    now = at_server(room, clips)[0]
    assert (now["start_frame"], now["end_frame"]) == (before["start_frame"] + 1, before["end_frame"] + 1)
    assert now["candidate_end_frame"] == before["end_frame"]
    page.get_by_role("button", name="As approved").click()
    expect(rows(page).first).not_to_contain_text("trimmed here")


def test_rights_keep_it_here_and_every_format_says_so(page: Page, room: Room, clips: dict[str, Any]) -> None:
    second = rows(page).nth(1)
    second.get_by_role("button", name="More about this clip").click()
    page.get_by_role("menuitem", name="Rights and embargo").click()
    page.get_by_label("Blocked: it may not go out").check()
    page.get_by_label("Why, or by whom").fill("the music is not cleared")
    page.get_by_role("button", name="Save").click()
    expect(second).to_contain_text("may not be used: the music is not cleared")
    expect(page.locator(".list-all")).to_contain_text("the music is not cleared")
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    page.get_by_role("button", name="Show clip 2").first.click()
    expect(second).to_be_focused()


def test_it_is_approved_downloaded_and_had_again(page: Page, room: Room, clips: dict[str, Any], tmp_path: Path) -> None:
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".list-state")).to_contain_text("approved by")
    with page.expect_download() as saved:
        page.locator('.list-format[data-format="edl"]').get_by_role("link", name="Download").click()
    saved.value.save_as(tmp_path / "list.edl")
    assert saved.value.suggested_filename == "Teaser.edl"
    assert (tmp_path / "list.edl").read_text().startswith("TITLE: Teaser")
    page.get_by_text("Exported before").click()
    again = page.locator(".list-before").get_by_role("link").first
    expect(again).to_contain_text("edl, 5 clips")
    with page.expect_download() as saved:
        again.click()
    assert Path(saved.value.path()).read_bytes() == (tmp_path / "list.edl").read_bytes()
    rows(page).first.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".list-state")).to_contain_text("draft")


def test_an_edit_made_elsewhere_becomes_a_list(page: Page, room: Room, clips: dict[str, Any], tmp_path: Path) -> None:
    with page.expect_download() as saved:
        page.locator('.list-format[data-format="fcpxml"]').get_by_role("link", name="Download").click()
    saved.value.save_as(tmp_path / "edit.fcpxml")
    page.get_by_role("link", name="Lists", exact=True).first.click()
    page.get_by_role("button", name="Import an edit …").click()
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(tmp_path / "edit.fcpxml")
    page.get_by_label("Name, if not the edit's own").fill("Back again")
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="Back again")).to_be_visible()
    windows = [(each["start_frame"], each["end_frame"]) for each in at_server(room, clips)]
    [made] = room.api("GET", "/api/lists", params={"q": "Back again"})["items"]
    assert [(each["start_frame"], each["end_frame"]) for each in at_server(room, made)] == windows


def test_clips_are_rendered_while_one_looks(page: Page, room: Room, clips: dict[str, Any]) -> None:
    rendered = page.locator('.list-format[data-format="clips"]')
    rendered.get_by_role("button", name="Render …").click()
    page.get_by_role("dialog").get_by_role("button", name="Render", exact=True).click()
    download = rendered.get_by_role("link", name="Download")
    expect(download).to_be_visible(timeout=90_000)
    with page.expect_download() as saved:
        download.click()
    assert saved.value.suggested_filename == "Teaser.zip"
    assert Path(saved.value.path()).read_bytes()[:2] == b"PK"


def test_where_the_editor_has_the_films_is_set(page: Page, room: Room, clips: dict[str, Any]) -> None:
    path = room.site.api("GET", f"/api/lists/{clips['id']}/export?format=json")["films"][0]["path"]
    folder, name = str(Path(path).parent), Path(path).name

    def settings() -> Locator:
        page.get_by_role("button", name="More about this list").click()
        page.get_by_role("menuitem", name="Where the editor has the films …").click()
        return page.get_by_role("dialog")

    dialog = settings()
    dialog.get_by_label("Folder of the server").fill("films")
    dialog.get_by_label("The same folder for the editor").fill("Z:\\Films")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("mappings")  # it is no folder of a server; nothing is lost
    expect(dialog.get_by_label("The same folder for the editor")).to_have_value("Z:\\Films")
    dialog.get_by_label("Folder of the server").fill(folder)
    dialog.get_by_role("button", name="Another folder").click()
    dialog.get_by_label("Folder of the server").nth(1).fill("/elsewhere")
    dialog.get_by_label("The same folder for the editor").nth(1).fill("/Volumes/Elsewhere")
    dialog.get_by_label("Handles at both ends of each clip, frames").fill("12")
    dialog.get_by_label("Rate of the edit").select_option("29.97df")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.locator('.list-format[data-format="edl"]')).to_contain_text("An EDL has one rate")
    exported = room.site.api("GET", f"/api/lists/{clips['id']}/export?format=json")
    assert exported["films"][0]["path"] == f"Z:\\Films\\{name}"
    assert (exported["handles"], exported["rate"], exported["drop"]) == (12, "30000/1001", True)
    dialog = settings()
    expect(dialog.get_by_label("Folder of the server")).to_have_count(2)
    dialog.get_by_role("button", name="Take this folder away").first.click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    [left] = room.api("GET", f"/api/projects/{room.project}/exports")["mappings"]
    assert left == {"server": "/elsewhere", "editor": "/Volumes/Elsewhere"}


def test_who_is_told_of_approvals_is_set(page: Page, room: Room, clips: dict[str, Any]) -> None:
    def hooks() -> Locator:
        page.get_by_role("button", name="More about this list").click()
        page.get_by_role("menuitem", name="Who is told of approvals …").click()
        return page.get_by_role("dialog", name="Who is told when a list is approved")

    dialog = hooks()
    expect(dialog).to_contain_text("Nobody is told yet.")
    dialog.get_by_label("Another address").fill("http://127.0.0.1:9/hook")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("SELECTS_SECURITY__WEBHOOK_HOSTS")
    dialog.get_by_label("Another address").fill("https://203.0.114.7/hook")
    dialog.get_by_role("button", name="Add").click()
    secret = page.get_by_role("dialog", name="Its secret")
    assert len(secret.get_by_label("Secret").input_value()) >= 16
    secret.get_by_role("button", name="Done").click()
    dialog = hooks()
    row = dialog.get_by_role("listitem")
    expect(row).to_contain_text("https://203.0.114.7/hook")
    row.get_by_role("button", name="Turn off").click()
    expect(row).to_contain_text("off")
    [hook] = room.api("GET", "/api/webhooks")["items"]
    assert hook["active"] is False
    row.get_by_role("button", name="Try it").click()
    expect(page.locator(".toast").last).to_contain_text("A test is on its way")
    row.get_by_role("button", name="Turn on").click()
    row.get_by_role("button", name="Tell https://203.0.114.7/hook no more").click()
    expect(dialog).to_contain_text("Nobody is told yet.")
    assert room.api("GET", "/api/webhooks")["items"] == []


def test_a_viewer_looks_and_changes_nothing(room: Room, clips: dict[str, Any], browser: Browser) -> None:
    asked = {"project_id": room.project, "name": "Vera", "role": "viewer"}
    page = open_page(browser, room.api("POST", "/api/members/invitations", json=asked)["link"])
    page.get_by_role("button", name="Join as Vera").click()
    page.goto(f"{room.site.base}/lists/{clips['id']}")
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


def test_approved_clips_are_added_by_hand(room: Room, browser: Browser) -> None:
    made = room.site.api("POST", "/api/lists", json={"name": "By hand", "project": room.project})
    page = room.open(browser, f"/lists/{made['id']}")
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


def test_a_clip_of_a_film_is_put_into_a_list(room: Room, browser: Browser, clips: dict[str, Any]) -> None:
    [movie] = room.api("GET", "/api/movies")["items"]
    page = room.open(browser, f"/movies/{movie['id']}")
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


@pytest.mark.parametrize("width", [1280, 820])
def test_everything_has_a_name_is_reached_by_keys_and_large_enough(
    room: Room, browser: Browser, clips: dict[str, Any], width: int
) -> None:
    for path in ("/lists", f"/lists/{clips['id']}"):
        page = room.open(browser, path, viewport={"width": width, "height": 900})
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".list-format, .card").first).to_be_visible()
        assert page.evaluate("inPage.faults()") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.context.close()
