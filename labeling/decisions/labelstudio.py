"""Decisions in the shape that Label Studio imports and exports: one task a clip, one annotation a curator.

The labelling configuration that fits is in docs/curating.md. There frames count from 1, and a range has both its
ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from labeling.decisions.replay import standing

VIDEO = "video"


@dataclass(frozen=True)
class Films:
    """Where Label Studio finds films: by the names of their files behind `prefix`; without one, at the service."""

    service: str
    prefix: str = ""

    def address(self, row: Any) -> str:
        """The address of a row's film; "" for one that is gone."""
        if row.movie_id is None:
            return ""
        return self.prefix + quote(PurePath(row.path).name) if self.prefix else self._served(row.movie_id)

    def _served(self, movie_id: int) -> str:
        return f"{self.service}/api/movies/{movie_id}/media"


def task(rows: Sequence[Any], films: Films) -> dict[str, Any] | None:
    """The task of one candidate's decisions, in their order; None where nothing stands."""
    stands = standing(rows)
    if not stands:
        return None
    row = rows[0]
    copied = ("movie_sha256", "movie_title", "start_frame", "end_frame", "start_s", "end_s")
    made: dict[str, Any] = {
        "id": row.candidate_id,
        "data": {
            VIDEO: films.address(row),
            "frame_rate": _rate(row),
            **{name: getattr(row, name) for name in copied},
        },
        "annotations": [_annotation(each) for each in stands.values()],
    }
    scored = next((each for each in rows if each.score is not None), None)
    if scored is not None:
        shown = _range(scored.key, scored.start_frame, scored.end_frame, "candidate")
        made["predictions"] = [{"model_version": scored.model, "score": scored.score, "result": [shown]}]
    return made


def _rate(row: Any) -> float:
    """Frames per second of a row's film, or of the clip where the film is gone."""
    if row.rate:
        return round(float(Fraction(row.rate)), 6)
    length_s = row.end_s - row.start_s
    return round((row.end_frame - row.start_frame) / length_s, 6) if length_s > 0 else 0.0


def _annotation(row: Any) -> dict[str, Any]:
    """What one curator says. Label Studio knows people by its own ids, so the name stands among the results."""
    trimmed = row.trim_start_frame is not None
    start, end = (row.trim_start_frame, row.trim_end_frame) if trimmed else (row.start_frame, row.end_frame)
    results = [
        _range(row.key, start, end, row.verdict),
        _result(row.key, "verdict", "choices", {"choices": [row.verdict]}),
        _result(row.key, "curator", "textarea", {"text": [row.curator]}),
    ]
    if row.reasons:
        results.append(_result(row.key, "reasons", "choices", {"choices": list(row.reasons)}))
    if row.text:
        results.append(_result(row.key, "comment", "textarea", {"text": [row.text]}))
    return {
        "result": results,
        "was_cancelled": row.verdict == "skip",
        "ground_truth": False,
        "lead_time": row.spent_s,
        "created_at": _moment(row.decided_at),
        "updated_at": _moment(row.decided_at),
    }


def _range(key: str, start_frame: int, end_frame: int, label: str) -> dict[str, Any]:
    value = {"ranges": [{"start": start_frame + 1, "end": end_frame}], "timelinelabels": [label]}
    return _result(key, "clip", "timelinelabels", value)


def _result(key: str, name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"{key}:{name}", "from_name": name, "to_name": VIDEO, "type": kind, "value": value}


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
