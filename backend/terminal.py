"""What `selects find` shows on a terminal: bars while it works, then a table; quiet lines where nobody watches."""

import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from backend.analysis.find import Findings
from backend.analysis.findings import Files
from backend.features.models import ModelRow

STAGES = {
    "sample": ("Making a sample film", "s"),
    "checksum": ("Reading the file", "MB"),
    "decode": ("Decoding, finding shots", "frames"),
    "sound": ("Listening", "s of sound"),
    "features": ("Looking at keyframes", "shots"),
    "cut": ("Cutting clips", "clips"),
}
UNITS = {"checksum": 1 / (1 << 20)}
BAND_STYLES = {"compelling": "bold green", "good": "green", "medium": "yellow", "low": "dim"}
QUIET_EVERY_S = 10.0


class TerminalProgress:
    """Progress bars on standard error, or one quiet line a stage where it is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live = self._console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, tuple[TaskID, float]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "TerminalProgress":
        if self._live:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._bars.stop()

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Show that so much of a stage is done."""
        name, unit = STAGES[stage]
        with self._lock:
            if stage not in self._tasks:
                self._begin(stage, name)
            task, began = self._tasks[stage]
        if self._live:
            speed = done * UNITS.get(stage, 1) / max(time.monotonic() - began, 1e-3)
            self._bars.update(
                task, completed=done, total=total or None, rate=f"{speed:,.0f} {unit}/s" if speed >= 1 else ""
            )

    def _begin(self, stage: str, name: str) -> None:
        task = self._bars.add_task(name, total=None, rate="")
        self._tasks[stage] = (task, time.monotonic())
        if not self._live:
            sys.stderr.write(f"{name} …\n")
            sys.stderr.flush()


def show(findings: Findings, files: Files) -> None:
    """The clips as a table on standard output, what they are relative to, and warnings on standard error."""
    out, err = Console(), Console(stderr=True)
    for warning in findings.warnings:
        err.print(Text(f"Note: {warning.rstrip('.')}.", style="yellow"))
    analysis, ranking = findings.analysis, findings.ranking
    line = analysis.scan.timeline
    made_by = "prior, relative to this film" if ranking.model == "prior" else f"model {ranking.model}"
    title = f"{analysis.probe.path.name} · {clock(line.duration_s)} · {len(analysis.scan.shots)} shots · {len(findings.film.scene_starts)} scenes"
    out.print(Text(title, style="bold"))
    if not ranking.clips:
        out.print("No clip found.")
        return
    out.print(_table(findings))
    mix = f"viral × {ranking.weights.viral:g} + compelling × {ranking.weights.compelling:g}"
    out.print(Text(f"Scores: {made_by}; score = {mix}.", style="dim"))
    if files:
        folder = next(iter(files.values())).parent
        out.print(Text(f"{len(files)} clips and report.html in {folder}"))


def _table(findings: Findings) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    for name, justify in (
        ("#", "right"),
        ("in", "right"),
        ("out", "right"),
        ("length", "right"),
        ("score", "right"),
        ("", "left"),
    ):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("viral", justify="right", no_wrap=True)
    table.add_column("compelling", justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    for clip in findings.ranking.clips:
        table.add_row(
            str(clip.rank),
            clock(clip.start_s),
            clock(clip.end_s),
            clock(clip.end_s - clip.start_s),
            f"{clip.score:.2f}",
            Text(clip.band, style=BAND_STYLES.get(clip.band, "")),
            f"{clip.viral:.2f}",
            f"{clip.compelling:.2f}",
            " ".join(clip.reasons),
        )
    return table


def clock(seconds: float) -> str:
    """m:ss, or h:mm:ss from an hour on.

    >>> clock(61.2), clock(3725)
    ('1:01', '1:02:05')
    """
    whole = int(seconds + 1e-6)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def show_models(rows: Sequence[ModelRow]) -> None:
    """The models as a table: the weights of those marked with a dot are here."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    for name in ("", "model", "role", "dim", "profile", "licence", "weights from"):
        table.add_column(name, justify="right" if name == "dim" else "left")
    for row in rows:
        mark = Text("●", style="green") if row.here else Text("○", style="dim")
        table.add_row(
            mark, row.name, row.role, str(row.dimension or ""), ", ".join(row.profiles), row.licence, row.source
        )
    console = Console()
    console.print(table)
    console.print(Text("● here   ○ not here", style="dim"))
