"""Speech recognition: the real model on real films, and what is thrown away of what it says."""

import re
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.features import moonshine
from backend.features.moonshine import Recognised, SpeechRecogniser
from backend.features.networks import wheel_file
from backend.features.speech import SpeechDetector
from backend.features.transcript import LONGEST_S, SpokenLine, believable, line_spans, quietest, transcribe
from backend.media.audio import RATE_HZ, read_samples
from backend.media.decode import Damage
from backend.media.probe import probe_film
from backend.media.subtitles import read_dialogue

Samples = NDArray[np.float32]
DICKENS = """It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it
was the season of Darkness, it was the spring of hope, it was the winter of despair, we had everything
before us, we had nothing before us, we were all going direct to Heaven, we were all going direct the
other way in short, the period was so far like the present period, that some of its noisiest authorities
insisted on its being received, for good or for evil, in the superlative degree of comparison only."""


@pytest.fixture(scope="module")
def recogniser() -> SpeechRecogniser:
    return SpeechRecogniser()


def sound_of(path: Path) -> Samples:
    """All samples of a file, as the service reads them."""
    return np.concatenate(list(read_samples(probe_film(path), Damage())))


def speech_of(sound: Samples) -> NDArray[np.float64]:
    detector = SpeechDetector()
    detector.push(sound)
    return detector.intervals()


def pieces(sound: Samples, size: int = 1000) -> Iterator[Samples]:
    yield from (sound[at : at + size] for at in range(0, len(sound), size))


def word_errors(said: str, found: str) -> tuple[int, int]:
    """Substituted, lost and added words, and the words that were said."""
    words, others = (re.findall(r"[a-z']+", text.lower()) for text in (said, found))
    row = np.arange(len(others) + 1)
    for count, word in enumerate(words, 1):
        before, row = row, np.full(len(row), count)
        for k, other in enumerate(others, 1):
            row[k] = min(before[k] + 1, row[k - 1] + 1, before[k - 1] + (word != other))
    return int(row[-1]), len(words)


def text_of(lines: list[SpokenLine]) -> str:
    return " ".join(line.text for line in lines)


# -- real sound ------------------------------------------------------------------------------------------------


def test_a_trailer_is_understood_where_speech_is_heard(films: Path, recogniser: SpeechRecogniser) -> None:
    """The third line of three drowns in music: silero does not hear it (docs/decisions/0010-words.md)."""
    film = films / "sintel_trailer_204p.mp4"
    sound = sound_of(film)
    lines = transcribe(pieces(sound), speech_of(sound), recogniser)
    titles, *subtitles = read_dialogue(probe_film(film))
    assert "Subtitles" in titles.text
    assert len(lines) == 2
    for line, subtitle in zip(lines, subtitles, strict=False):
        assert subtitle.start_s - 1 < line.start_s < line.end_s < subtitle.end_s + 1
    # Seven words of the third line and "gatekeepers" for "Gate Keepers"; the networks are in 8 bits, and what they say
    # may differ by a word from processor to processor.
    errors, words = word_errors(" ".join(line.text for line in subtitles), text_of(lines))
    assert words == 21
    assert errors <= 10


@pytest.mark.parametrize("name", ["big_buck_bunny_360p.mp4", "big_buck_bunny_trailer_360p.webm"])
def test_a_film_without_speech_has_no_lines(name: str, films: Path, recogniser: SpeechRecogniser) -> None:
    sound = sound_of(films / name)
    assert not transcribe(pieces(sound), speech_of(sound), recogniser)


def test_music_given_as_speech_is_hardly_believed(films: Path, recogniser: SpeechRecogniser) -> None:
    """Two minutes of a film without a word; without the rules a third of these would be lines."""
    sound = sound_of(films / "big_buck_bunny_360p.mp4")[: 120 * RATE_HZ]
    found = [recogniser.recognise(part) for part in pieces(sound, 12 * RATE_HZ)]
    assert sum(part.ended and part.log_probability > -0.6 for part in found) >= 2
    assert not any(map(believable, found))


@pytest.fixture(scope="module")
def reading() -> Samples:
    """A clean reading of DICKENS, 44 s, that comes with the model."""
    import soundfile
    import soxr

    sound, rate_hz = soundfile.read(wheel_file("moonshine_voice", "assets/two_cities.wav"), dtype="float32")
    return np.asarray(soxr.resample(sound, rate_hz, RATE_HZ), np.float32)


def test_a_clean_reading_is_understood(reading: Samples, recogniser: SpeechRecogniser) -> None:
    lines = transcribe(pieces(reading), speech_of(reading), recogniser)
    errors, words = word_errors(DICKENS, text_of(lines))
    assert words == 119
    assert errors <= 12
    assert all(before.end_s <= after.start_s for before, after in pairwise(lines))
    assert max(line.end_s - line.start_s for line in lines) < 10


