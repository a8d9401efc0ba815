"""A phone's film of varying rate, all the way through the service: what leaves it agrees with the pictures."""

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import opentimelineio as otio
import pytest

from tests.films import FilmReading, make_film, read_film, read_frame_number, run_ffmpeg
from tests.workers import Works

FRAMES, CUTS = 300, (60, 130, 210)
DURATIONS_MS = (33, 34, 33, 50, 33, 17, 100)
START = "01:02:03:04"
MANUAL = (65, 131)
"""Frames of a clip by hand: it begins a little after a tick of 60 a second, and ends with the first of a new shot."""
ROUNDINGS = ("up", "near")


@dataclass(frozen=True)
class Listed:
    """The film as it is, in the house, and a list of two clips of it."""

    house: Works
    path: Path
    movie: int
    made: int

    def ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self.house.client.request(method, f"/api{path}", **more)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.headers.get("content-type") == "application/json" else answer.content

    def export(self, name: str) -> str:
        content: bytes = self.ask("GET", f"/lists/{self.made}/export", params={"format": name})
        return content.decode() if isinstance(content, bytes) else json.dumps(content)

    def entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/lists/{self.made}/entries")["items"]
        return found

    def spans(self) -> list[tuple[int, int]]:
        return [(each["start_frame"], each["end_frame"]) for each in self.entries()]


@pytest.fixture(scope="module")
def listed(house: Works, root: Path) -> Listed:
    """Taken in by its path; its best candidate and a clip by hand, both approved."""
    how: dict[str, Any] = {"durations_ms": DURATIONS_MS, "clicks_s": (1, 5), "extra": ("-timecode", START)}
    path = make_film(root / "phone.mov", FRAMES, cuts=CUTS, **how)
    movie = house.done(house.add(path))
    desk = Listed(house, path, movie, 0)
    best = desk.ask("GET", f"/movies/{movie}/candidates")["items"][0]
    window = {"start_frame": MANUAL[0], "end_frame": MANUAL[1]}
    hand = desk.ask("POST", f"/movies/{movie}/candidates", json=window)
    for each in (best, hand):
        said = {"candidate": each["id"], "verdict": "approve", "key": f"varying-{each['id']}"}
        desk.ask("POST", "/decisions", json=said)
    made = desk.ask("POST", "/lists", json={"name": "From a phone", "project": house.project})["id"]
    wanted = {"entries": [{"candidate": best["id"]}, {"candidate": hand["id"]}]}
    desk.ask("POST", f"/lists/{made}/entries", json=wanted)
    return Listed(house, path, movie, made)


@pytest.fixture(scope="module")
def truth(listed: Listed) -> FilmReading:
    """What a decoder that is not ours shows: the numbers in the pictures, and when."""
    return read_film(listed.path)


@pytest.fixture(scope="module")
def rate(listed: Listed) -> Fraction:
    """The rate at which editing programs count it."""
    found = json.loads(listed.export("json"))["films"][0]
    assert found["varies"]
    return Fraction(ET.fromstring(listed.export("fcpxml")).findall(".//format")[-1].get("frameDuration", "")[:-1]) ** -1


@pytest.fixture(scope="module", params=ROUNDINGS)
def on_tick(request: pytest.FixtureRequest, listed: Listed, rate: Fraction, tmp_path_factory: Any) -> tuple[int, ...]:
    """The picture on each tick of that rate, as ffmpeg lays it over the film: what is on screen, or what is nearest."""
    path = tmp_path_factory.mktemp("conformed") / "film.mkv"
    conform = f"fps={rate}:round={request.param}"
    run_ffmpeg("-i", listed.path, "-vf", conform, "-c:v", "libx264", "-preset", "ultrafast", path)
    return read_film(path).numbers


