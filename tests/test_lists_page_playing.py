"""A list in a real browser is played: end to end, on the film's clock, with the sound as it was left, and trimmed."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import col, update

from backend.library.models import Movie
from tests.listing import CLIPS, at_server, rows, settled, shown
from tests.reviewing import Room, session_of


def test_in_and_out_are_on_the_films_own_clock(cutting: Room, browser: Browser, teaser: dict[str, Any]) -> None:
    """As the exports have them, also while one trims."""
    with session_of(cutting.site) as session:
        movie = col(Movie.id) == at_server(cutting, teaser)[0]["movie_id"]
        session.execute(update(Movie).where(movie).values(start_timecode="23:59:58:00"))
        session.commit()
    page = cutting.open(browser, f"/lists/{teaser['id']}")
    exported = cutting.site.api("GET", f"/api/lists/{teaser['id']}/export?format=json")["clips"]
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
    assert at_server(cutting, teaser)[0]["timecodes"] == [events[0][0], later]
    expect(page.get_by_label("Out point")).to_have_text(str(later))
    page.context.close()


def test_it_plays_from_end_to_end(list_page: Page) -> None:
    """Through every clip, in order, and it ends at the last one."""
    list_page.evaluate(
        "document.querySelectorAll('.list-player video').forEach((video) => { video.playbackRate = 4; })"
    )
    list_page.evaluate(
        "window.played = []; document.querySelector('selects-list-player')"
        ".addEventListener('clip', ({detail}) => window.played.push(detail.id))"
    )
    list_page.get_by_role("button", name="Play the list, or pause").click()
    list_page.wait_for_function(
        "!document.querySelector('selects-list-player').plays && window.played.length >= 4", timeout=60_000
    )
    assert list_page.evaluate("window.played") == shown(list_page)[1:]
    expect(rows(list_page).last).to_have_class(re.compile(r"\bon\b"))
    over = "(video => [video.currentTime, video.duration])(document.querySelector('.list-player video.on'))"
    second, _ = list_page.evaluate(over)
    last = list_page.evaluate("document.querySelector('selects-list').model.entries.at(-1).end_s")
    assert second == pytest.approx(last, abs=0.25)


def test_a_clip_is_trimmed_for_this_list_alone(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    before = at_server(cutting, teaser)[0]
    rows(list_page).first.click()
    list_page.keyboard.press("Shift+[")
    list_page.keyboard.press("Shift+]")
    list_page.get_by_role("button", name="In one frame later").click()
    list_page.get_by_role("button", name="In one frame later").click()
    list_page.get_by_role("button", name="In one frame earlier").click()
    expect(rows(list_page).first).to_contain_text("trimmed here")
    now = at_server(cutting, teaser)[0]
    assert (now["start_frame"], now["end_frame"]) == (before["start_frame"] + 1, before["end_frame"] + 1)
    assert now["candidate_end_frame"] == before["end_frame"]
    list_page.get_by_role("button", name="As approved").click()
    expect(rows(list_page).first).not_to_contain_text("trimmed here")


def test_sound_is_as_it_was_left_on_another_page(list_page: Page, cutting: Room) -> None:
    """How loud, and whether at all: for the film and for the list, whose two videos take turns."""
    [movie] = cutting.api("GET", "/api/movies")["items"]
    list_page.goto(f"{cutting.site.base}/movies/{movie['id']}")
    list_page.get_by_label("Volume").fill("0.3")
    list_page.get_by_role("button", name="Sound on or off").click()
    list_page.go_back()
    expect(list_page.get_by_role("button", name="Sound on or off (m)")).to_have_attribute("aria-pressed", "true")
    expect(list_page.get_by_label("Volume")).to_have_value("0.3")
    heard = "[...document.querySelectorAll('.list-player video')].map((video) => [video.volume, video.muted])"
    assert list_page.evaluate(heard) == [[0.3, True], [0.3, True]]
    list_page.get_by_label("Volume").fill("0.5")  # who makes it louder wants to hear it
    assert list_page.evaluate(heard) == [[0.5, False], [0.5, False]]
    list_page.keyboard.press("Tab")
    list_page.keyboard.press("m")
    assert list_page.evaluate(heard) == [[0.5, True], [0.5, True]]


def test_a_browser_that_wants_a_key_first_plays_without_sound(list_page: Page) -> None:
    """And that is not remembered as what the person chose."""
    list_page.evaluate(
        "() => { const play = HTMLMediaElement.prototype.play; HTMLMediaElement.prototype.play = function () {"
        " return this.muted ? play.call(this) : Promise.reject(new DOMException('no', 'NotAllowedError')); }; }"
    )
    list_page.evaluate("document.querySelector('selects-list-player').toggle()")
    on = "(video => video.muted && !video.paused && video.currentTime > 0)(document.querySelector('.list-player .on'))"
    list_page.wait_for_function(on)
    expect(list_page.get_by_role("button", name="Sound on or off (m)")).to_have_attribute("aria-pressed", "true")
    assert list_page.evaluate("localStorage.getItem('selects:muted')") is None
