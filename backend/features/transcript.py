"""What is said in a film without subtitles: lines with their times, from its sound and the intervals of speech.

Speech recognition needs to be told where speech is: of music it makes sentences. What it makes nevertheless is dropped
by `believable`. The rules and their measure: docs/decisions/0010-words.md.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backend.features.moonshine import SAMPLE_RATE_HZ, Floats, Recognised, SpeechRecogniser

JOIN_S, LINE_S = 1.0, 8.0
"""Intervals with a shorter pause between them are one line, as long as that is no longer than LINE_S."""

LONGEST_S = 16.0
"""Speech without a pause is cut, where it is most quiet, before it gets longer than this."""

PAD_S = 0.3
LEAST_LOG_PROBABILITY = -0.55
REPEATS, REPEATED_WORDS = 3, 6
LONG_PHRASE, LONG_REPEATS = 8, 2
INVENTED = frozenset({"you", "thank you for watching", "thanks for watching"})
LAST_LATIN = "ɏ"
NOISES = frozenset({"ah", "eh", "hm", "hmm", "huh", "mhm", "mm", "oh", "uh", "um"})
"""What it likes to say of music and noise; nobody looks for a line of nothing else."""

Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class SpokenLine:
    """One line: when it is said (seconds from the first sample) and what was understood."""

    start_s: float
    end_s: float
    text: str


def transcribe(
    blocks: Iterable[Floats],
    speech_s: NDArray[np.float64],
    recogniser: SpeechRecogniser,
    *,
    progress: Progress = lambda done_s, total_s: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[SpokenLine]:
    """Lines in order of time. English only: of another language it makes English nonsense.

    blocks    mono float32 at 16 kHz, from second 0 on, of any lengths; read no further than the last interval, and
              never more than a line of them held
    speech_s  intervals in which somebody speaks, float64 [K, 2] seconds (speech.SpeechDetector)
    progress  is told seconds read and seconds to read, every second or so, also where nobody speaks
    stop      asked at every block; where it says yes, the lines so far are given and must not be kept as the whole
    """
    spans, lines = line_spans(speech_s), list[SpokenLine]()
    sound = _Sound(_watched(blocks, spans[-1][1] if spans else 0.0, progress, stop))
    for span, (first_s, last_s) in zip(spans, _padded(spans), strict=True):
        at_s = first_s
        while at_s < last_s:
            heard = sound.read(at_s, min(last_s, at_s + LONGEST_S))
            if stop():
                return lines
            if last_s - at_s > LONGEST_S:
                heard = heard[: quietest(heard)]
            end_s = at_s + len(heard) / SAMPLE_RATE_HZ
            recognised = recogniser.recognise(heard)
            if believable(recognised):
                lines.append(SpokenLine(max(at_s, span[0]), min(end_s, span[1]), recognised.text))
            # Where the film ends before its speech does, nothing more will come.
            at_s = end_s if len(heard) else last_s
    return lines


def _watched(
    blocks: Iterable[Floats], total_s: float, progress: Progress, stop: Callable[[], bool]
) -> Iterator[Floats]:
    """The same blocks, counted; they end where `stop` says so."""
    read, told = 0, 0
    for block in blocks:
        if stop():
            return
        read += len(block)
        if read - told >= SAMPLE_RATE_HZ:
            progress(min(read / SAMPLE_RATE_HZ, total_s), total_s)
            told = read
        yield block


def line_spans(speech_s: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Intervals of speech joined to lines, seconds."""
    spans: list[tuple[float, float]] = []
    for start, end in speech_s.tolist():
        if spans and start - spans[-1][1] <= JOIN_S and end - spans[-1][0] <= LINE_S:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _padded(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """With a little silence on both sides, up to the middle of the pause."""
    befores = [0.0, *((end + start) / 2 for (_, end), (start, _) in pairwise(spans))]
    afters = [*befores[1:], float("inf")]
    around = zip(spans, befores, afters, strict=False)
    return [(max(start - PAD_S, before), min(end + PAD_S, after)) for (start, end), before, after in around]


def quietest(samples: Floats) -> int:
    """The middle of the most quiet tenth of a second in the second half of the samples."""
    step, width = SAMPLE_RATE_HZ // 50, 5
    half = len(samples) // 2
    power = np.square(samples[half:]).astype(np.float64)
    steps = power[: len(power) // step * step].reshape(-1, step).sum(1)
    if len(steps) < width:
        return len(samples)
    return half + step * int(np.convolve(steps, np.ones(width), "valid").argmin()) + step * width // 2


def believable(found: Recognised) -> bool:
    """Whether this is more likely said than made up: certain, Latin words, an end, no phrase again and again."""
    words = "".join(c if c.isalnum() or c == "'" else " " for c in found.text.lower()).split()
    if not (found.ended and words and found.log_probability >= LEAST_LOG_PROBABILITY):
        return False
    caption = found.text.startswith(("♪", "©")) or " ".join(words) in INVENTED
    foreign = any(letter.isalpha() and letter > LAST_LATIN for letter in found.text)
    return not (caption or foreign or NOISES.issuperset(words) or _repeats(words))


def _repeats(words: list[str]) -> bool:
    """Whether a phrase comes three times and more in a row, six words and more in all, or one of eight words twice."""
    for length in range(1, len(words) // 2 + 1):
        times = LONG_REPEATS if length >= LONG_PHRASE else max(REPEATS, -(-REPEATED_WORDS // length))
        run = 0
        for word, later in zip(words, words[length:], strict=False):
            run = run + 1 if word == later else 0
            if run >= (times - 1) * length:
                return True
    return False


class _Sound:
    """Reads stretches of a stream in order; holds no more than one stretch."""

    def __init__(self, blocks: Iterable[Floats]) -> None:
        self._blocks = iter(blocks)
        self._held: deque[Floats] = deque()
        self._start = self._end = 0

    def read(self, first_s: float, last_s: float) -> Floats:
        """Samples from first_s to last_s; fewer where the stream ends. first_s never falls."""
        first, last = round(first_s * SAMPLE_RATE_HZ), round(last_s * SAMPLE_RATE_HZ)
        self._forget(first)
        while self._end < last and (block := next(self._blocks, None)) is not None:
            self._held.append(block)
            self._end += len(block)
            self._forget(first)
        joined = np.concatenate([np.zeros(0, np.float32), *self._held])
        self._held = deque([joined])
        return joined[: max(last - self._start, 0)]

    def _forget(self, first: int) -> None:
        while self._held and self._start + len(self._held[0]) <= first:
            self._start += len(self._held.popleft())
        if self._held and self._start < first:
            self._held[0] = self._held[0][first - self._start :]
            self._start = first
