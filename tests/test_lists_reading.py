"""Lists read back: what editors changed, files that others wrote, and what is no list."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest

from backend.errors import InputError
from backend.exports.base import ClipList, Marker, Source
from backend.exports.registry import EXPORTERS
from backend.media.timeline import Timeline
from labeling.lists.reading import ReadList, read_list
from tests.test_editlist import EDL, LAUGHS
from tests.test_exports import NTSC, clip, clip_list, source, written

FEATURE = replace(
    source("/films/feature.mov", frames=24 * 3600, rate=Fraction(24)), start_timecode="01:00:00:00", title="The Feature"
)
OTHER = replace(FEATURE, sha256="cd" * 32, name="other.mov", path="/films/other.mov", media_path="/Volumes/other.mov")
EDITED = ("edl", "fcpxml", "fcp7", "otio")


def read(tmp_path: Path, content: bytes | str, ending: str, sources: Sequence[Source] = (FEATURE,)) -> ReadList:
    path = tmp_path / f"list{ending}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_list(path, sources)


def frames(found: ReadList) -> list[tuple[str, int, int]]:
    return [(each.source.name, each.start_frame, each.end_frame) for each in found.clips]


def again(tmp_path: Path, made: ClipList, name: str, **changes: str) -> ReadList:
    """The list through a file in which words are replaced, as an editor would."""
    text = written(made, name).decode()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    films = list({each.source.sha256: each.source for each in made.clips}.values())
    return read(tmp_path, text, EXPORTERS[name].suffix, films)


# --- changed elsewhere


def test_a_trim_made_elsewhere_is_what_counts(tmp_path: Path) -> None:
    made = clip_list(clip(FEATURE, 240, 288, score=0.5, reasons=("why",)), handles=12)
    trims = {
        "edl": {"01:00:09:12": "01:00:09:15"},
        "fcpxml": {'start="86628/24s"': 'start="86631/24s"', "72/24s": "69/24s"},
        "fcp7": {"<in>228</in>": "<in>231</in>", "<end>72</end>": "<end>69</end>"},
        "otio": {'"value": 86628.0': '"value": 86631.0', '"value": 72.0': '"value": 69.0'},
    }
    for name in EDITED:
        assert frames(again(tmp_path, made, name)) == [("feature.mov", 240, 288)]
        found = again(tmp_path, made, name, **trims[name])
        assert frames(found) == [("feature.mov", 231, 300)], name
        # Scores and the key are those of the clip as it was.
        assert (found.clips[0].score, found.clips[0].key) == (None, "")
        assert found.clips[0].reasons == ("why",)


def test_without_our_stamps_the_times_alone_count(tmp_path: Path) -> None:
    late = replace(FEATURE, sha256="ef" * 32, name="late.mov", media_path="/late.mov", start_timecode="23:59:00:00")
    drop = replace(late, rate=NTSC, start_timecode="23:59:00;00", frames=10_000)
    for film in (FEATURE, late, drop):
        made = clip_list(clip(film, 240, 288), clip(film, 1400, 1500, "k2"), clip(film, 3000, 3001, "k3"))
        for name in EDITED:
            found = again(tmp_path, replace(made, drop=film is drop), name, SELECTS="X")
            assert frames(found) == [(film.name, 240, 288), (film.name, 1400, 1500), (film.name, 3000, 3001)], name


def test_films_of_other_rates_without_stamps(tmp_path: Path) -> None:
    slow = replace(OTHER, rate=Fraction(25), start_timecode="10:00:00:00")
    made = clip_list(clip(FEATURE, 240, 288), clip(slow, 100, 150, "k2"))
    for name in ("fcpxml", "fcp7", "otio"):
        assert frames(again(tmp_path, made, name, SELECTS="X")) == [("feature.mov", 240, 288), ("other.mov", 100, 150)]


def test_a_varying_rate_comes_back_to_its_frames(tmp_path: Path) -> None:
    pts = np.concatenate(([0], np.cumsum([20, 60, 40] * 100))).astype(np.int64)
    phone = replace(
        FEATURE, rate=Fraction(25), frames=300, timeline=Timeline(Fraction(25), 300, Fraction(1, 1000), pts)
    )
    made = clip_list(clip(phone, 100, 201), handles=1)
    for name in EDITED:
        assert frames(again(tmp_path, made, name)) == [("feature.mov", 100, 201)]
        _, start, end = frames(again(tmp_path, replace(made, handles=0), name, SELECTS="X"))[0]
        assert abs(start - 100) <= 1
        assert abs(end - 201) <= 1


def test_json_reads_its_own(tmp_path: Path) -> None:
    made = clip_list(clip(FEATURE, 240, 288, markers=(Marker(250, "a"),)), clip(OTHER, key="k2"), handles=3)
    found = read(tmp_path, written(made, "json"), ".json", [FEATURE, OTHER])
    assert (found.name, found.rate, found.handles) == ("Best of", 24, 3)
    assert frames(found) == [("feature.mov", 240, 288), ("other.mov", 5, 20)]
    assert found.clips[0].markers == (Marker(250, "a"),)
    alone = read(tmp_path, written(made, "json"), ".json", [FEATURE])
    assert (len(alone.clips), alone.left_out) == (1, ("other.mov",))
    moved = replace(FEATURE, sha256="99" * 32, path="/elsewhere/feature.mov", media_path="/elsewhere/feature.mov")
    assert frames(read(tmp_path, written(made, "json"), ".json", [moved])) == [("feature.mov", 240, 288)]


# --- written by others


def test_an_edl_by_hand(tmp_path: Path) -> None:
    found = read(tmp_path, EDL, ".edl", [OTHER, FEATURE])
    assert frames(found) == [("feature.mov", 240, 288), ("feature.mov", 1440, 1536), ("feature.mov", 4320, 4368)]
    assert (found.name, found.rate, found.drop, found.left_out) == ("A PROMO", 24, False, ("title card",))
    assert found.clips[0].name == "FEATURE.MOV"


@pytest.mark.parametrize("saved", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", EDITED)
def test_a_list_is_read_as_whoever_saved_it_encoded_it(name: str, saved: str, tmp_path: Path) -> None:
    """Programs on Windows write UTF-16 with a mark before it, and their own ends of lines."""
    made = clip_list(clip(FEATURE, 240, 288, name="Größe – 日本"))
    text = written(made, name).decode().replace("\n", "\r\n")
    content = ("\ufeff" + text if saved.startswith("utf-16") else text).encode(saved)
    found = read(tmp_path, content, EXPORTERS[name].suffix)
    assert frames(found) == [("feature.mov", 240, 288)]
    assert found.clips[0].name == "Größe – 日本"


def test_films_are_told_apart_by_path_name_title_and_reel(tmp_path: Path) -> None:
    first = replace(FEATURE, path="/a/reel.mov", media_path="/a/reel.mov", name="reel.mov", reel="A001")
    second = replace(first, sha256="cd" * 32, path="/b/reel.mov", media_path="/b/reel.mov", reel="B002", title="Second")
    event = "001  {} V C 01:00:10:00 01:00:12:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: {}\n"
    assert read(tmp_path, event.format("B002", "x"), ".edl", [first, second]).clips[0].source is second
    assert read(tmp_path, event.format("B002", "reel.mov"), ".edl", [first, second]).clips[0].source is second
    assert read(tmp_path, event.format("X", "SECOND"), ".edl", [first, second]).clips[0].source is second
    with pytest.raises(InputError, match=r"'reel.mov' could be from '/a/reel.mov', '/b/reel.mov': give the files"):
        read(tmp_path, event.format("X", "reel.mov"), ".edl", [first, second])
    by_path = event.format("X", "reel.mov") + "* SOURCE FILE: /b/reel.mov\n"
    assert read(tmp_path, by_path, ".edl", [first, second]).clips[0].source is second
    # One film in the edit and one to choose from need no name.
    assert read(tmp_path, event.format("X", "what"), ".edl", [first]).clips[0].source is first


def test_an_edl_is_counted_at_the_rate_of_the_film_that_it_names(tmp_path: Path) -> None:
    fast = replace(OTHER, rate=Fraction(25), start_timecode="01:00:00:00")
    event = "001  X V C 01:00:10:{0:02} 01:00:12:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: other.mov\n"
    for last in (10, 24):
        found = read(tmp_path, event.format(last), ".edl", [FEATURE, fast])
        assert (found.rate, frames(found)) == (25, [("other.mov", 250 + last, 300)])


def test_what_opentimelineio_writes_is_read(tmp_path: Path) -> None:
    def span(start: int, length: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(otio.opentime.RationalTime(start, 24), otio.opentime.RationalTime(length, 24))

    media = otio.schema.ExternalReference("file:///films/feature.mov", span(86_400, 86_400))
    part = otio.schema.Clip("A kiss", media, span(86_640, 48))
    part.markers.append(otio.schema.Marker("look", span(86_650, 0)))
    music = otio.schema.Clip("m", otio.schema.ExternalReference("file:///m.mov", span(0, 99)), span(0, 9))
    made = otio.schema.Timeline("promo")
    made.tracks.append(otio.schema.Track("V1", [part, music], kind="Video"))
    for ending, adapter in ((".otio", "otio_json"), (".xml", "fcp_xml")):
        found = read(tmp_path, otio.adapters.write_to_string(made, adapter), ending, [FEATURE, OTHER])
        assert frames(found) == [("feature.mov", 240, 288)]
        assert (found.name, found.clips[0].name, found.left_out) == ("promo", "A kiss", ("m",))
    assert found.rate == 24


# --- no list


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.doc", "x", "a list ends in .json, .edl, .xml, .fcpxml, .otio"),
        ("a.edl", "", "is empty"),
        ("a.edl", "hello", "as an edit list"),
        ("a.edl", b"\x00\x01\xff", "as an edit list"),
        ("a.edl", "TITLE: nothing\n", "shows no part of any film"),
        ("a.edl", "001 X V C 01:00:10:30 01:00:12:00 00:00:00:00 00:00:02:00\n", "as an edit list"),
        ("a.edl", "001 X V C 03:00:10:00 03:00:12:00 00:00:00:00 00:00:02:00\n", "add the version of the film"),
        ("a.json", "[]", "as a list of clips: Input should be an object"),
        ("a.json", "{", "as a list of clips: Invalid JSON"),
        ("a.json", '{"format": "selects.list", "version": 2}', "as a list of clips: version: Input should be 1"),
        ("a.json", '{"a":' * 100_000, "as a list of clips: Invalid JSON: recursion limit exceeded"),
        ("a.xml", "<a/>", "not fcpxml or xmeml"),
        ("a.xml", "<xmeml version='5'/>", "No top-level sequences"),
        ("a.fcpxml", "<fcpxml", "as an edit list"),
        ("a.fcpxml", "<fcpxml version='1.10'/>", "shows no part of any film"),
        ("a.otio", "{}", "holds no timeline"),
        ("a.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": 3}', "as an edit list"),
        ("a.xml", LAUGHS + "<xmeml>&j;</xmeml>", "amplification"),
        ("a.fcpxml", '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><fcpxml>&x;</fcpxml>', "undefined entity"),
        ("a.xml", f"<xmeml>{'<sequence>' * 200_000}{'</sequence>' * 200_000}</xmeml>", "as an edit list"),
        ("a.otio", "[" * 200_000, "nested too deep"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_list_is_said_in_one_sentence(name: str, content: str | bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as refused:
        read_list(path, [FEATURE])
    assert said in refused.value.detail
    assert "\n" not in refused.value.detail
    assert len(refused.value.detail) < 400


def test_wrong_json_names_what_is_wrong(tmp_path: Path) -> None:
    whole = json.loads(written(clip_list(clip(FEATURE)), "json"))
    whole["clips"][0]["end_frame"] = 5
    with pytest.raises(InputError, match=re.escape("clips.0: Value error, a clip must end after it starts")):
        read(tmp_path, json.dumps(whole), ".json")
    whole["clips"][0] |= {"end_frame": 90_000}
    with pytest.raises(InputError, match=r"uses frames 5 to 90000 of 'feature.mov', which has 86400"):
        read(tmp_path, json.dumps(whole), ".json")
    whole["clips"][0]["film"] = "film-9"
    with pytest.raises(InputError, match="no film is called 'film-9'"):
        read(tmp_path, json.dumps(whole), ".json")


def test_stamps_that_lie_are_not_believed(tmp_path: Path) -> None:
    made = clip_list(clip(FEATURE, 240, 288))
    for name in EDITED:
        for lie in ("frames=0-48", "frames=240-289", "frames=240-999999", "frames=288-240", "frames=x"):
            assert frames(again(tmp_path, made, name, **{"frames=240-288": lie})) == [("feature.mov", 240, 288)]


def test_no_film_of_these(tmp_path: Path) -> None:
    made = clip_list(clip(FEATURE, 240, 288), clip(OTHER, key="k2"))
    stranger = replace(FEATURE, sha256="77" * 32, name="x.mov", path="/x.mov", media_path="/x.mov", title="X")
    for name in (*EDITED, "json"):
        with pytest.raises(InputError, match="uses none of these films; its sources are "):
            read(tmp_path, written(made, name), EXPORTERS[name].suffix, [stranger])
