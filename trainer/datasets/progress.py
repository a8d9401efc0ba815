"""What a person sees while a data set is prepared: one bar for the whole, one for what is being done."""

import threading

from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn

from backend.bars import Bars
from backend.terminal import STAGES


class PreparingBars(Bars):
    """Bars on standard error; where it is no terminal, a quiet line for each step."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description:<40}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            transient=True,
        )
        self._whole: TaskID | None = None
        self._now: tuple[str, TaskID] | None = None
        self._lock = threading.Lock()

    def step(self, name: str, done: int = 0, total: int = 0) -> None:
        """The `done`-th of `total` steps begins; `total` 0 where nobody has counted them."""
        said = f"{done + 1} of {total}: {name}" if total else name
        if not self.live:
            self.console.print(f"{said} …", soft_wrap=True, markup=False)
            return
        with self._lock:
            if self._whole is None:
                self._whole = self.bars.add_task("", total=None)
            self.bars.update(self._whole, description=said[:40], completed=done, total=total or None)

    def __call__(self, stage: str, done: float, total: float) -> None:
        """So much of a stage of the present step is done."""
        if not self.live:
            return
        with self._lock:
            if self._now is None or self._now[0] != stage:
                if self._now:
                    self.bars.remove_task(self._now[1])
                self._now = (stage, self.bars.add_task(f"  {STAGES.get(stage, (stage, ''))[0]}", total=None))
            self.bars.update(self._now[1], completed=done, total=total or None)
