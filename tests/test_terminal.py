"""What a person reads on a terminal: columns under their names, and nothing wider than eighty."""

import dataclasses

import pytest

from backend.clock import clock
from backend.scoring.rank import RankRequest, ScoredClip, rank
from backend.terminal import BAND_STYLES, _line
from tests.test_scoring import make_film


@pytest.fixture(scope="module")
def clips() -> tuple[ScoredClip, ...]:
    return rank(make_film(), RankRequest(top_n=3)).clips


@pytest.mark.parametrize("shift_s", [0, 7200])
@pytest.mark.parametrize("name", BAND_STYLES)
def test_a_line_fits(clips: tuple[ScoredClip, ...], name: str, shift_s: float) -> None:
    moved = [
        dataclasses.replace(clip, start_s=clip.start_s + shift_s, end_s=clip.end_s + shift_s, band=name)
        for clip in clips
    ]
    lines = [_line(clip, 4, 7).plain for clip in moved]
    assert {len(line) for line in lines} == {len(lines[0])}
    assert len(lines[0]) <= 80
    for clip, line in zip(moved, lines, strict=True):
        times = (clock(clip.start_s), clock(clip.end_s), clock(clip.end_s - clip.start_s))
        figures = (f"{clip.score:.2f}", f"{clip.viral:.2f}", f"{clip.compelling:.2f}")
        assert line.split() == [str(clip.rank), times[0], "–", *times[1:], figures[0], name, *figures[1:]]
