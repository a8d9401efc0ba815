"""Trailers of a real film, made by ffmpeg from known places of it, and how well they are found again."""

from dataclasses import dataclass
from pathlib import Path

from labeling.references.align import Segment
from tests.films import run_ffmpeg

RATE = 24
SHOTS = (
    (311.19, 37),
    (439.43, 59),
    (354.22, 54),
    (449.81, 72),
    (16.27, 75),
    (416.38, 54),
    (193.41, 60),
    (471.09, 60),
    (77.82, 66),
    (259.29, 39),
    (240.91, 77),
    (164.67, 58),
)
"""Where each shot of the trailer begins in Big Buck Bunny, in seconds, and how many frames it has."""
CARD_AFTER, OTHER_AFTER = 3, 5
"""A title card follows every third shot, a second of another film every fifth."""


@dataclass(frozen=True)
class Placed:
    """A shot of the trailer, in seconds, and where it begins in the film."""

    start_s: float
    end_s: float
    film_s: float


@dataclass(frozen=True)
class Score:
    """How a list of segments compares with the truth: wrong ones, and the share of the shots' time that is found."""

    wrong: tuple[Segment, ...]
    recall: float
    worst_s: float


def make_trailer(path: Path, film: Path, other: Path) -> tuple[Placed, ...]:
    """Write a trailer at 24 frames a second, 640 x 360, and say where its shots come from."""
    inputs: list[str | int | Path] = []
    lengths: list[int] = []
    truth: list[Placed] = []
    for number, (film_s, frames) in enumerate(SHOTS):
        begin = sum(lengths)
        truth.append(Placed(begin / RATE, (begin + frames) / RATE, film_s))
        inputs += ["-ss", film_s, "-t", frames / RATE + 0.2, "-i", film]
        lengths.append(frames)
        if number % CARD_AFTER == CARD_AFTER - 1:
            inputs += ["-f", "lavfi", "-t", 2, "-i", "gradients=s=640x360:r=24:c0=white:c1=blue:speed=0.02"]
            lengths.append(RATE)
        if number % OTHER_AFTER == OTHER_AFTER - 1:
            inputs += ["-ss", 14 + number, "-t", 2, "-i", other]
            lengths.append(RATE)
    parts = [
        f"[{i}:v]fps={RATE},scale=640:360,setsar=1,trim=end_frame={n},setpts=N/{RATE}/TB,format=yuv420p[v{i}]"
        for i, n in enumerate(lengths)
    ]
    joined = "".join(f"[v{i}]" for i in range(len(lengths))) + f"concat=n={len(lengths)}:v=1[out]"
    picture = ["-map", "[out]", "-r", RATE, "-c:v", "libx264", "-preset", "veryfast", "-crf", 14]
    run_ffmpeg(*inputs, "-filter_complex", ";".join([*parts, joined]), *picture, path)
    return tuple(truth)


def score(segments: tuple[Segment, ...], truth: tuple[Placed, ...], speed: float = 1.0) -> Score:
    """Compare, where the trailer goes `speed` times as fast as the one that `truth` describes."""
    wrong, found_s, worst_s = [], 0.0, 0.0
    for segment in segments:
        start_s, end_s = segment.trailer_start_s * speed, segment.trailer_end_s * speed
        shot = next((shot for shot in truth if shot.start_s <= (start_s + end_s) / 2 < shot.end_s), None)
        if shot is None:
            wrong.append(segment)
            continue
        moved_s = shot.film_s - shot.start_s
        off_s = max(abs(segment.film_start_s - start_s - moved_s), abs(segment.film_end_s - end_s - moved_s))
        if off_s > 0.5:
            wrong.append(segment)
            continue
        found_s, worst_s = found_s + end_s - start_s, max(worst_s, off_s)
    return Score(tuple(wrong), found_s / sum(shot.end_s - shot.start_s for shot in truth), worst_s)