def test_speech_without_a_pause_is_cut_where_it_is_quiet(reading: Samples, recogniser: SpeechRecogniser) -> None:
    lines = transcribe(pieces(reading), np.array([[1.0, 42.0]]), recogniser)
    assert 3 <= len(lines) <= 6
    assert max(line.end_s - line.start_s for line in lines) <= LONGEST_S
    assert word_errors(DICKENS, text_of(lines))[0] <= 12


def test_blocks_may_have_any_size(reading: Samples, recogniser: SpeechRecogniser) -> None:
    speech = speech_of(reading)[:3]
    first, *others = (transcribe(pieces(reading, size), speech, recogniser) for size in (171, 40_000, len(reading)))
    assert first
    assert all(other == first for other in others)


def test_it_says_how_far_it_is_and_stops_when_told(reading: Samples, recogniser: SpeechRecogniser) -> None:
    told: list[tuple[float, float]] = []
    speech = speech_of(reading)
    whole = transcribe(
        pieces(reading), speech, recogniser, progress=lambda done_s, total_s: told.append((done_s, total_s))
    )
    assert told == sorted(told)
    assert {total_s for _, total_s in told} == {float(speech[-1, 1])}
    assert told[-1][0] == pytest.approx(speech[-1, 1], abs=2)
    assert len(told) >= 40, "also in the pauses"
    told.clear()
    some = transcribe(
        pieces(reading),
        speech,
        recogniser,
        progress=lambda done_s, total_s: told.append((done_s, total_s)),
        stop=lambda: len(told) >= 12,
    )
    assert some == whole[:1]


# -- a stream --------------------------------------------------------------------------------------------------


def test_a_long_film_is_not_held_in_memory(recogniser: SpeechRecogniser) -> None:
    """An hour is 230 MB; what comes after the last interval is not even read."""
    read = 0

    def hour() -> Iterator[Samples]:
        nonlocal read
        for _ in range(3600):
            read += 1
            yield np.zeros(RATE_HZ, np.float32)

    tracemalloc.start()
    transcribe(hour(), np.array([[5.0, 6.0], [1800.0, 1900.0]]), recogniser)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == 1901
    assert peak < 20e6


@pytest.mark.parametrize("speech", [[], [[50.0, 60.0]], [[2.0, 60.0]], [[0.0, 0.01]]])
def test_intervals_and_sound_need_not_agree(speech: list[list[float]], recogniser: SpeechRecogniser) -> None:
    sound = np.zeros(3 * RATE_HZ, np.float32)
    assert transcribe(pieces(sound), np.array(speech, np.float64).reshape(-1, 2), recogniser) == []


def test_intervals_join_over_short_pauses() -> None:
    speech = np.array([[1, 2], [2.5, 4], [5, 6], [6.2, 11.9], [12.1, 14], [14.2, 15]], np.float64)
    assert line_spans(speech) == [(1, 6), (6.2, 14), (14.2, 15)]
    assert line_spans(np.zeros((0, 2))) == []


def test_the_quietest_place_is_in_the_gap() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 16 * RATE_HZ).astype(np.float32)
    noise[round(2.0 * RATE_HZ) : round(2.3 * RATE_HZ)] = 0  # too early
    noise[round(11.5 * RATE_HZ) : round(11.7 * RATE_HZ)] *= 0.01
    assert 11.5 < quietest(noise) / RATE_HZ < 11.7


# -- what is thrown away ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm searching for someone.", True),
        ("No! No! No!", True),
        ("It was the best of times, it was the worst of times, it was the age of wisdom", True),
        ("You are late. You are very late.", True),
        ("", False),
        ("...", False),
        ("You", False),
        ("Thank you for watching!", False),
        ("♪ The world is the only way ♪", False),
        ("© transcript Emily Beynon", False),
        ("Mm-Hmm", False),
        ("你们来叫叫叫叫叫叫叫", False),
        ("Cliché, naïve.", True),
        ("Oh, no.", True),
        ("no no no no no no", False),
        ("I'm going to go to the hospital. " * 3, False),
        ("Well, then: " + "I'm going to tell you what I'm going to do. " * 2, False),
    ],
)
def test_what_the_model_likes_to_invent_is_not_believed(text: str, expected: bool) -> None:
    assert believable(Recognised(text, -0.2, ended=True)) is expected


def test_what_is_uncertain_or_has_no_end_is_not_believed() -> None:
    assert not believable(Recognised("I'm searching for someone.", -0.6, ended=True))
    assert not believable(Recognised("I'm searching for someone.", -0.2, ended=False))


def test_the_stamp_names_model_and_release() -> None:
    assert re.fullmatch(r"moonshine-tiny-en-1-[\d.]+", moonshine.stamp())
