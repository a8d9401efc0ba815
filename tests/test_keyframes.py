"""Which frames stand for a shot, and how few are held while it lasts."""

import weakref

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.media.keyframes import HELD_PER_SHOT, HeldFrames, keyframe_numbers


def test_keyframes_are_at_the_peak_of_motion() -> None:
    motion = np.full(100, 0.01, np.float32)
    motion[58:63] = 0.2
    motion[0] = 1.0  # the cut itself
    assert keyframe_numbers(motion) == [5, 60, 94]
    assert keyframe_numbers(np.full(100, 0.001, np.float32)) == [50]
    assert keyframe_numbers(motion[:1]) == [0]
    assert len(keyframe_numbers(motion[58:63])) == 1


@given(arrays(np.float32, st.integers(1, 300), elements=st.floats(0, 1, width=32)))
def test_keyframes_lie_in_their_shot(motion: np.ndarray) -> None:
    numbers = keyframe_numbers(motion)
    assert 1 <= len(numbers) <= 3
    assert numbers == sorted(set(numbers))
    assert 0 <= numbers[0] <= numbers[-1] < len(motion)


def test_a_long_shot_holds_a_bounded_number_of_pictures() -> None:
    held = HeldFrames(6)
    refs = []
    for number in range(20_000):
        picture = np.zeros((2, 2, 3), np.uint8)
        refs.append(weakref.ref(picture))
        held.offer(number, lambda picture=picture: picture, jump=False)
        del picture
        if number % 1000 == 0:
            assert sum(ref() is not None for ref in refs) <= HELD_PER_SHOT + 1
    kept = sorted(held.take(20_000))
    assert HELD_PER_SHOT / 2 <= len(kept) <= HELD_PER_SHOT
    assert kept[0] == 0
    assert kept[-1] > 19_000
