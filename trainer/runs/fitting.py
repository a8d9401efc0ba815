"""Training in a process of its own, so that a GPU's memory is free afterwards and a crash costs nothing."""

import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backend.child import bound
from backend.errors import InputError, SelectsError

LOOK_EVERY_S = 0.5
NICE = 10
"""Who asks the service meanwhile goes first."""
LONGEST_WORDS = 2000
WRONG_INPUT = 2


class FitFailed(SelectsError):
    """The training ended without a model."""


@dataclass(frozen=True)
class Progress:
    """What the process says of itself: see `python -m trainer fit --progress`."""

    stage: str = ""
    fraction: float = 0.0
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    left_s: float | None = None


def fit_command(snapshot: Path, out: Path, options: Sequence[str]) -> list[str]:
    """The command that trains on a snapshot."""
    return [sys.executable, "-m", "trainer", "fit", str(snapshot), str(out), "--progress", *options]


def run_to_end(command: Sequence[str], limit_s: float, told: Callable[[Progress], None]) -> None:
    """Run a command that prints its progress; `told` hears of it at least twice a second and may raise to end it.

    The process ends with this one, however that ends. Raises InputError in its own words where its input is wrong,
    FitFailed where it fails or takes longer than `limit_s`.
    """
    nice = ["nice", "-n", str(NICE), *command]
    process = subprocess.Popen(
        bound(nice), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        said = _follow(process, time.monotonic() + limit_s, limit_s, told)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode == WRONG_INPUT:
        raise InputError(said or "The labels cannot be trained on.")
    if process.returncode != 0:
        if process.returncode == -signal.SIGKILL:
            raise FitFailed("The training was killed from outside, as happens where memory runs out; try it again.")
        raise FitFailed(f"The training ended with code {process.returncode}: {said or 'it said nothing'}")


def _follow(process: "subprocess.Popen[bytes]", until: float, limit_s: float, told: Callable[[Progress], None]) -> str:
    """Wait for the end; gives the last line that the process said on standard error."""
    lines: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    words: list[str] = []
    assert process.stdout is not None
    assert process.stderr is not None
    readers = (
        threading.Thread(target=_read_progress, args=(process.stdout, lines), daemon=True),
        threading.Thread(target=_read_words, args=(process.stderr, words), daemon=True),
    )
    for reader in readers:
        reader.start()
    newest: Progress | None = Progress()
    told_at = 0.0
    while newest is not None:
        if time.monotonic() > until:
            raise FitFailed(f"The training took longer than {limit_s:g} seconds (SELECTS_TRAINING__LIMIT_S).")
        if time.monotonic() - told_at >= LOOK_EVERY_S:
            told(newest)
            told_at = time.monotonic()
        with suppress(queue.Empty):
            newest = lines.get(timeout=LOOK_EVERY_S)
    while process.poll() is None:  # it has closed its output, and may do so long before it ends
        if time.monotonic() > until:
            raise FitFailed(f"The training took longer than {limit_s:g} seconds (SELECTS_TRAINING__LIMIT_S).")
        time.sleep(LOOK_EVERY_S / 10)
    readers[1].join(LOOK_EVERY_S)
    return words[-1][-LONGEST_WORDS:] if words else ""


def _read_progress(stream: IO[bytes], lines: "queue.SimpleQueue[Progress | None]") -> None:
    # Here, not by who waits: closing would wait for somebody who still reads.
    with stream:
        for line in stream:
            if (said := progress_of(line)) is not None:
                lines.put(said)
    lines.put(None)


def _read_words(stream: IO[bytes], words: list[str]) -> None:
    with stream:
        for line in stream:
            # What it says of itself begins with its name, as on a terminal; here everybody knows who speaks.
            if plain := line.decode(errors="replace").strip().removeprefix("trainer: "):
                words[:] = [plain]


def progress_of(line: bytes) -> Progress | None:
    """What a line says, None where it says nothing that is known."""
    try:
        found = json.loads(line)
        return Progress(
            stage=str(found["stage"]),
            fraction=min(max(_number(found.get("fraction")) or 0.0, 0.0), 1.0),
            epoch=int(found.get("epoch") or 0),
            epochs=int(found.get("epochs") or 0),
            loss=_number(found.get("loss")),
            left_s=_number(found.get("left_s")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None
