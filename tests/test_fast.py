"""`--fast`: what is left out, and that the cuts stay those of the full decode."""

from pathlib import Path

import pytest

from backend.media.decode import Damage
from backend.media.probe import open_film, probe_film, video_stream
from backend.media.scan import Scan, ScanRequest, scan_film
from backend.media.sparse import can_skip, decode_sparse
from tests.films import make_film, read_frame_number

FRAMES = 200
GIVEN = (
    "faces_stage_360p.mp4",
    "people_walking_432p.mp4",
    "sintel_trailer_204p.mp4",
    "big_buck_bunny_trailer_360p.webm",
)


def scanned(path: Path, *, fast: bool) -> Scan:
    return scan_film(probe_film(path), ScanRequest(fast), lambda shot: None)


def matched(cuts: list[int], truth: list[int], tolerance: int = 2) -> float:
    """F1 of cuts, each matched at most once; 1 where there are none and none is found."""
    left = list(truth)
    for cut in cuts:
        near = [t for t in left if abs(t - cut) <= tolerance]
        if near:
            left.remove(near[0])
    return 2 * (len(truth) - len(left)) / (len(cuts) + len(truth)) if cuts or truth else 1.0


def test_frames_are_left_out_and_still_counted(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", frames=FRAMES, cuts=(40, 90, 131), clicks_s=None)
    with open_film(path) as container:
        stream = video_stream(container, path)
        assert can_skip(container, stream)
        made = list(decode_sparse(container, stream, Damage()))
    assert sum(len(skipped) + 1 for skipped, _ in made) == FRAMES
    assert len(made) < 0.75 * FRAMES
    stamps = [stamp for skipped, frame in made for stamp in (*skipped, frame.pts)]
    assert stamps == sorted(stamps)
    for _, frame in made:
        number = read_frame_number(frame.to_ndarray(format="gray"))
        assert number == round(frame.time * 25)


@pytest.mark.parametrize("name", GIVEN)
def test_cuts_are_those_of_the_full_decode(films: Path, name: str) -> None:
    """Of the film with faces, one keyframe stands just under the limit in the full decode."""
    whole, fast = (scanned(films / name, fast=fast) for fast in (False, True))
    assert whole.timeline == fast.timeline
    assert fast.signals.shape == whole.signals.shape
    assert matched(fast.shots[1:, 0].tolist(), whole.shots[1:, 0].tolist()) >= 0.98
