"""A film of varying rate in an edit: whatever a program lays over it, it shows no picture from behind a cut."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from backend.exports.base import ClipList, Source
from backend.exports.preflight import preflight
from backend.exports.rates import counted_rate
from tests.films import make_film, read_film, run_ffmpeg
from tests.rendering import list_of, source_of
from tests.test_exports import written

FRAMES = 120
SPANS = ((0, 7), (13, 14), (21, 60), (33, 47), (47, 80), (118, 120))
DURATIONS_MS = {"phone": (33, 34, 33, 50, 33, 17), "screen": (20, 60, 40, 33), "slow": (40, 40, 200, 41)}


@pytest.fixture(scope="module", params=DURATIONS_MS)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    path = tmp_path_factory.mktemp("varying") / f"{request.param}.mp4"
    how = {"size": (160, 90), "clicks_s": None, "durations_ms": DURATIONS_MS[request.param]}
    made = source_of(make_film(path, FRAMES, **how), Fraction(2983, 100))  # type: ignore[arg-type]
    assert made.varies
    return replace(made, start_timecode="00:59:59;28")


def conformed(film: Source, folder: Path, rounding: str) -> tuple[int, ...]:
    """The film's frame on each tick of the rate at which it is counted, as ffmpeg lays that rate over it.

    `up`: what is on screen at the tick; `near`: frames are moved to the nearest tick.
    """
    path = folder / f"{rounding}.mkv"
    conform = f"fps={counted_rate(film)}:round={rounding}"
    run_ffmpeg("-i", film.path, "-vf", conform, "-c:v", "libx264", "-preset", "ultrafast", path)
    return read_film(path).numbers


def ticks(made: ClipList, name: str) -> list[tuple[int, int]]:
    """The ticks of the film that each clip shows, as OpenTimelineIO reads the file; handles are not ours to show."""
    adapter = {"edl": "cmx_3600", "fcp7": "fcp_xml", "otio": "otio_json"}[name]
    more = {"rate": float(made.rate)} if name == "edl" else {}
    found = otio.adapters.read_from_string(written(made, name).decode(), adapter, **more)
    ranges = [clip.source_range for track in found.video_tracks() for clip in track.find_clips()]
    first = round(otio.opentime.from_timecode("00:59:59;28", float(made.rate)).value)
    return [(round(r.start_time.value) - first, round(r.end_time_exclusive().value) - first) for r in ranges]


@pytest.mark.parametrize("rounding", ["up", "near"])
def test_no_picture_from_behind_a_cut_is_shown(film: Source, rounding: str, tmp_path: Path) -> None:
    made = replace(list_of(film, *SPANS), rate=counted_rate(film), drop=True)
    on_tick = conformed(film, tmp_path, rounding)
    for name in ("edl", "fcp7", "otio"):
        for (start, end), (first, last) in zip(SPANS, ticks(made, name), strict=True):
            shown = set(on_tick[first:last])
            # What is about as short as a tick has one all the same, wherever it lies.
            assert shown <= set(range(start, end)) or last == first + 1, (name, start, end, first, last)
            assert shown, (name, start, end, first, last)
    said = {concern.clip for concern in preflight(made, ["edl"])["edl"] if "varies" in concern.words}
    assert said == {clip.key for clip in made.clips}
