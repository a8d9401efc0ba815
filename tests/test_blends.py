"""Dissolves and dips to black: cut where they happen, in full and fast."""

from pathlib import Path

import pytest

from tests.films import run_ffmpeg
from tests.test_scan import COLUMN, scan


def blend(path: Path, kind: str, at: int, length: int) -> Path:
    """A slow picture that turns into a lively one over `length` frames from `at`, at 25 frames a second."""
    first = f"mandelbrot=s=320x180:r=25:start_scale=1:end_scale=0.9,trim=end_frame={at + length},setpts=PTS-STARTPTS"
    second = "testsrc2=s=320x180:r=25,trim=end_frame=120,setpts=PTS-STARTPTS"
    mix = f"xfade=transition={kind}:duration={length / 25}:offset={at / 25}"
    graph = f"[0]format=yuv420p,fps=25[a];[1]format=yuv420p,fps=25[b];[a][b]{mix}"
    inputs = ("-f", "lavfi", "-i", first, "-f", "lavfi", "-i", second)
    run_ffmpeg(*inputs, "-filter_complex", graph, "-preset", "ultrafast", "-bf", 2, path)
    return path


@pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])
@pytest.mark.parametrize("length", [12, 25])
def test_a_dissolve_is_cut_in_its_middle(tmp_path: Path, length: int, fast: bool) -> None:
    seen = scan(blend(tmp_path / "film.mp4", "fade", 75, length), fast=fast)
    (cut,) = seen.cuts
    assert abs(cut - (75 + length / 2)) <= 3


@pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])
def test_a_dip_to_black_is_cut_out_and_in(tmp_path: Path, fast: bool) -> None:
    """From 75 to 100 over black from 80 on: the black in the middle may be a shot of its own."""
    seen = scan(blend(tmp_path / "film.mp4", "fadeblack", 75, 25), fast=fast)
    assert 1 <= len(seen.cuts) <= 2
    assert all(77 <= cut <= 98 for cut in seen.cuts)
    light = seen.scan.signals[:, COLUMN["light"]]
    assert 80 <= int(light.argmin()) <= 95
    assert light.min() < 0.03
