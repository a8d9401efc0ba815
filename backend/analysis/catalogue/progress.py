"""A bar while vectors are made; quiet lines where nobody watches."""

import sys
import time

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from backend.analysis.catalogue.pipeline import Progress
from backend.bars import Bars

QUIET_EVERY_S = 30.0


class ExtractionBars(Bars):
    """One bar on standard error, or a line every half minute."""

    def __init__(self, what: str) -> None:
        super().__init__(
            *(TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn()),
            *(TextColumn("{task.fields[told]}"), TimeRemainingColumn(compact=True)),
            transient=True,
        )
        self._what = what

    def begin(self, total: int) -> Progress:
        """So many titles are to be done; what comes back is told of each batch."""
        task = self.bars.add_task(self._what, total=total, told="")
        began = said = time.monotonic()
        if not self.live:
            self._say(f"{self._what}: {total:,} titles …")

        def progress(done: int, skipped: int) -> None:
            nonlocal said
            now = time.monotonic()
            told = f"{done / max(now - began, 1e-3):,.1f}/s" + (f", {skipped:,} skipped" if skipped else "")
            if self.live:
                self.bars.update(task, completed=done, told=told)
            elif now - said >= QUIET_EVERY_S:
                said = now
                self._say(f"{self._what}: {done:,} of {total:,} titles, {told}")

        return progress

    def _say(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
