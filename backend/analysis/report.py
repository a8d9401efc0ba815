"""One self-contained page beside the clips: score curve, shots, clips with their reasons.

The page needs no network and no server: style, script and thumbnails are inside, clips play by their relative names.
"""

import base64
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from backend.clock import clock
from backend.errors import OutputError
from backend.files import file_atomically
from backend.media.timecode import source_timecode

Floats = NDArray[np.float64]

CURVE_POINTS = 900
# In base64 a third larger; the page stays below 8 MB.
THUMBNAIL_BYTES = 5_500_000
SHOTS_PER_GROUP = 24
TICK_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MAX_TICKS = 14


@dataclass(frozen=True)
class Thumbnail:
    """One shot's picture: when it is (seconds), and a JPEG (best 160 wide), as bytes or as a file."""

    second: float
    jpeg: bytes | Path

    def read(self) -> bytes:
        """The JPEG's bytes; empty where its file is gone."""
        if isinstance(self.jpeg, bytes):
            return self.jpeg
        try:
            return self.jpeg.read_bytes()
        except OSError:
            return b""


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True)
class ReportData:
    """What the page shows. S seconds.

    title, facts      heading, and (name, value) pairs under it
    warnings          sentences
    duration_s, rate  of the film; the rate and start_timecode (hh:mm:ss:ff, hh:mm:ss;ff or None) make the timecodes
    viral, compelling, score   float64 [S] (or empty), 0 … 1, one value per second, NaN where there is none
    scenes            (start, end) seconds; cuts_s starts of all shots after the first
    left_out          (what, start, end) seconds of what never becomes a clip: black, credits, …
    thumbnails        one per shot (or fewer), in order; if they are too many bytes, fewer are shown, evenly spread
    clips             as in DESIGN section 7, by rank: rank, start_s, end_s, start_frame, end_frame, score, viral,
                      compelling, band, explanation (block → what the score would lose), reasons, file (only its name
                      counts: it is looked for beside the page; None: not cut)
    model             who made the scores; is_prior: a prior had a part in it, so they are relative to this film
    weights           (viral, compelling)
    """

    title: str
    duration_s: float
    rate: Fraction
    facts: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()
    start_timecode: str | None = None
    viral: Floats = field(default_factory=_none)
    compelling: Floats = field(default_factory=_none)
    score: Floats = field(default_factory=_none)
    scenes: Sequence[tuple[float, float]] = ()
    cuts_s: Sequence[float] = ()
    left_out: Sequence[tuple[str, float, float]] = ()
    thumbnails: Sequence[Thumbnail] = ()
    clips: Sequence[Mapping[str, Any]] = ()
    model: str = "prior"
    is_prior: bool = True
    weights: tuple[float, float] = (0.5, 0.5)


def write_report(path: Path, report: ReportData) -> Path:
    """Write the page to `path` (replaced whole, or not at all) and return it; raises OutputError."""
    text = render_report(report)
    with file_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return path


