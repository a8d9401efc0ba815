"""The chosen clips as files, with the report beside them."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np

from backend.analysis.find import Findings
from backend.analysis.findings import report_data
from backend.analysis.pictures import read_pictures
from backend.analysis.progress import Progress, silent
from backend.analysis.report import write_report
from backend.analysis.view import FACE_EXTRACTORS
from backend.files import cannot_write, require_writable
from backend.media.crop import SHAPES, CropPath, plan_crop, window_share
from backend.media.render import ClipFormat, ClipRequest, clip_name, render_clip
from backend.media.salience import Miniatures, Points, salient_x
from backend.media.scan import Scan
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
    """Where the window lies: on the faces of the shots' keyframes, else on what moves, else on their detail."""
    scan, source = findings.analysis.scan, read_source(findings.analysis.probe.path)
    return plan_crop(
        _points(_faces(findings)),
        scan.timeline.seconds_of(scan.shots[:, 0]),
        clip.start_s,
        clip.end_s,
        window_share(source.width, source.height, picture),
        _points(_details(findings, clip)),
        _miniatures(scan, clip),
    )


def _miniatures(scan: Scan, clip: ScoredClip) -> Miniatures:
    frames = np.arange(clip.start_frame, clip.end_frame)
    turns = round(scan.rotation_degrees / 90) % 4
    return Miniatures(scan.timeline.seconds_of(frames), np.rot90(scan.fingerprints[frames], turns, axes=(1, 2)))


def _points(found: Iterator[tuple[float, float, float]]) -> Points:
    rows = np.array(list(found), np.float64).reshape(-1, 3)
    return Points(rows[:, 0], rows[:, 1], rows[:, 2])


def _faces(findings: Findings) -> Iterator[tuple[float, float, float]]:
    line = findings.analysis.scan.timeline
    for name in FACE_EXTRACTORS:
        if name in findings.analysis.features:
            for shot in findings.analysis.features[name].faces:
                yield from ((line.seconds(f.frame), f.x + f.width / 2, f.width * f.height) for f in shot)


def _details(findings: Findings, clip: ScoredClip) -> Iterator[tuple[float, float, float]]:
    scan = findings.analysis.scan
    for index, (start, end) in enumerate(scan.shots):
        if start < clip.end_frame and end > clip.start_frame:
            try:
                shot = read_pictures(findings.analysis.pictures, index, scan.keyframes[index], 0)
            except OSError:  # a lost picture costs a better frame, not the clip
                continue
            for frame, image in zip(shot.keyframe_at, shot.keyframes, strict=True):
                yield scan.timeline.seconds(frame), salient_x(image), 1.0
