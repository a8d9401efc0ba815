"""Rendered clips begin and end on the right frames, their sound where it belongs, whatever the rate and the shape."""

from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest

from backend.exports.rendering import RenderOptions, render_list
from backend.media.render import ClipFormat
from tests.films import make_film, read_film
from tests.rendering import list_of, source_of

FRAMES, HANDLES = 80, 5
CLICKS_S = tuple(np.arange(0.21, 4, 0.25))
RATES: dict[str, tuple[str, dict[str, Any]]] = {
    "23.976": ("film.mp4", {"rate": Fraction(24000, 1001)}),
    "24": ("film.mp4", {"rate": 24}),
    "25": ("film.mp4", {"rate": 25}),
    "29.97": ("film.mp4", {"rate": Fraction(30000, 1001)}),
    "30": ("film.mp4", {"rate": 30}),
    "50": ("film.mp4", {"rate": 50}),
    "59.94": ("film.mp4", {"rate": Fraction(60000, 1001)}),
    "varying": ("film.mp4", {"durations_ms": (20, 60, 40, 33)}),
    "25, late start in mp4": ("film.mp4", {"rate": 25, "start_s": 2.5}),
    "29.97, late start in a transport stream": ("film.ts", {"rate": Fraction(30000, 1001), "start_s": 7.0}),
}
SIZES = {"original": (120, 90), "reels": (50, 90), "square": (90, 90), "wide": (160, 90)}


@pytest.mark.parametrize("name", RATES)
def test_frames_and_clicks_are_where_they_belong(name: str, tmp_path: Path) -> None:
    """A clip at the film's very start, one in its middle and one at its very end, in every shape, with handles."""
    file, how = RATES[name]
    film = make_film(tmp_path / file, FRAMES, size=(120, 90), clicks_s=CLICKS_S, **how)
    source = source_of(film, how.get("rate", 25))
    asked = list_of(source, (0, 20), (37, 61), (FRAMES - 15, FRAMES))
    for shape in get_args(ClipFormat):
        rendered = render_list(asked, RenderOptions(shape=shape, handles=HANDLES), tmp_path / "out")
        assert [each.problem for each in rendered] == ["", "", ""]
        for each in rendered:
            clip = each.clip
            assert (each.start_frame, each.end_frame) == (
                max(0, clip.start_frame - HANDLES),
                min(FRAMES, clip.end_frame + HANDLES),
            )
            assert each.path is not None
            shows(each.path, source, each.start_frame, each.end_frame)
            plays(
                each.path, SIZES[shape], source.times.seconds(each.end_frame) - source.times.seconds(each.start_frame)
            )


def shows(clip: Path, source: Any, start: int, end: int) -> None:
    """The frames are those and no others, each at its time, and no click is off by more than 10 ms."""
    found = read_film(clip, side=45)
    assert found.numbers == tuple(range(start, end))
    begin_s, end_s = source.times.seconds(start), source.times.seconds(end)
    assert np.allclose(found.seconds, [source.times.seconds(n) - begin_s for n in found.numbers], atol=0.0011)
    wanted = [second - begin_s for second in CLICKS_S if begin_s <= second < end_s - 0.01]
    # What begins before the cut is cut into, and may be heard at its very start.
    heard = [second for second in found.clicks_s if second > 0.006 or (wanted and wanted[0] < 0.006)]
    assert len(heard) == len(wanted)
    assert np.allclose(heard, wanted, atol=0.010)


def plays(clip: Path, size: tuple[int, int], duration_s: float) -> None:
    """Phones and browsers play it, from its first bytes on; it is as long as it should be."""
    data = clip.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(clip)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, picture.codec_context.profile) == ("h264", "High")
        assert (picture.codec_context.pix_fmt, sound.codec_context.name) == ("yuv420p", "aac")
        assert (picture.width, picture.height) == size
        assert picture.frames == sum(1 for _ in container.decode(picture))
        assert float((picture.duration or 0) * (picture.time_base or 0)) == pytest.approx(duration_s, abs=0.045)
        assert float((sound.duration or 0) * (sound.time_base or 0)) == pytest.approx(duration_s, abs=0.045)
