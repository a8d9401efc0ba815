"""What is said, as files that players read: short lines, at their times, texts that are only texts."""

import io
from itertools import pairwise

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.media.captions import ass, readable, said_in, srt, webvtt
from backend.media.lines import Line

TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)


def read_back(text: str, form: str) -> list[tuple[float, float]]:
    """When the cues of a file are shown, as FFmpeg reads it."""
    with av.open(io.BytesIO(text.encode()), "r", format=form) as container:
        stream = container.streams.subtitles[0]
        found = [
            (float(p.pts * p.time_base), float(p.duration * p.time_base))
            for p in container.demux(stream)
            if p.pts is not None and p.time_base and p.duration
        ]
    return [(round(start, 2), round(start + length, 2)) for start, length in found]


def test_lines_of_the_film_become_lines_of_the_clip() -> None:
    film = (
        Line(8, 10.5, "begins before"),
        Line(19.5, 30, "ends behind"),
        Line(12, 13, " a\tb \n\n c "),
        Line(1, 2, "x"),
    )
    assert said_in((*film, Line(20, 21, "behind"), Line(14, 15, " \x00\n")), 10, 20) == (
        Line(0, 0.5, "begins before"),
        Line(2, 3, "a b\nc"),
        Line(9.5, 10, "ends behind"),
    )


def test_long_lines_are_split_at_words_and_share_the_time() -> None:
    text = " ".join(["word"] * 40)
    parts = list(readable([Line(10, 20, text)], columns=20, rows=2))
    assert " ".join(part.text.replace("\n", " ") for part in parts) == text
    assert all(len(row) <= 20 for part in parts for row in part.text.split("\n"))
    assert all(part.text.count("\n") <= 1 for part in parts)
    assert (parts[0].start_s, parts[-1].end_s) == (10, pytest.approx(20))
    assert all(a.end_s == b.start_s for a, b in pairwise(parts))
    wide = list(readable([Line(0, 1, "漢" * 25)], columns=20, rows=2))
    assert [len(row) for part in wide for row in part.text.split("\n")] == [10, 10, 5]


def test_files_as_players_want_them() -> None:
    lines = [Line(0.5, 2, "Fish & <b>chips</b>\n--> now"), Line(3661.0396, 3662, "Ja.")]
    assert srt(lines).splitlines() == [
        "1",
        "00:00:00,500 --> 00:00:02,000",
        "Fish & <b>chips</b>",
        "→ now",
        "",
        "2",
        "01:01:01,040 --> 01:01:02,000",
        "Ja.",
    ]
    assert webvtt(lines).startswith(
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nFish &amp; &lt;b&gt;chips&lt;/b&gt;\n→ now\n\n"
    )
    assert "Dialogue: 0,1:01:01.04,1:01:02.00,Said,Ja.\n" in ass(lines, 1280, 720)


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_no_text_makes_or_ends_a_cue(texts: list[str]) -> None:
    lines = said_in([Line(n, n + 0.5, f"a {text}") for n, text in enumerate(texts)], 0, 100)
    wanted = [(line.start_s, line.end_s) for line in lines]
    assert read_back(srt(lines), "srt") == wanted
    assert read_back(webvtt(lines), "webvtt") == wanted
    events = [line for line in ass(lines, 640, 360).split("\n") if line.startswith("Dialogue: ")]
    assert len(events) >= len(lines)
    assert all("{" not in event.replace("\\{", "") for event in events)
