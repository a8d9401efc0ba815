"""What `selects find` shows on a terminal: bars while it works, then the clips; quiet lines where nobody watches."""

import sys
import textwrap
import threading
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from backend.analysis.find import Findings
from backend.analysis.findings import Files
from backend.bars import Bars
from backend.clock import clock
from backend.features.models import ModelRow
from backend.scoring.explain import PRIOR
from backend.scoring.rank import ScoredClip

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


class TerminalProgress(Bars):
    """Progress bars on standard error, or one quiet line a stage where it is no terminal."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description:<24}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            transient=True,
        )
        self._tasks: dict[str, tuple[TaskID, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Show that so much of a stage is done."""
        name, unit = STAGES[stage]
        with self._lock:
            if stage not in self._tasks:
                self._begin(stage, name)
            task, began = self._tasks[stage]
        if self.live:
            speed = done * UNITS.get(stage, 1) / max(time.monotonic() - began, 1e-3)
            self.bars.update(
                task, completed=done, total=total or None, rate=f"{speed:,.0f} {unit}/s" if speed >= 1 else ""
            )

    def _begin(self, stage: str, name: str) -> None:
        task = self.bars.add_task(name, total=None, rate="")
        self._tasks[stage] = (task, time.monotonic())
        if not self.live:
            sys.stderr.write(f"{name} …\n")
            sys.stderr.flush()


def show(findings: Findings, files: Files) -> None:
    """The clips on standard output with what made the scores; warnings on standard error."""
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    for warning in findings.warnings:
        err.print(Text(f"Note: {warning.rstrip('.')}.", style="yellow"), soft_wrap=True)
    analysis, clips = findings.analysis, findings.ranking.clips
    out.print(Text(analysis.probe.path.name, style="bold"), Text(_facts(findings), style="dim"), sep="  ")
    if not clips:
        out.print("No clip found.")
        return
    numbers = len(str(len(clips)))
    times = max(len(clock(clip.end_s)) for clip in clips)
    head = f"{'#':>{numbers}}  {'in':>{times}}   {'out':>{times}}  length   score {'':10}  viral  compelling"
    out.print(Text(head, style="dim"), no_wrap=True)
    for clip in clips:
        out.print(_line(clip, numbers, times), no_wrap=True)
        left = " " * (numbers + 2)
        why = textwrap.fill(" ".join(clip.reasons), out.width - 1, initial_indent=left, subsequent_indent=left)
        out.print(Text(why), soft_wrap=True)
    out.print()
    out.print(Text(_scores(findings), style="dim"), soft_wrap=True)
    if files:
        out.print(Text(f"{_count(len(files), 'clip')} and report.html in {next(iter(files.values())).parent}"))


def _facts(findings: Findings) -> str:
    scan = findings.analysis.scan
    shots, scenes = len(scan.shots), len(findings.film.scene_starts)
    return f"{clock(scan.timeline.duration_s)} · {_count(shots, 'shot')} · {_count(scenes, 'scene')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _line(clip: ScoredClip, numbers: int, times: int) -> Text:
    length = clock(clip.end_s - clip.start_s)
    return Text.assemble(
        f"{clip.rank:>{numbers}}  ",
        (f"{clock(clip.start_s):>{times}} – {clock(clip.end_s):>{times}}", "bold"),
        f"  {length:>6}    ",
        (f"{clip.score:.2f} {clip.band:<10}", BAND_STYLES[clip.band]),
        f"   {clip.viral:.2f}        {clip.compelling:.2f}",
    )


def _scores(findings: Findings) -> str:
    """How the scores came about, and that a prior's hold within this film only."""
    ranking = findings.ranking
    prior = "the prior (relative to this film)"
    makers = {name: prior if who == PRIOR else f"model {who}" for name, who in ranking.scored_by.items()}
    who = " and ".join(f"{name} by {maker}" for name, maker in makers.items())
    if len(set(makers.values())) == 1:
        who = f"both by {next(iter(makers.values()))}"
    weights = ranking.weights
    return f"score = {weights.viral:g} viral + {weights.compelling:g} compelling, {who}"


def show_models(rows: Sequence[ModelRow]) -> None:
    """The models, two lines each: those marked with a full dot can be used as they are.

    Those of `features extract` begin with their modality.
    """
    out = Console(highlight=False)
    for row in rows:
        mark = ("●", "green") if row.here else ("○", "dim")
        numbers = f", {row.dimension} numbers" if row.dimension else ""
        kind = f"{row.modality}: " if row.modality else ""
        name = "" if row.published == row.name else f"{row.published}, "
        out.print(Text.assemble(mark, " ", (f"{row.name:<13}", "bold"), f"{kind}{name}{row.role}{numbers}"))
        used = [f"profile {' and '.join(row.profiles)}"] if row.profiles else []
        about = " · ".join([*used, row.licence, row.source])
        out.print(Text(f"{'':15}{about}", style="dim"), soft_wrap=True)
    out.print(Text("● weights here   ○ not here", style="dim"))
