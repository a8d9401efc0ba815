"""Which frames stand for a shot, chosen from a few that are held while the shot lasts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
HELD_PER_SHOT = 96
MOVING_MOTION = 0.012
MOVING_SPREAD = 0.006
MIN_MOVING_FRAMES = 12


@dataclass(frozen=True)
class ShotPictures:
    """A finished shot, `[start_frame, end_frame)`, and its pictures (RGB uint8, 320 wide).

    `clip_at` and `clip` are the evenly spread frames for video models; empty unless asked for.
    """

    index: int
    start_frame: int
    end_frame: int
    keyframe_at: tuple[int, ...]
    keyframes: tuple[Image, ...]
    clip: tuple[Image, ...] = ()


class HeldFrames:
    """Pictures of the shot that is running, every `step` frames, thinned so that a long shot keeps a bounded number."""

    def __init__(self, step: int) -> None:
        self._base_step = self._step = max(1, step)
        self._held: dict[int, Image] = {}
        self._next = 0

    def offer(self, number: int, picture: Callable[[], Image], *, jump: bool) -> None:
        """Keep this frame if it is due, or if the picture has just changed abruptly (`jump`): a shot may start here."""
        if number < self._next and not jump:
            return
        self._held[number] = picture()
        self._next = number + self._step
        if len(self._held) > HELD_PER_SHOT:
            self._held = dict(list(self._held.items())[::2])
            self._step *= 2

    def take(self, end_frame: int) -> dict[int, Image]:
        """The held frames before `end_frame`, which is where a new shot starts; they are no longer held."""
        taken = {number: image for number, image in self._held.items() if number < end_frame}
        for number in taken:
            del self._held[number]
        self._step = self._base_step
        return taken


def keyframe_numbers(motion: NDArray[np.float32]) -> list[int]:
    """Frames of a shot that stand for it, counted from its start.

    `motion` is the frame-to-frame luma difference [frames], 0 … 1; its first entry (the cut itself) is not looked at.
    A static shot has one, the median; a moving one has start, peak (of its motion, smoothed over five frames) and end.
    """
    frames = len(motion)
    inner = motion[1:]
    if frames < MIN_MOVING_FRAMES or not (inner.mean() > MOVING_MOTION or inner.std() > MOVING_SPREAD):
        return [frames // 2]
    smooth = np.convolve(inner, np.full(5, 0.2), mode="same")
    edge = max(1, frames // 20)
    peak = int(np.argmax(smooth)) + 1
    return sorted({edge, min(max(peak, edge), frames - 1 - edge), frames - 1 - edge})


def choose(held: dict[int, Image], wanted: list[int]) -> dict[int, Image]:
    """The held frames nearest to the wanted numbers, each once, in order."""
    numbers = np.array(sorted(held))
    nearest = {int(numbers[np.abs(numbers - w).argmin()]) for w in wanted} if len(numbers) else set()
    return {number: held[number] for number in sorted(nearest)}


def shot_pictures(
    index: int, start: int, end: int, held: dict[int, Image], motion: NDArray[np.float32], clip_frames: int
) -> ShotPictures:
    """Keyframes (and `clip_frames` evenly spread frames) of the shot `[start, end)` out of what was held of it."""
    inside = {n: image for n, image in held.items() if start <= n < end}
    keys = choose(inside, [start + n for n in keyframe_numbers(motion)])
    clip: tuple[Image, ...] = ()
    if clip_frames and inside:
        numbers = np.array(sorted(inside))
        spread = np.linspace(start, end - 1, clip_frames)
        clip = tuple(inside[int(numbers[np.abs(numbers - at).argmin()])] for at in spread)
    return ShotPictures(index, start, end, tuple(keys), tuple(keys.values()), clip)
