"""What a stage tells of itself, as the job's row has it: at most twice a second, with speed and time left."""

import threading
import time

from sqlmodel import Session

from backend.errors import SelectsError
from backend.jobs import service as jobs
from backend.jobs.service import Doing, Report
from backend.resources import Resources

REPORT_EVERY_S = 0.5
SPEED_OVER_S = 5.0
UNITS = {"checksum": "bytes", "decode": "frames", "sound": "seconds", "speech": "seconds", "features": "shots"}


class Reporter:
    """Called from several threads; a report that finds the job cancelled or fenced raises that in all of them.

    span     of the whole job, how much lies before the stage and how much it is itself
    frame_s  seconds that a frame plays: speed is told in times as fast as the film plays
    """

    def __init__(
        self, resources: Resources, doing: Doing, stage: str, span: tuple[float, float], frame_s: float
    ) -> None:
        self._resources, self._doing, self._stage = resources, doing, stage
        self._span, self._frame_s = span, frame_s
        self._lock = threading.Lock()
        self._next = 0.0
        self._ended: SelectsError | None = None
        self._seen: dict[str, list[tuple[float, float]]] = {}

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Take what a part of the stage says of itself."""
        with self._lock:
            if self._ended is not None:
                raise self._ended
            now = time.monotonic()
            # The sound is heard beside the picture, which takes longer.
            if now < self._next or (self._stage == "scan" and stage == "sound" and "decode" in self._seen):
                return
            self._next = now + REPORT_EVERY_S
            try:
                with Session(self._resources.alone) as session:
                    jobs.report(session, self._doing, self._report(stage, done, total, now))
            except SelectsError as ended:
                self._ended = ended
                raise

    def _report(self, part: str, done: float, total: float, now: float) -> Report:
        seen = self._seen.setdefault(part, [])
        seen.append((now, done))
        while len(seen) > 2 and now - seen[1][0] > SPEED_OVER_S:
            seen.pop(0)
        began, earlier = seen[0]
        elapsed_s = now - began
        speed = (done - earlier) / elapsed_s if elapsed_s > 0 and done > earlier else None
        share = min(1.0, done / total) if total else 0.0
        before, own = self._span
        eta_s = (total - done) / speed if speed and total else None
        plays = self._frame_s if part == "decode" else 0.0
        return Report(
            stage=self._stage,
            fraction=min(1.0, before + share * own),
            done=done,
            of=total,
            unit=UNITS.get(part, ""),
            speed=speed * plays if speed and plays else speed,
            eta_s=eta_s,
        )
