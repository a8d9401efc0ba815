"""How far a training is, as lines of JSON for whoever started it."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

EVERY_S = 0.25
STARTS = {"read": 0.0, "fold": 0.05, "fit": 0.7, "evaluate": 0.85, "gate": 0.98}
ENDS = {"read": 0.05, "fold": 0.7, "fit": 0.85, "evaluate": 0.98, "gate": 1.0}


class Progress:
    """Stages one after the other, each told as the share of it that is done; several threads may tell.

    A line: {"stage", "fraction" of the whole, "epoch", "epochs", "loss", "left_s"}.
    """

    def __init__(self, emit: Callable[[str], None] | None) -> None:
        self._emit = emit
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._stage = ""
        self._parts: dict[int, float] = {}
        self._told_at = 0.0
        self._fraction = 0.0

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def stage(self, name: str, parts: int = 1) -> None:
        """A stage of so many parts begins."""
        with self._lock:
            self._stage, self._parts = name, dict.fromkeys(range(parts), 0.0)
            self._say({}, at_once=True)

    def part(self, number: int, share: float, epoch: int = 0, epochs: int = 0, loss: float = 0.0) -> None:
        """This share of a part of the stage is done."""
        with self._lock:
            self._parts[number] = max(share, self._parts.get(number, 0.0))
            self._say({"epoch": epoch, "epochs": epochs, "loss": round(loss, 6)} if epoch else {}, at_once=False)

    def end(self) -> None:
        """All is done."""
        with self._lock:
            self._parts = {0: 1.0}
            self._say({}, at_once=True)

    def _say(self, more: dict[str, Any], *, at_once: bool) -> None:
        now = time.monotonic()
        if self._emit is None or (not at_once and now - self._told_at < EVERY_S):
            return
        self._told_at = now
        done = sum(self._parts.values()) / max(len(self._parts), 1)
        low, high = STARTS[self._stage], ENDS[self._stage]
        self._fraction = max(self._fraction, low + (high - low) * done)
        left = (now - self._began) * (1 - self._fraction) / self._fraction if self._fraction > 0.06 else None
        line = {"stage": self._stage, "fraction": round(self._fraction, 4), **more}
        self._emit(json.dumps(line if left is None else {**line, "left_s": round(left, 1)}))
