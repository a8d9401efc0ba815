"""Edit lists: which frames of the film an existing edit uses, from files made by OpenTimelineIO and by hand."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InputError
from backend.media.timecode import Timecode
from labeling.references.editlist import EditedFilm, SourceRange, read_edit

FILM = EditedFilm("feature.mov", Fraction(24), 24 * 3600, "01:00:00:00")
NTSC = EditedFilm("feature.mov", Fraction(24000, 1001), 24 * 3600, "01:00:00:00")
EDL = """TITLE: A PROMO
FCM: NON-DROP FRAME

001  FEATURE  V     C        01:00:10:00 01:00:12:00 00:00:00:00 00:00:02:00
* FROM CLIP NAME: FEATURE.MOV
002  AX       V     C        00:00:00:00 00:00:01:00 00:00:02:00 00:00:03:00
* FROM CLIP NAME: TITLE CARD.PNG
003  BL       V     C        00:00:00:00 00:00:01:00 00:00:03:00 00:00:04:00
004  FEATURE  V     C        01:01:00:00 01:01:04:00 00:00:04:00 00:00:06:00
M2   FEATURE       048.0                01:01:00:00
* FROM CLIP NAME: FEATURE.MOV
005  FEATURE  V     C        01:02:00:00 01:02:00:00 00:00:06:00 00:00:06:00
005  FEATURE  V     D    012 01:03:00:00 01:03:02:00 00:00:06:00 00:00:08:00
* FROM CLIP NAME: FEATURE.MOV
* TO CLIP NAME: FEATURE.MOV
006  FEATURE  A     C        01:05:00:00 01:05:02:00 00:00:08:00 00:00:10:00
"""

LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "lolololololololololol">'
    + "".join(f'<!ENTITY {two} "{10 * f"&{one};"}">' for one, two in pairwise("abcdefghij"))
    + "]>"
)


def frames(found: tuple[SourceRange, ...]) -> list[tuple[int, int]]:
    return [(one.start_frame, one.end_frame) for one in found]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("film", [FILM, NTSC], ids=["24", "23.976"])
def test_an_edl_by_hand(film: EditedFilm, tmp_path: Path) -> None:
    found = read_edit(write(tmp_path / "promo.edl", EDL), film)
    # The retimed event runs through four seconds in two; black, the card and the sound are left out.
    assert frames(found) == [(240, 288), (1440, 1536), (4320, 4368)]
    assert found[0].film_start_s == pytest.approx(240 / film.rate)


def test_a_list_that_names_reels_alone(tmp_path: Path) -> None:
    events = "".join(line for line in EDL.splitlines(keepends=True) if not line.startswith(("*", "002")))
    lines = write(tmp_path / "reels.edl", events.replace("FEATURE ", "TAPE0042"))
    assert frames(read_edit(lines, FILM)) == [(240, 288), (1440, 1536), (4320, 4368)]
    with pytest.raises(InputError, match="its sources are 'tape0042': say which"):
        read_edit(lines, FILM, "another")


def test_drop_frame_by_semicolons_or_by_the_header_alone(tmp_path: Path) -> None:
    film = EditedFilm("feature", Fraction(30000, 1001), 30 * 3600, "01:00:00;00")
    event = "001  FEATURE  V  C  01:00:59{0}28 01:01:00{0}04 00:00:00{0}00 00:00:00{0}04\n"
    for mark in ";:":
        found = read_edit(write(tmp_path / "a.edl", f"FCM: DROP FRAME\n{event.format(mark)}"), film)
        # Two numbers are dropped at the minute: four frames, not six.
        assert frames(found) == [(1798, 1802)]


def test_a_film_that_passes_midnight(tmp_path: Path) -> None:
    late = EditedFilm("feature", Fraction(24), 24 * 3600, "23:59:00:00")
    event = "001  FEATURE  V  C  23:59:59:00 00:00:01:00 00:00:00:00 00:00:02:00\n"
    assert frames(read_edit(write(tmp_path / "a.edl", event), late)) == [(59 * 24, 61 * 24)]


def test_source_and_edit_may_count_differently(tmp_path: Path) -> None:
    film = EditedFilm("feature", Fraction(30000, 1001), 30 * 3600, "01:00:00:00")
    event = "FCM: DROP FRAME\n001  FEATURE  V  C  01:01:00:00 01:01:00:04 01:00:59;28 01:01:00;04\n* 01:00:00;00\n"
    assert frames(read_edit(write(tmp_path / "a.edl", event), film)) == [(1800, 1804)]


def test_a_list_that_counts_from_zero(tmp_path: Path) -> None:
    event = "001  FEATURE  V  C  00:00:10:00 00:00:12:00 00:00:00:00 00:00:02:00\n"
    assert frames(read_edit(write(tmp_path / "a.edl", event), FILM)) == [(240, 288)]


def timeline(
    ranges: list[tuple[int, int]], rate: float, media_start: int | None, name: str = "Feature"
) -> otio.schema.Timeline:
    """A timeline of clips of one film, a title card, a generator and sound beside it."""

    def time(value: float) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(value, rate)

    def span(start: int, end: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(time(start), time(end - start))

    def clip(start: int, end: int, called: str, first: int | None) -> otio.schema.Clip:
        known = None if first is None else span(first, first + 200_000)
        media = otio.schema.ExternalReference(f"file:///media/{called}.mov", known)
        return otio.schema.Clip(called, media, span(start, end))

    made = otio.schema.Timeline("promo")
    picture, sound = otio.schema.Track("V1", kind="Video"), otio.schema.Track("A1", kind="Audio")
    picture.extend([clip(start, end, name, media_start) for start, end in ranges])
    picture.append(otio.schema.Gap(source_range=span(0, 24)))
    picture.append(clip(0, 48, "Card", 0))
    sound.append(clip(media_start or 0, (media_start or 0) + 10, name, media_start))
    made.tracks.extend([picture, sound])
    return made


@pytest.mark.parametrize(("ending", "adapter"), [("otio", "otio_json"), ("xml", "fcp_xml")])
@pytest.mark.parametrize("media_start", [86400, 0], ids=["timecode", "zero"])
def test_files_that_opentimelineio_makes(ending: str, adapter: str, media_start: int, tmp_path: Path) -> None:
    ranges = [(media_start + 100, media_start + 150), (media_start + 5000, media_start + 5001)]
    path = tmp_path / f"promo.{ending}"
    otio.adapters.write_to_file(timeline(ranges, 24, media_start), str(path), adapter)
    assert frames(read_edit(path, FILM)) == [(100, 150), (5000, 5001)]


def test_an_edl_that_opentimelineio_makes(tmp_path: Path) -> None:
    path = tmp_path / "promo.edl"
    made = timeline([(86500, 86550), (91400, 91424)], 24, 86400)
    del made.tracks[1]
    otio.adapters.write_to_file(made, str(path), "cmx_3600", rate=24)
    assert frames(read_edit(path, FILM)) == [(100, 150), (5000, 5024)]


def test_retimed_frozen_disabled_and_nested_clips(tmp_path: Path) -> None:
    made = timeline([(100, 148), (200, 248), (300, 348), (400, 448), (500, 548)], 24, 0)
    clips = made.tracks[0]
    clips[0].effects.append(otio.schema.LinearTimeWarp(time_scalar=0.5))
    clips[1].effects.append(otio.schema.LinearTimeWarp(time_scalar=-1.0))
    clips[2].effects.append(otio.schema.FreezeFrame())
    clips[3].enabled = False
    nested = otio.schema.Stack("scene", source_range=clips[4].source_range)
    nested.append(otio.schema.Track("V1", kind="Video", children=[clips[4].clone()]))
    clips[4] = nested
    path = tmp_path / "promo.otio"
    otio.adapters.write_to_file(made, str(path))
    assert frames(read_edit(path, FILM)) == [(100, 124), (152, 200)]


def test_other_rates_are_times(tmp_path: Path) -> None:
    path = tmp_path / "promo.otio"
    otio.adapters.write_to_file(timeline([(250, 275)], 25, 0), str(path))
    assert frames(read_edit(path, FILM)) == [(240, 264)]


def test_which_source_is_the_film(tmp_path: Path) -> None:
    path = tmp_path / "promo.otio"
    otio.adapters.write_to_file(timeline([(100, 150)], 24, 0, name="A001_C002"), str(path))
    with pytest.raises(InputError, match=r"nothing called 'feature'; its sources are 'a001_c002', 'card'"):
        read_edit(path, FILM)
    assert frames(read_edit(path, FILM, source="A001_C002.mov")) == [(100, 150)]


@given(st.integers(0, 24 * 3600 - 2), st.integers(1, 500))
def test_any_range_comes_back(tmp_path_factory: pytest.TempPathFactory, start: int, length: int) -> None:
    end = min(start + length, NTSC.frames)
    code, path = Timecode(24, False).format, tmp_path_factory.getbasetemp() / "any.edl"
    event = f"001  X  V  C  {code(86400 + start)} {code(86400 + end)} {code(0)} {code(end - start)}\n"
    assert frames(read_edit(write(path, event), NTSC)) == [(start, end)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.doc", "x", "an edit list ends in .edl, .xml, .fcpxml, .otio"),
        ("a.edl", "", "is empty"),
        ("a.edl", "hello", "as an edit list"),
        ("a.edl", b"\x00\x01\xff", "as an edit list"),
        ("a.edl", "TITLE: nothing\n", "shows no part of any film"),
        ("a.edl", "001 X V C 01:00:10:30 01:00:12:00 00:00:00:00 00:00:02:00\n", "beyond 23"),
        ("a.edl", "001 X V C 03:00:10:00 03:00:12:00 00:00:00:00 00:00:02:00\n", "which the film does not have"),
        ("a.xml", "<a/>", "not fcpxml or xmeml"),
        ("a.xml", "<xmeml version='4'/>", "No top-level sequences"),
        ("a.fcpxml", "<fcpxml", "as an edit list"),
        ("a.fcpxml", "<fcpxml version='1.9'/>", "shows no part of any film"),
        ("a.otio", "{}", "holds no timeline"),
        ("a.otio", "[1", "JSON parse error"),
        ("a.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": 3}', "as an edit list"),
        # Made to hurt: entities of entities, files from elsewhere, a stack that runs out.
        ("a.xml", LAUGHS + "<xmeml>&j;</xmeml>", "amplification"),
        ("a.fcpxml", '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><fcpxml>&x;</fcpxml>', "undefined entity"),
        ("a.xml", f"<xmeml>{'<sequence>' * 200_000}{'</sequence>' * 200_000}</xmeml>", "as an edit list"),
        ("a.otio", "[" * 200_000, "nested too deep"),
        ("a.otio", '{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deep"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_edit_is_said_in_one_sentence(name: str, content: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_edit(write(tmp_path / name, content), FILM)
    assert words in refused.value.detail
    assert "\n" not in refused.value.detail


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.edl").mkdir()
    for name in ("a.edl", "b.edl"):
        with pytest.raises(InputError, match=f"Cannot read '{name}': "):
            read_edit(tmp_path / name, FILM)
