"""How long work tells what it has done."""

from typing import Protocol


class Progress(Protocol):
    """Called from any thread, often; `total` 0 means that it is not known yet."""

    def __call__(self, stage: str, done: float, total: float) -> None:
        """So much of a stage is done, in the stage's own unit (frames, seconds, bytes, shots)."""


def silent(stage: str, done: float, total: float) -> None:
    """The progress that nobody watches."""