def render_report(report: ReportData) -> str:
    """The page as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.exceptions import TemplateNotFound

    loader = PackageLoader("backend.analysis", ".")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters |= {"clock": clock, "uri": _data_uri}
    try:
        template = pages.get_template("report.html.j2")
    except TemplateNotFound:
        raise OutputError("The report's template is missing; reinstall selects.") from None
    shots = _shown(report.thumbnails)
    lanes = _lanes(report.clips)
    return template.render(
        report=report,
        duration_s=max(report.duration_s, 0.001),
        lines={name: _line(values) for name, values in _curves(report)},
        area=_area(report.score),
        comb=_comb(report.cuts_s, report.duration_s),
        ticks=list(_ticks(report.duration_s)),
        clips=[_clip(report, clip, shots) | {"lane": lane} for clip, lane in zip(report.clips, lanes, strict=True)],
        lanes=1 + max(lanes, default=-1),
        groups=list(_groups(report, shots)),
        shown=len(shots),
        aspect=_aspect(shots),
    )


def _curves(report: ReportData) -> tuple[tuple[str, Floats], ...]:
    return ("viral", report.viral), ("compelling", report.compelling), ("score", report.score)


def _pooled(values: Floats) -> tuple[Floats, Floats]:
    """At most CURVE_POINTS places (0 … 100) and means over the seconds they stand for; NaN where all are."""
    count = min(len(values), CURVE_POINTS)
    edges = np.linspace(0, len(values), count + 1).astype(int)
    valid = np.isfinite(values)
    sums = np.concatenate(([0.0], np.cumsum(np.where(valid, values, 0.0))))
    counts = np.concatenate(([0], np.cumsum(valid)))
    number = counts[edges[1:]] - counts[edges[:-1]]
    means = np.where(number > 0, (sums[edges[1:]] - sums[edges[:-1]]) / np.maximum(number, 1), np.nan)
    return (edges[:-1] + edges[1:]) / 2 / max(len(values), 1) * 100, np.clip(means, 0, 1)


def _runs(values: Floats) -> Iterator[list[str]]:
    """Stretches without a gap, each as SVG points."""
    run: list[str] = []
    for x, y in zip(*_pooled(values), strict=True):
        if np.isfinite(y):
            run.append(f"{x:.2f} {100 - 100 * y:.1f}")
        elif run:
            yield run
            run = []
    if run:
        yield run


def _line(values: Floats) -> str:
    return "".join("M" + "L".join(run) for run in _runs(values)) if len(values) else ""


def _area(values: Floats) -> str:
    if not len(values):
        return ""
    return "".join(f"M{run[0].split()[0]} 100L{'L'.join(run)}L{run[-1].split()[0]} 100Z" for run in _runs(values))


def _comb(cuts_s: Sequence[float], duration_s: float) -> str:
    places = sorted({f"{100 * cut / duration_s:.2f}" for cut in cuts_s if 0 <= cut <= duration_s}, key=float)
    return "".join(f"M{place} 0V100" for place in places)


def _ticks(duration_s: float) -> Iterator[float]:
    step = next((step for step in TICK_STEPS_S if duration_s / step <= MAX_TICKS), TICK_STEPS_S[-1])
    yield from (float(second) for second in range(0, int(duration_s) + 1, step) if second < 0.97 * duration_s)


def _lanes(clips: Sequence[Mapping[str, Any]]) -> list[int]:
    """The lane of each clip's bar: bars that overlap lie under each other."""
    ends: list[float] = []
    lanes = [0] * len(clips)
    for index in sorted(range(len(clips)), key=lambda i: float(clips[i]["start_s"])):
        start_s = float(clips[index]["start_s"])
        lane = next((n for n, end_s in enumerate(ends) if end_s <= start_s + 1e-6), len(ends))
        ends[lane : lane + 1] = [float(clips[index]["end_s"])]
        lanes[index] = lane
    return lanes


def _clip(report: ReportData, clip: Mapping[str, Any], shots: Sequence[tuple[float, bytes]]) -> dict[str, Any]:
    start_s, end_s = float(clip["start_s"]), float(clip["end_s"])
    name = Path(str(clip["file"])).name if clip.get("file") else ""
    blocks = {str(block): float(value) for block, value in dict(clip.get("explanation") or {}).items()}
    largest = max((abs(value) for value in blocks.values()), default=0.0) or 1.0
    return {
        **clip,
        "name": name,
        "source": "./" + quote(name) if name else "",
        "poster": _nearest(shots, (start_s + end_s) / 2),
        "blocks": [(block, value, 50 * abs(value) / largest) for block, value in blocks.items()],
        "timecodes": [
            source_timecode(report.start_timecode, report.rate, int(clip[f])) for f in ("start_frame", "end_frame")
        ],
    }


def _nearest(shots: Sequence[tuple[float, bytes]], second: float) -> bytes:
    before = [jpeg for at, jpeg in shots if at <= second]
    return before[-1] if before else shots[0][1] if shots else b""


def _shown(thumbnails: Sequence[Thumbnail]) -> list[tuple[float, bytes]]:
    """(second, JPEG) of all, or of fewer, evenly spread, where all are too many bytes."""
    shots = [(thumbnail.second, jpeg) for thumbnail in thumbnails if (jpeg := thumbnail.read())]
    total = sum(len(jpeg) for _, jpeg in shots)
    if total <= THUMBNAIL_BYTES:
        return shots
    kept = max(1, int(len(shots) * THUMBNAIL_BYTES / total))
    return [shots[i] for i in np.linspace(0, len(shots) - 1, kept).astype(int)]


def _groups(
    report: ReportData, shots: Sequence[tuple[float, bytes]]
) -> Iterator[tuple[float, Sequence[tuple[float, bytes]]]]:
    """Shots by scene, (start of the scene, shots), or by number where there are no scenes."""
    if not report.scenes:
        for first in range(0, len(shots), SHOTS_PER_GROUP):
            yield shots[first][0], shots[first : first + SHOTS_PER_GROUP]
        return
    starts = np.array([start for start, _ in report.scenes])
    scene_of = np.searchsorted(starts, [second + 1e-3 for second, _ in shots], side="right") - 1
    for scene in np.unique(scene_of):
        held = [shots[i] for i in np.flatnonzero(scene_of == scene).tolist()]
        yield float(starts[max(scene, 0)]), held


def _aspect(shots: Sequence[tuple[float, bytes]]) -> float:
    """Width over height of the first thumbnail, from its JPEG header; 16:9 where that cannot be read."""
    data = shots[0][1] if shots else b""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return min(4.0, max(0.25, width / height)) if height else 16 / 9
        at += 2 + length
    return 16 / 9


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
