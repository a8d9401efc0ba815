"""The chosen clips as files, with the report beside them."""

from pathlib import Path
from typing import cast

from backend.analysis.find import Findings
from backend.analysis.findings import report_data
from backend.analysis.framing import crop_path, sights
from backend.analysis.progress import Progress, silent
from backend.analysis.report import write_report
from backend.files import cannot_write, require_writable
from backend.media.crop import SHAPES, CropPath
from backend.media.render import ClipFormat, ClipRequest, clip_name, render_clip
from backend.media.source import read_source
from backend.scoring.rank import ScoredClip

REPORT = "report.html"


def prepare_folder(folder: Path, film: Path) -> None:
    """Make the output folder for clips of `film` before any work is done for it; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    require_writable(folder / REPORT, film)


def cut_clips(findings: Findings, folder: Path, picture: str, progress: Progress = silent) -> dict[int, Path]:
    """Cut every clip into `folder` and write `report.html` beside them; gives rank → file. Raises OutputError.

    A clip appears under its name only when it is whole.
    """
    prepare_folder(folder, findings.analysis.probe.path)
    clips, files = findings.ranking.clips, {}
    for done, clip in enumerate(clips):

        def step(share: float, done: int = done) -> None:
            progress("cut", done + share, len(clips))

        request = _request(findings, clip, folder, picture)
        require_writable(request.target, request.film)
        files[clip.rank] = render_clip(request, step)
    progress("cut", len(clips), len(clips))
    write_report(folder / REPORT, report_data(findings, files))
    return files


def _request(findings: Findings, clip: ScoredClip, folder: Path, picture: str) -> ClipRequest:
    scan, film = findings.analysis.scan, findings.analysis.probe.path
    return ClipRequest(
        film=film,
        target=folder / clip_name(clip.rank, clip.start_s, film.stem),
        start_frame=clip.start_frame,
        end_frame=clip.end_frame,
        timeline=scan.timeline,
        format=cast(ClipFormat, picture),
        crop=_crop(findings, clip, picture) if picture in SHAPES else None,
        seekable=scan.seekable,
    )


def _crop(findings: Findings, clip: ScoredClip, picture: str) -> CropPath:
    analysis, source = findings.analysis, read_source(findings.analysis.probe.path)
    seen = sights(analysis.scan, analysis.features, analysis.pictures)
    return crop_path(seen, (source.width, source.height), picture, clip.start_frame, clip.end_frame)
