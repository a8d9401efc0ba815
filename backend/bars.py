"""Progress bars on standard error, where somebody watches."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, ProgressColumn


class Bars:
    """Shown as long as the block lasts. `live`: whether standard error is a terminal; else nothing is drawn."""

    def __init__(self, *columns: ProgressColumn, transient: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.live = self.console.is_terminal
        self.bars = Progress(*columns, console=self.console, transient=transient)

    def __enter__(self) -> Self:
        if self.live:
            self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.bars.stop()
