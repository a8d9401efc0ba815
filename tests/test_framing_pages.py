"""Framing in a real browser: the page where stills are labelled, dialogue scenes on the film page and in search."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from backend.analysis.stills import read_index
from backend.features.framing.scale import Framing
from labeling.framing.labels import read_labels
from tests.browser import Site, open_page, problems_of
from tests.command import COMMAND, environment
from tests.conversation import SHOTS, TALKING, make_conversation
from tests.test_framing_kept import material_of
from trainer.framing import train
from trainer.framing.page import render
from trainer.framing.report import figures
from trainer.framing.train import Asked, Trained

START_LIMIT_S = 180
ANALYSED_S = 300
expect.set_options(timeout=20_000)


@pytest.fixture
def desk(stills: Path, browser: Browser) -> Iterator[Page]:
    """`selects framing label` in a process of its own, and its page; Ctrl-C ends it."""
    home = stills.parent / "home"
    command = [*COMMAND, "framing", "label", str(stills)]
    said = stills.parent / "said"
    with said.open("wb") as out:
        process = subprocess.Popen(command, env=environment(home), stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    page = open_page(browser, _link(process, said))
    yield page
    assert problems_of(page) == []
    page.context.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) in (0, 130), said.read_text()


def _link(process: "subprocess.Popen[bytes]", said: Path) -> str:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S+/", said.read_text()):
            return found[0]
        assert process.poll() is None, said.read_text()
        time.sleep(0.1)
    raise AssertionError(said.read_text())


def test_stills_are_labelled_by_keys(desk: Page, stills: Path) -> None:
    place, state = desk.get_by_role("heading"), desk.get_by_role("status")
    expect(place).to_contain_text("1 / 5")
    expect(desk.get_by_role("button", name="Medium close-up")).to_have_attribute("aria-pressed", "true")
    desk.keyboard.press("3")
    desk.keyboard.press("Enter")
    expect(place).to_contain_text("2 / 5")
    expect(state).to_contain_text("1 of 5 labelled")
    desk.keyboard.press("5")
    desk.keyboard.press("m")
    pressed = desk.get_by_role("button", name="Medium close-up").get_attribute("aria-pressed")
    desk.keyboard.press("Enter")
    expect(state).to_contain_text("saved")
    labels = [label.framing for label in read_labels(stills / "labels.csv").values()]
    assert sorted(labels, key=lambda each: each.scale) == [Framing(pressed == "true", "long"), Framing(True, "medium")]
    desk.keyboard.press("ArrowLeft")
    desk.keyboard.press("Backspace")
    expect(state).to_contain_text("saved")
    assert [label.framing for label in read_labels(stills / "labels.csv").values()] == [Framing(True, "medium")]
    desk.reload()
    expect(place).to_contain_text("2 / 5")  # the first that has no label
    assert len(read_index(stills)) == 5


def test_a_medium_close_up_of_nobody_is_not_saved(desk: Page, stills: Path) -> None:
    path, place, state = stills / "labels.csv", desk.get_by_role("heading"), desk.get_by_role("status")
    expect(place).to_contain_text("/ 5")
    before, at = path.read_bytes() if path.exists() else b"", place.text_content()
    medium = desk.get_by_role("button", name="Medium close-up")
    desk.keyboard.press("0")
    expect(medium).to_have_attribute("aria-pressed", "false")
    desk.keyboard.press("m")
    desk.keyboard.press("Enter")
    expect(state).to_contain_text("choose a scale")
    assert place.text_content() == at
    assert (path.read_bytes() if path.exists() else b"") == before
    desk.keyboard.press("2")
    expect(state).not_to_contain_text("choose a scale")
    desk.keyboard.press("m")
    desk.keyboard.press("Enter")
    expect(state).to_contain_text("saved")
    assert Framing(False, "close-up") in [label.framing for label in read_labels(path).values()]


def test_a_button_that_tab_reaches_is_pressed_and_nothing_saved(desk: Page, stills: Path) -> None:
    path = stills / "labels.csv"
    before, place = path.read_bytes() if path.exists() else b"", desk.get_by_role("heading")
    expect(place).to_contain_text("/ 5")
    at, choice = place.text_content(), desk.locator(".choice").nth(2)
    for _ in range(3):
        desk.keyboard.press("Tab")
    expect(choice).to_be_focused()
    desk.keyboard.press(" ")
    expect(choice).to_have_attribute("aria-pressed", "true")
    assert place.text_content() == at
    assert (path.read_bytes() if path.exists() else b"") == before


def test_a_key_that_is_held_saves_one_still(desk: Page) -> None:
    state = desk.get_by_role("status")
    expect(state).to_contain_text("of 5 labelled")
    before = int((state.text_content() or "").split()[0])
    for _ in range(3):
        desk.keyboard.down("Enter")
    desk.keyboard.up("Enter")
    expect(state).to_contain_text("saved")
    expect(state).to_contain_text(f"{before + 1} of 5 labelled")


def test_the_tables_of_a_training_are_as_wide_as_its_page(browser: Browser, stills: Path) -> None:
    """With four judges and titles without a space in them."""
    film, yes = np.array([0, 0, 1, 1, 2]), np.array([1, 0, 1, 0, 0], bool)
    material = material_of(film, yes, folder=stills, stills=tuple(read_index(stills)))
    material = replace(material, titles=tuple(f"{k}_" + 9 * "a_long_title_" for k in range(3)))
    tested = {kind: train.Tested(np.linspace(0.1, 0.9, 5)) for kind in ("rule", "cnn", "head", "cnn-tuned")}
    trained = Trained({}, {"unwatched": tested, "mixed": tested}, {})
    path = stills.parent / "report.html"
    path.write_text(render(material, trained, figures(material, Asked(), trained)))
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(path.as_uri())
    wide = page.evaluate("[...document.querySelectorAll('.scroll, html')].map((e) => [e.scrollWidth, e.clientWidth])")
    assert len(wide) == 5
    assert all(needs <= has for needs, has in wide), wide
    page.close()


@pytest.fixture(scope="module")
def talk(site: Site, films: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A film of two people who talk by turns, analysed by the service."""
    path = make_conversation(films, tmp_path_factory.mktemp("talk") / "two_people.mp4")
    with path.open("rb") as file:
        added = site.api("POST", "/api/movies", files={"file": (path.name, file)})
    movie, until = added["movie"], time.monotonic() + ANALYSED_S
    while movie["state"] != "ready":
        assert movie["state"] in ("waiting", "working"), movie["problem"]
        assert time.monotonic() < until
        time.sleep(0.5)
        movie = site.api("GET", f"/api/movies/{movie['id']}")
    return movie


