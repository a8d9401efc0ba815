"""Lists of clips of tiny films, and what is heard in what is made of them."""

import re
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

from backend.exports.base import Clip, ClipList, Source
from backend.media.timeline import Timeline
from tests.films import ffmpeg_exe, run_ffmpeg, timeline_of


def source_of(film: Path, rate: Fraction | int = 25, frames: int = 0, **more: Any) -> Source:
    """A film as exporters are given it; of constant rate where `frames` says how many it has, else it is decoded."""
    timeline = Timeline(Fraction(rate), frames) if frames else timeline_of(film, Fraction(rate))
    facts = {"name": film.name, "path": str(film), "media_path": str(film), "title": film.stem, "sha256": film.stem}
    known = {**facts, "rate": Fraction(rate), "frames": timeline.frames, "timeline": timeline, **more}
    return Source(**known)


def list_of(source: Source, *spans: tuple[int, int], **more: Any) -> ClipList:
    """A list of these frames of a film; `more` goes to every clip."""
    clips = [Clip(f"{n}", source, start, end, f"Clip {n}", **more) for n, (start, end) in enumerate(spans, 1)]
    return ClipList(1, "Best of", "Films", tuple(clips), source.rate, made_at="2026-11-22T03:00:00+00:00")


def loudness_of(clip: Path) -> tuple[float, float]:
    """Integrated loudness (LUFS) and true peak (dBTP) by EBU R 128, as ffmpeg measures them."""
    command = [ffmpeg_exe(), "-hide_banner", "-nostats", "-i", str(clip), "-map", "0:a", "-af", "ebur128=peak=true"]
    said = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    summary = said[said.rindex("Summary:") :]
    found = [re.search(rf"\b{name}:\s+(\S+)", summary) for name in ("I", "Peak")]
    assert found[0]
    assert found[1]
    return float(found[0][1]), float(found[1][1])


def slow_film(folder: Path) -> Path:
    """A film of a minute that takes some seconds to cut whole."""
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=3", "-preset", "ultrafast", folder / "part.mp4")
    run_ffmpeg("-stream_loop", 19, "-i", folder / "part.mp4", "-c", "copy", folder / "slow.mp4")
    return folder / "slow.mp4"


def running() -> str:
    """The command lines of all processes of ffmpeg."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(line for line in found if "ffmpeg" in line)