def test_shots_and_clips_begin_where_their_pictures_do(listed: Listed, truth: FilmReading) -> None:
    shots = listed.ask("GET", f"/movies/{listed.movie}/shots")["items"]
    assert [shot["start_frame"] for shot in shots] == [0, *CUTS]
    assert truth.numbers == tuple(range(FRAMES))
    for each in (*shots, *listed.entries()):
        assert each["start_s"] == pytest.approx(truth.seconds[each["start_frame"]], abs=0.0006)
        if each["end_frame"] < FRAMES:
            assert each["end_s"] == pytest.approx(truth.seconds[each["end_frame"]], abs=0.0006)
    for shot in shots:
        answer = listed.house.client.get(shot["picture"])
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert shot["start_frame"] <= read_frame_number(picture) < shot["end_frame"]
    assert listed.spans() == [(0, CUTS[2]), MANUAL]


def test_tables_have_the_films_own_frames(listed: Listed, truth: FilmReading) -> None:
    document = json.loads(listed.export("json"))["clips"]
    table = list(csv.DictReader(io.StringIO(listed.export("csv"))))
    for (start, end), clip, row in zip(listed.spans(), document, table, strict=True):
        assert (int(row["start_frame"]), int(row["end_frame"])) == (start, end)
        assert (clip["start_frame"], clip["end_frame"]) == (start, end)
        assert float(row["start_s"]) == clip["start_s"] == pytest.approx(truth.seconds[start], abs=0.0006)
        assert (row["start_timecode"], row["end_timecode"]) == (clip["start_timecode"], clip["end_timecode"])


def ticks(listed: Listed, name: str, rate: Fraction) -> list[tuple[int, int]]:
    """The ticks from the film's first picture that each clip shows, told by a reader that is not ours."""
    text = listed.export(name)
    first = round(otio.opentime.from_timecode(START, float(rate)).value)
    if name == "csv":
        codes = [(row["start_timecode"], row["end_timecode"]) for row in csv.DictReader(io.StringIO(text))]
        counted = [[round(otio.opentime.from_timecode(code, float(rate)).value) for code in each] for each in codes]
        return [(start - first, end - first) for start, end in counted]
    if name == "fcpxml":
        clips = ET.fromstring(text).findall(".//asset-clip")
        times = [[Fraction(clip.get(key, "")[:-1]) * rate for key in ("start", "duration")] for clip in clips]
        assert all(each.denominator == 1 for both in times for each in both)
        return [(int(start) - first, int(start + length) - first) for start, length in times]
    adapter = {"edl": "cmx_3600", "otio": "otio_json"}[name]
    more = {"rate": float(rate)} if name == "edl" else {}
    found = otio.adapters.read_from_string(text, adapter, **more)
    ranges = [clip.source_range for track in found.video_tracks() for clip in track.find_clips()]
    return [(round(r.start_time.value) - first, round(r.end_time_exclusive().value) - first) for r in ranges]


@pytest.mark.parametrize("name", ["edl", "otio", "fcpxml", "csv"])
def test_timecodes_lead_to_the_pictures_of_the_clip(
    listed: Listed, rate: Fraction, on_tick: tuple[int, ...], name: str
) -> None:
    """Whichever way a program lays its rate over the film; and each picture is there but one that no tick shows."""
    for (start, end), (first, last) in zip(listed.spans(), ticks(listed, name, rate), strict=True):
        shown = on_tick[first:last]
        assert set(shown) <= set(range(start, end)), (first, last, shown[:2], shown[-2:])
        assert shown[0] - start <= 1
        assert end - 1 - shown[-1] <= 1


def test_a_rendered_clip_has_its_frames_at_their_times(listed: Listed, truth: FilmReading, tmp_path: Path) -> None:
    job = listed.ask("POST", f"/lists/{listed.made}/render", json={})["id"]
    ended = listed.house.ended(job)
    assert (ended.state, ended.note) == ("done", ""), (ended.problem, listed.house.logs())
    content = listed.ask("GET", f"/lists/{listed.made}/export", params={"format": "clips"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        facts = json.loads(archive.read("clips.json"))["clips"]
        archive.extractall(tmp_path)
    for (start, end), clip in zip(listed.spans(), facts, strict=True):
        seen = read_film(tmp_path / clip["file"])
        assert seen.numbers == tuple(range(start, end))
        wanted = np.array(truth.seconds[start:end]) - truth.seconds[start]
        assert np.abs(np.array(seen.seconds) - seen.seconds[0] - wanted).max() < 0.002