def test_the_film_page_marks_dialogue_scenes(site: Site, talk: dict[str, Any], browser: Browser) -> None:
    shots = site.api("GET", f"/api/movies/{talk['id']}/shots")["items"]
    assert [shot["dialogue_scene"] for shot in shots] == [0] * TALKING + [None] * (SHOTS - TALKING)
    page = open_page(browser, site.link)
    page.goto(f"{site.base}/movies/{talk['id']}")
    stage, tip = page.locator(".timeline-stage"), page.locator(".timeline-tip")
    box = stage.bounding_box()
    assert box is not None
    expect(page.locator(".timeline-legend")).to_contain_text("dialogue of two")
    stage.hover(position={"x": box["width"] * 0.3, "y": 10})
    expect(tip).to_contain_text("dialogue of two, 1")
    stage.hover(position={"x": box["width"] * 0.97, "y": 10})
    expect(tip).not_to_contain_text("dialogue of two")
    assert problems_of(page) == []
    page.context.close()


def test_search_is_narrowed_to_dialogue_scenes(site: Site, talk: dict[str, Any], browser: Browser) -> None:
    page = open_page(browser, site.link)
    page.goto(f"{site.base}/search?movie={talk['id']}&shot=0")
    expect(page.locator(".hit")).to_have_count(SHOTS - 1)
    page.get_by_label("Dialogue of two").select_option("Dialogue of two")
    expect(page.locator(".hit")).to_have_count(TALKING - 1)
    assert "dialogue_scene=true" in page.url
    page.get_by_label("Dialogue of two").select_option("Other scenes")
    expect(page.locator(".hit")).to_have_count(SHOTS - TALKING)
    assert problems_of(page) == []
    page.context.close()
