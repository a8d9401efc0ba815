"""Sound cut into the windows that a network takes."""

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError

Samples = NDArray[np.float32]
RATE_HZ = 16_000
LEAST_S = 0.1


def windows(samples: Samples, size: int) -> list[Samples]:
    """Mono float32 [n] in windows of `size` samples; of a rest that which is half a window or more, or all there is.

    Raises InputError where there is next to no sound.
    """
    whole = len(require_sound(samples)) // size
    ends = [(k + 1) * size for k in range(whole)]
    if not whole or len(samples) - whole * size >= size / 2:
        ends.append(len(samples))
    starts = [0, *ends[:-1]]
    return [samples[start:end] for start, end in zip(starts, ends, strict=True)]


def require_sound(samples: Samples) -> Samples:
    """The same; raises InputError where there is next to none."""
    if len(samples) < LEAST_S * RATE_HZ:
        raise InputError("there is no sound in it")
    return samples
