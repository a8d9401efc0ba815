"""Library, film and people when something goes wrong: no server, files that are no films, numbers half typed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import problems_of
from tests.films import make_film
from tests.reviewing import Room

BYTES_PER_S = 20_000
DRAWN_MS = 1200
AWAY = "The server does not answer"


@pytest.fixture
def wall(room: Room, browser: Browser) -> Iterator[Page]:
    """The library of a project with one film."""
    page = room.open(browser, "/")
    expect(page.locator(".card")).to_have_count(1)
    yield page
    assert problems_of(page) == []
    page.context.close()


@pytest.fixture
def shown(wall: Page) -> Page:
    """The page of that film."""
    wall.locator(".poster").click()
    expect(wall.locator(".clip").first).to_be_visible()
    expect(wall.get_by_label("Longest clip, seconds")).to_have_value(re.compile(r"\d"))
    return wall


def test_half_a_number_is_no_mistake_and_a_limit_that_cannot_be_is_said_beside_it(shown: Page) -> None:
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url) if request.url.endswith("/api/score") else None)
    note, shortest, longest = shown.locator(".ranking-note"), *_limits(shown)
    shortest.fill("20")
    longest.fill("3")
    expect(note).to_contain_text("20 s or more")
    expect(note).to_have_class(re.compile("bad"))
    shown.wait_for_timeout(DRAWN_MS)
    assert asked == []
    expect(shown.locator(".toast")).to_have_count(0)
    longest.fill("30")
    expect(note).to_contain_text("Ranked by")
    expect(note).not_to_have_class(re.compile("bad"))
    assert len(asked) == 1


def _limits(page: Page) -> tuple[Locator, Locator]:
    return page.get_by_label("Shortest clip, seconds"), page.get_by_label("Longest clip, seconds")


def test_the_slider_ranks_while_it_is_drawn(shown: Page) -> None:
    asked = shown.evaluate(
        """async () => {
             const slider = document.querySelector("selects-ranking input[type=range]");
             let asked = 0;
             document.querySelector("selects-ranking").addEventListener("rank", () => asked++);
             for (let value = 0; value <= 40; value++) {
               slider.value = value;
               slider.dispatchEvent(new Event("input"));
               await new Promise((go) => setTimeout(go, 20));
             }
             return asked;
           }"""
    )
    assert asked >= 2
    expect(shown.locator("selects-ranking .viral.num")).to_have_text("0.60")


def test_a_server_that_is_away_is_said_once_and_pages_go_on_when_it_is_back(shown: Page) -> None:
    shown.context.set_offline(True)
    shown.get_by_label("Weight between viral and compelling").focus()
    for _ in range(3):
        shown.keyboard.press("ArrowRight")
        shown.wait_for_timeout(300)
    expect(shown.locator(".toast", has_text=AWAY)).to_have_count(1)
    shown.evaluate("document.querySelector('selects-app').go('/people')")
    expect(shown.get_by_role("heading", name=re.compile("people .* could not be loaded"))).to_be_visible()
    expect(shown.get_by_text("Nobody else is here")).to_have_count(0)
    shown.context.set_offline(False)
    expect(shown.get_by_role("heading", name=re.compile("People of"))).to_be_visible()
    expect(shown.locator(".toast", has_text=AWAY)).to_have_count(0)


def test_a_film_that_cannot_be_loaded_now_is_not_said_to_be_gone(wall: Page) -> None:
    wall.context.set_offline(True)
    wall.locator(".poster").click()
    expect(wall.get_by_role("heading", name="This film could not be loaded.")).to_be_visible()
    wall.context.set_offline(False)
    wall.get_by_role("button", name="Try again").click()
    expect(wall.locator(".clip").first).to_be_visible()
    wall.evaluate("document.querySelector('selects-app').go('/movies/999999')")
    expect(wall.get_by_role("heading", name="This film is not here.")).to_be_visible()
    expect(wall.get_by_text("There is no film 999999")).to_have_count(1)


def test_a_library_that_cannot_be_loaded_says_so(room: Room, browser: Browser) -> None:
    page = room.open(browser, "/people")
    expect(page.get_by_role("heading", name=re.compile("People of"))).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="The library could not be loaded.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".card")).to_have_count(1)
    expect(page.get_by_role("heading", name="The library could not be loaded.")).to_be_hidden()
    page.context.close()


def test_of_a_folder_the_films_are_taken(wall: Page, tmp_path: Path) -> None:
    folder = tmp_path / "reels"
    (folder / "second").mkdir(parents=True)
    make_film(folder / "second" / "harvest.mp4", 30, 10, clicks_s=None)
    for other in ("Thumbs.db", "harvest.srt", "second/cover.jpg"):
        (folder / other).write_text("no film")
    _drop(wall, folder)
    expect(wall.locator(".card", has_text="Harvest")).to_be_visible()
    expect(wall.locator(".card")).to_have_count(2)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "notes.txt").write_text("no film")
    _drop(wall, tmp_path / "words")
    expect(wall.get_by_text("There is no film in what was dropped.")).to_be_visible()


def _drop(page: Page, path: Path) -> None:
    """As the mouse lets go of what it took in a window of files."""
    devtools = page.context.new_cdp_session(page)
    carried = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": step, "x": 600, "y": 400, "data": carried})


def test_a_file_that_is_refused_is_not_sent_again(wall: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no film")
    wall.get_by_label("Films to upload").set_input_files(tmp_path / "notes.txt")
    card = wall.locator(".card[data-state=failed]")
    expect(card).to_contain_text("does not end like a film file")
    expect(card.get_by_role("button", name="Try again")).to_be_hidden()
    wall.reload()
    expect(wall.locator(".card")).to_have_count(1)
    expect(wall.locator(".toast")).to_have_count(0)


def test_uploads_that_a_new_start_cut_off_are_named(wall: Page, tmp_path: Path) -> None:
    (tmp_path / "lighthouse.mp4").write_bytes(bytes(40 * BYTES_PER_S))
    devtools = wall.context.new_cdp_session(wall)
    devtools.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": BYTES_PER_S}
    devtools.send("Network.emulateNetworkConditions", slow)
    wall.on("dialog", lambda dialog: dialog.accept())
    wall.get_by_label("Films to upload").set_input_files(tmp_path / "lighthouse.mp4")
    expect(wall.locator(".card", has_text="lighthouse.mp4")).to_contain_text("uploading")
    wall.reload()
    expect(wall.locator(".toast")).to_contain_text("lighthouse.mp4. Choose the files once more")
    wall.reload()
    expect(wall.locator(".card")).to_have_count(1)
    expect(wall.locator(".toast")).to_have_count(0)
