"""FCPXML: exact times, what hangs on clips, compounds, retiming."""

from fractions import Fraction
from pathlib import Path

import pytest

from backend.errors import InputError
from labeling.references.editlist import EditedFilm, read_edit

FILM = EditedFilm("Feature.mov", Fraction(24000, 1001), 24 * 3600, "01:00:00:00")
FIRST = 86400
"""The film's first frame by its own timecode: one hour, counted in 24ths."""


def s(frames: int) -> str:
    """So many frames, as FCPXML writes them."""
    return f"{frames * 1001}/24000s"


def document(spine: str, media: str = "", src: str = 'src="file:///media/Feature.mov"') -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.9">
  <resources>
    <format id="r1" frameDuration="1001/24000s"/>
    <asset id="r2" name="Feature" {src} start="{s(FIRST)}" duration="{s(80000)}" hasVideo="1" format="r1"/>
    <asset id="r3" name="Music" src="file:///media/music.wav" start="0s" duration="60s" hasAudio="1"/>
    <effect id="r4" name="Basic Title"/>
    {media}
  </resources>
  <library><event name="e"><project name="promo">
    <sequence format="r1" tcStart="0s"><spine>{spine}</spine></sequence>
  </project></event></library>
</fcpxml>"""


def clip(start: int, length: int, inner: str = "", more: str = "") -> str:
    return (
        f'<asset-clip ref="r2" name="c" start="{s(FIRST + start)}" duration="{s(length)}" {more}>{inner}</asset-clip>'
    )


def read(tmp_path: Path, spine: str, **parts: str) -> list[tuple[int, int]]:
    path = tmp_path / "promo.fcpxml"
    path.write_text(document(spine, **parts))
    return [(one.start_frame, one.end_frame) for one in read_edit(path, FILM)]


def test_every_frame_is_exact(tmp_path: Path) -> None:
    # A float would put some of these a frame too early.
    starts = range(0, 60000, 997)
    assert read(tmp_path, "".join(clip(start, 7) for start in starts)) == [(start, start + 7) for start in starts]


def test_titles_gaps_and_sound_are_left_out(tmp_path: Path) -> None:
    spine = f'<title ref="r4" duration="{s(24)}"/><gap duration="{s(24)}" start="3600s"/>{clip(5, 24)}'
    assert read(tmp_path, spine + f'<asset-clip ref="r3" duration="{s(24)}"/>') == [(5, 29)]


def test_what_hangs_on_a_clip_or_a_gap_counts_whole(tmp_path: Path) -> None:
    hanging = clip(500, 48, more=f'lane="1" offset="{s(FIRST + 102)}"')
    on_a_gap = clip(700, 12, more='lane="1" offset="3600s"')
    spine = clip(100, 24, hanging) + f'<gap duration="{s(24)}" start="3600s">{on_a_gap}</gap>'
    assert read(tmp_path, spine) == [(100, 124), (500, 548), (700, 712)]


def test_a_clip_around_a_video(tmp_path: Path) -> None:
    inner = f'<video ref="r2" offset="{s(FIRST)}" start="{s(FIRST)}" duration="{s(80000)}"/>'
    spine = f'<clip name="c" start="{s(FIRST + 240)}" duration="{s(48)}">{inner}</clip>'
    assert read(tmp_path, spine) == [(240, 288)]


def test_a_compound_shows_the_part_that_is_seen(tmp_path: Path) -> None:
    inner = clip(100, 50, more='offset="0s"') + clip(900, 50, more=f'offset="{s(50)}"')
    media = f'<media id="r9"><sequence format="r1"><spine>{inner}</spine></sequence></media>'
    spine = f'<ref-clip ref="r9" start="{s(40)}" duration="{s(20)}"/>'
    assert read(tmp_path, spine, media=media) == [(140, 150), (900, 910)]


def test_retimed_frozen_and_disabled(tmp_path: Path) -> None:
    def mapped(*points: tuple[int, int]) -> str:
        inner = "".join(f'<timept time="{s(FIRST + a)}" value="{s(FIRST + b)}"/>' for a, b in points)
        return f"<timeMap>{inner}</timeMap>"

    double = clip(100, 24, mapped((0, 0), (1000, 2000)))
    frozen = clip(100, 24, mapped((0, 50), (1000, 50)))
    varying = clip(100, 24, mapped((0, 0), (500, 1000), (1000, 1200)))
    off = clip(100, 24, more='enabled="0"')
    assert read(tmp_path, double + frozen + varying + off + clip(1, 2)) == [(200, 248), (1, 3)]


def test_an_address_in_a_media_rep_and_a_missing_start(tmp_path: Path) -> None:
    path = tmp_path / "promo.fcpxml"
    text = document(f'<asset-clip ref="r2" duration="{s(24)}"/>', src="")
    path.write_text(
        text.replace('hasVideo="1" format="r1"/>', 'hasVideo="1"><media-rep src="file:///x/F.mov"/></asset>')
    )
    assert [(one.start_frame, one.end_frame) for one in read_edit(path, FILM)] == [(0, 24)]


@pytest.mark.parametrize("time", ["x", "1/0s", "1001/s", "1e999999999s", "9" * 5000 + "s"], ids=lambda time: time[:9])
def test_a_time_that_is_none(time: str, tmp_path: Path) -> None:
    path = tmp_path / "promo.fcpxml"
    path.write_text(document(f'<asset-clip ref="r2" start="{time}" duration="1s"/>'))
    with pytest.raises(InputError, match="as an edit list"):
        read_edit(path, FILM)


def test_nested_deeper_than_anyone_nests(tmp_path: Path) -> None:
    media = '<media id="r9"><sequence format="r1"><spine><ref-clip ref="r9" duration="5s"/></spine></sequence></media>'
    path = tmp_path / "promo.fcpxml"
    path.write_text(document('<ref-clip ref="r9" duration="5s"/>', media=media))
    with pytest.raises(InputError, match="nested too deep"):
        read_edit(path, FILM)


def test_more_clips_than_anyone_makes(tmp_path: Path) -> None:
    inner = [f'<ref-clip ref="m{i + 1}" duration="5s" offset="0s"/>' * 10 for i in range(9)]
    media = "".join(
        f'<media id="m{i}"><sequence format="r1"><spine>{clips}</spine></sequence></media>'
        for i, clips in enumerate(inner)
    )
    path = tmp_path / "promo.fcpxml"
    path.write_text(document('<ref-clip ref="m0" duration="5s"/>', media=media))
    with pytest.raises(InputError, match="too many clips"):
        read_edit(path, FILM)
