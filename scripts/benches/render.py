"""Rendering the clips of a list against plain ffmpeg cutting them one by one: wall time and CPU, alternated in one run.

    scripts/bench render FILM [--clips 8] [--seconds 90] [--rounds 2]

In each round plain ffmpeg seeks, cuts and encodes clip after clip (`-ss … -to …`, the same x264 and AAC settings, as
many threads as it takes by itself), and the same clips are rendered as a list, in an empty folder and a process of its
own: start and imports included. Who goes first alternates; before the first round the film is read once. The film is
scanned before, as it is when somebody has a list of its clips. A ratio is of one round; medians are given, and how many
frames each side wrote: plain ffmpeg's may be one more or less a clip.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.benches._cost import Cost, cost  # noqa: E402

LIMIT = 1.10
RENDER = """
import json, sys
from fractions import Fraction
from pathlib import Path
from backend.exports.base import Clip, ClipList, Source
from backend.exports.rendering import RenderOptions, render_list
film, rate, frames, spans, folder = json.loads(sys.argv[1])
source = Source("film", film, film, film, film, Fraction(rate), frames)
clips = tuple(Clip(str(start), source, start, end, str(start)) for start, end in spans)
done = render_list(ClipList(1, "bench", "bench", clips, source.rate), RenderOptions(), Path(folder))
sys.exit("; ".join(each.problem for each in done if each.problem) or 0)
"""


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench render")
    asked.add_argument("film", type=Path)
    asked.add_argument("--clips", type=int, default=8)
    asked.add_argument("--seconds", type=float, default=90.0)
    asked.add_argument("--rounds", type=int, default=2)
    options = asked.parse_args(args)
    rate, frames, size = facts(options.film)
    spans = spread(frames, round(options.seconds * rate), options.clips)
    read_once(options.film)
    rounds = [one_round(options.film, rate, frames, spans, turn % 2 == 1) for turn in range(options.rounds)]
    ratios = [{of: getattr(ours, of) / getattr(plain, of) for of in ("wall_s", "cpu_s")} for plain, ours, _ in rounds]
    wall, cpu = (median(each[of] for each in ratios) for of in ("wall_s", "cpu_s"))
    figures = {
        "film": options.film.name,
        "size": size,
        "plain_wall_s": median(plain.wall_s for plain, _, _ in rounds),
        "wall_s": median(ours.wall_s for _, ours, _ in rounds),
        "plain_cpu_s": median(plain.cpu_s for plain, _, _ in rounds),
        "cpu_s": median(ours.cpu_s for _, ours, _ in rounds),
        "wall_ratio": wall,
        "cpu_ratio": cpu,
        "wall_ratios": [each["wall_s"] for each in ratios],
        "frames": {"wanted": sum(end - start for start, end in spans), **rounds[-1][2]},
        "ok": wall <= LIMIT,
    }
    asked_for = f"{len(spans)} clips of {options.seconds:g} s, {options.rounds} rounds on {os.cpu_count()} cores"
    lines = [
        f"film          {options.film.name}, {size}, {asked_for}",
        f"plain ffmpeg  wall {figures['plain_wall_s']:6.1f} s   CPU {figures['plain_cpu_s']:6.1f} s",
        f"rendered      wall {figures['wall_s']:6.1f} s   CPU {figures['cpu_s']:6.1f} s",
        f"ratio         wall {wall:5.2f} x (limit {LIMIT})   CPU {cpu:5.2f} x",
        "of each round " + ", ".join(f"{each:.2f}" for each in figures["wall_ratios"]),
        "frames        " + ", ".join(f"{name} {count:,}" for name, count in figures["frames"].items()),
    ]
    return figures | {"lines": lines}


def facts(film: Path) -> tuple[Any, int, str]:
    """Rate, number of frames and size of a film of constant rate."""
    from backend.media.probe import probe_film

    probe = probe_film(film)
    if not probe.declared_frames:
        raise SystemExit(f"bench: {film.name} does not say how many frames it has; take an MP4 file.")
    return probe.rate, probe.declared_frames, f"{probe.width} x {probe.height}"


def spread(frames: int, length: int, count: int) -> list[tuple[int, int]]:
    """Clips of `length` frames, evenly over the film; they overlap where it is short."""
    if frames < length:
        raise SystemExit("bench: the film is shorter than a clip.")
    starts = [round((frames - length) * number / max(1, count - 1)) for number in range(count)]
    return [(start, start + length) for start in starts]


def read_once(film: Path) -> None:
    """So that neither side reads it from the disk first."""
    with film.open("rb") as file:
        while file.read(1 << 24):
            pass


Round = tuple[Cost, Cost, dict[str, int]]


def one_round(film: Path, rate: Any, frames: int, spans: list[tuple[int, int]], ours_first: bool) -> Round:
    """What plain ffmpeg costs, clip after clip; what a list of the same clips costs; how many frames each wrote."""
    with tempfile.TemporaryDirectory() as folder:
        theirs, own = Path(folder) / "plain", Path(folder) / "rendered"
        theirs.mkdir()
        own.mkdir()
        asked = json.dumps([str(film), str(rate), frames, spans, str(own)])

        def whole() -> Cost:
            clips = [plain(film, rate, start, end, theirs / f"{start}.mp4") for start, end in spans]
            each = [cost(words) for words in clips]
            return Cost(sum(c.cpu_s for c in each), sum(c.wall_s for c in each), max(c.peak_gib for c in each))

        def listed() -> Cost:
            return cost([sys.executable, "-c", RENDER, asked], PYTHONPATH=str(ROOT))

        ours = listed() if ours_first else None
        plainly = whole()
        ours = ours or listed()
        return plainly, ours, {"plain": written(theirs), "rendered": written(own)}


def written(folder: Path) -> int:
    """How many frames the clips in a folder have together."""
    from backend.media.finished import frames_in

    return sum(map(frames_in, folder.glob("*.mp4")))


def plain(film: Path, rate: Any, start: int, end: int, target: Path) -> list[str]:
    """The command that people write."""
    import ffmpeg

    from backend.media.encode import binary
    from backend.media.render import CLIP_OPTIONS, SOUND_OPTIONS

    source = ffmpeg.input(str(film), ss=f"{float(start / rate):.3f}", to=f"{float(end / rate):.3f}")
    same = {**CLIP_OPTIONS, **SOUND_OPTIONS, "g": max(1, round(2 * rate))}
    output = ffmpeg.output(source, str(target), **same).global_args("-v", "error", "-nostdin").overwrite_output()
    return [str(word) for word in output.compile(cmd=binary())]
