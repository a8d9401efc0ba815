"""Findings as JSON, as CSV and as the report's data."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.analysis.find import Findings
from backend.analysis.pictures import keyframe_path
from backend.analysis.report import ReportData, Thumbnail
from backend.files import write_atomically
from backend.scoring.rank import ScoredClip

CSV_COLUMNS = (
    "rank", "start_s", "end_s", "start_frame", "end_frame", "score", "viral", "compelling", "band", "reasons", "file"
)  # fmt: skip

Files = Mapping[int, Path]


def to_json(findings: Findings, files: Files) -> dict[str, Any]:
    """The object that `find --json` prints; `files` maps a clip's rank to where it was cut to."""
    analysis, scan = findings.analysis, findings.analysis.scan
    rate = scan.timeline.rate
    movie = {
        "path": str(analysis.probe.path),
        "sha256": analysis.sha256,
        "duration_s": round(scan.timeline.duration_s, 6),
        "rate": f"{rate.numerator}/{rate.denominator}",
        "shots": len(scan.shots),
        "scenes": len(findings.film.scene_starts),
        "cuts_s": cuts_s(findings),
        "width": analysis.probe.width,
        "height": analysis.probe.height,
        "has_audio": bool(analysis.probe.audio),
        "start_timecode": analysis.probe.start_timecode,
        "warnings": list(findings.warnings),
    }
    clips = [clip_json(clip, files) for clip in findings.ranking.clips]
    return {"movie": movie, "profile": findings.request.profile, "model": findings.ranking.model, "clips": clips}


def cuts_s(findings: Findings) -> list[float]:
    """Starts of all shots after the first, seconds."""
    scan = findings.analysis.scan
    return [round(float(s), 6) for s in scan.timeline.seconds_of(scan.shots[1:, 0])]


def clip_json(clip: ScoredClip, files: Files) -> dict[str, Any]:
    """One clip as plain values, names as DESIGN section 7 has them."""
    file = files.get(clip.rank)
    return {
        "rank": clip.rank,
        "start_s": round(clip.start_s, 6),
        "end_s": round(clip.end_s, 6),
        "start_frame": clip.start_frame,
        "end_frame": clip.end_frame,
        "score": clip.score,
        "viral": clip.viral,
        "compelling": clip.compelling,
        "band": clip.band,
        "explanation": dict(clip.explanation),
        "reasons": list(clip.reasons),
        "file": str(file) if file else None,
    }


def write_csv(path: Path, findings: Findings, files: Files) -> None:
    """The clips as CSV, reasons joined by spaces; written whole or not at all. Raises OutputError."""
    table = io.StringIO()
    writer = csv.DictWriter(table, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for clip in findings.ranking.clips:
        row = clip_json(clip, files)
        writer.writerow(row | {"reasons": " ".join(row["reasons"])})
    write_atomically(path, table.getvalue().encode(errors="backslashreplace"), durable=True)


def report_data(findings: Findings, files: Files) -> ReportData:
    """What the report page shows."""
    analysis, ranking, film = findings.analysis, findings.ranking, findings.film
    scan, probe = analysis.scan, analysis.probe
    starts = scan.timeline.seconds_of(scan.shots[film.scene_starts, 0]).tolist()
    ends = [*starts[1:], scan.timeline.duration_s]
    clips = []
    for clip in ranking.clips:
        row = clip_json(clip, files)
        clips.append(row | {"file": Path(row["file"]).name if row["file"] else None})
    return ReportData(
        title=probe.path.name,
        duration_s=scan.timeline.duration_s,
        rate=scan.timeline.rate,
        facts=_facts(findings),
        warnings=findings.warnings,
        start_timecode=probe.start_timecode,
        viral=ranking.curve.viral,
        compelling=ranking.curve.compelling,
        score=ranking.curve.score,
        scenes=list(zip(starts, ends, strict=True)),
        cuts_s=cuts_s(findings),
        left_out=[(name, *span) for name, spans in film.bands_s.items() for span in spans.tolist()],
        thumbnails=_thumbnails(findings),
        clips=clips,
        model=ranking.model,
        is_prior="prior" in ranking.scored_by.values(),
        weights=(ranking.weights.viral, ranking.weights.compelling),
    )


def _facts(findings: Findings) -> list[tuple[str, str]]:
    analysis = findings.analysis
    probe, line = analysis.probe, analysis.scan.timeline
    varies = " (varies)" if line.pts is not None else ""
    facts = [
        ("Picture", f"{probe.width} x {probe.height}, {probe.codec}"),
        ("Rate", f"{float(line.rate):.3f}".rstrip("0").rstrip(".") + f" fps{varies}"),
        ("Sound", f"{probe.audio[0].codec}, {probe.audio[0].channels} ch" if probe.audio else "none"),
        ("Shots", str(len(analysis.scan.shots))),
        ("Scenes", str(len(findings.film.scene_starts))),
        ("Profile", findings.request.profile),
    ]
    if probe.start_timecode:
        facts.append(("Start timecode", probe.start_timecode))
    return facts


def _thumbnails(findings: Findings) -> list[Thumbnail]:
    scan = findings.analysis.scan
    starts = scan.timeline.seconds_of(scan.shots[:, 0])
    middles = [frames[len(frames) // 2] if frames else None for frames in scan.keyframes]
    folder = findings.analysis.pictures
    return [
        Thumbnail(float(s), keyframe_path(folder, n)) for s, n in zip(starts, middles, strict=True) if n is not None
    ]
