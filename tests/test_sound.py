"""The sound of a film: where it lies in time, how loud it is, onsets, speech and music."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.features.speech import SpeechDetector
from backend.media.audio import (
    RATE_HZ,
    SILENCE_DB,
    Samples,
    Sound,
    _whole_seconds,
    analyse_sound,
    read_samples,
    whole_seconds,
)
from backend.media.decode import Damage
from backend.media.probe import probe_film
from tests.films import make_film, run_ffmpeg

CLICKS_S = (2.25, 4.5, 6.1)


def samples_of(path: Path) -> Samples:
    """All samples of a film's sound."""
    return np.concatenate([np.zeros(0, np.float32), *read_samples(probe_film(path), Damage())])


def sine(hertz: float, seconds: float, peak: float) -> Samples:
    """A tone at the rate of the analysis."""
    return (peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def noise(seconds: float, peak: float = 0.3) -> Samples:
    """White noise."""
    return np.random.default_rng(0).uniform(-peak, peak, round(seconds * RATE_HZ)).astype(np.float32)


def heard(*blocks: Samples) -> Sound:
    return analyse_sound(iter(blocks))


def with_sound(path: Path, source: str, seconds: float, *codec: str | int) -> Path:
    """A small film with sound from an ffmpeg source."""
    inputs = ("-f", "lavfi", "-i", "color=s=64x36:r=5", "-f", "lavfi", "-i", source, "-t", seconds)
    run_ffmpeg(*inputs, *(codec or ("-c:a", "pcm_s16le")), path)
    return path


# --- time


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(
    ("delay_s", "start_s"),
    [(0.0, 0.0), (1.5, 0.0), (-0.7, 0.0), (0.0, 3.0), (1.5, 3.0)],
    ids=["together", "sound late", "sound early", "film late", "film and sound late"],
)
def test_clicks_are_heard_where_the_picture_has_them(
    tmp_path: Path, suffix: str, delay_s: float, start_s: float
) -> None:
    """The container's clock, a late or an early sound and the codec's priming do not move a click."""
    film = make_film(
        tmp_path / f"film.{suffix}",
        frames=200,
        size=(64, 36),
        clicks_s=CLICKS_S,
        audio_delay_s=delay_s,
        start_s=start_s,
    )
    samples = samples_of(film)
    loud_s = np.flatnonzero(np.abs(samples) > 0.1) / RATE_HZ
    starts_s = loud_s[np.diff(loud_s, prepend=-1.0) > 0.1]
    np.testing.assert_allclose(starts_s, CLICKS_S, atol=0.003)
    onsets = heard(samples).onsets
    assert set(np.flatnonzero(onsets > 0.3).tolist()) == {2, 4, 6}


def test_a_hole_in_the_sound_is_silence(tmp_path: Path) -> None:
    """Five seconds of tone of which 2 to 4 are missing from the file."""
    film = tmp_path / "film.mkv"
    inputs = ("-f", "lavfi", "-i", "color=s=64x36:r=5:d=5", "-f", "lavfi", "-i", "sine=d=5")
    run_ffmpeg(*inputs, "-af", "aselect='not(between(t,2,4))'", "-c:a", "pcm_s16le", film)
    levels = heard(samples_of(film)).loudness_db
    assert len(levels) == 5
    assert levels[[0, 1, 4]].min() > -30
    assert levels[2:4].max() < -35


def test_other_rates_and_channels_are_heard_alike(tmp_path: Path) -> None:
    told = []
    for rate, layout in ((8000, "mono"), (44100, "stereo"), (48000, "5.1"), (96000, "mono")):
        film = with_sound(
            tmp_path / f"{rate}.mkv", f"sine=f=440:sample_rate={rate},aformat=channel_layouts={layout}", 3
        )
        sound = heard(samples_of(film))
        assert len(sound.loudness_db) == 3
        told.append(int(sound.log_mel[1].argmax()))
    assert max(told) - min(told) <= 1


@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=40))
def test_how_the_sound_is_cut_into_blocks_does_not_matter(sizes: list[int]) -> None:
    whole = np.resize(noise(7.3), sum(sizes))
    pieces = np.split(whole, np.cumsum(sizes)[:-1])
    blocks = list(_whole_seconds(iter(pieces)))
    assert all(len(block) % RATE_HZ == 0 for block in blocks)
    joined = np.concatenate(blocks)
    assert len(joined) == -(-len(whole) // RATE_HZ) * RATE_HZ
    assert np.array_equal(joined[: len(whole)], whole)
    assert not joined[len(whole) :].any()


def test_listeners_hear_every_sample_once() -> None:
    tone, parts = sine(440, 130.0, 0.2), []
    analyse_sound(iter(np.array_split(tone, 999)), parts.append)
    assert np.array_equal(np.concatenate(parts), tone)


def test_minutes_do_not_show_in_the_rows() -> None:
    """Blocks are a minute long: a steady tone is steady across their edges."""
    sound = heard(sine(440, 125.0, 0.2))
    assert len(sound.loudness_db) == 125
    assert np.ptp(sound.loudness_db[1:-1]) < 0.01
    assert np.abs(np.diff(sound.log_mel[1:-1], axis=0)).max() < 0.3
    assert sound.onsets[1:].max() < 0.1


# --- loudness


@pytest.mark.parametrize("peak_db", [-20.0, -6.0, -40.0])
def test_loudness_is_that_of_the_standard(tmp_path: Path, peak_db: float) -> None:
    """ITU-R BS.1770: a 997 Hz sine of 0 dBFS in one channel reads -3.01; its K filter has 0.691 dB there."""
    source = f"aevalsrc='{10 ** (peak_db / 20)}*sin(2*PI*997*t)':s=48000"
    levels = heard(samples_of(with_sound(tmp_path / "film.mkv", source, 4))).loudness_db
    np.testing.assert_allclose(levels, peak_db - 3.01, atol=0.5)


def test_deep_sounds_count_less_and_high_ones_more() -> None:
    """The K filter by its published response: about -9.5 dB at 31.5 Hz, 0 below 1 kHz, +4 above 3 kHz (minus 0.691)."""
    level = {f: float(heard(sine(f, 3, 0.1)).loudness_db[1]) - (-23.01 - 0.691) for f in (31.5, 300, 4000)}
    assert level[31.5] < -6
    assert abs(level[300]) < 0.3
    assert 3.0 < level[4000] < 4.5


def test_silence_is_minus_seventy(tmp_path: Path) -> None:
    sound = heard(samples_of(with_sound(tmp_path / "film.mkv", "anullsrc=r=48000", 3)))
    assert sound.loudness_db.tolist() == [SILENCE_DB] * 3
    assert sound.onsets.tolist() == [0.0] * 3
    assert sound.music.tolist() == [0.0] * 3
    assert sound.tempo_bpm == 0.0
    np.testing.assert_allclose(sound.log_mel, Sound.silence(3).log_mel, atol=1e-3)


# --- rows


@pytest.mark.parametrize("seconds", [0, 2, 5, 9])
def test_sound_is_cut_or_filled_to_the_length_of_the_film(seconds: int) -> None:
    sound = heard(sine(440, 5, 0.2))
    fitted = sound.fitted(seconds)
    rows = (fitted.log_mel, fitted.loudness_db, fitted.onsets, fitted.music)
    assert {len(row) for row in rows} == {seconds}
    assert fitted.tempo_bpm == sound.tempo_bpm
    both = min(seconds, 5)
    assert np.array_equal(fitted.log_mel[:both], sound.log_mel[:both])
    assert np.array_equal(fitted.loudness_db[:both], sound.loudness_db[:both])
    assert fitted.loudness_db[5:].tolist() == [SILENCE_DB] * max(0, seconds - 5)
    assert not fitted.music[5:].any()


def test_no_sound_at_all_has_no_rows() -> None:
    assert len(heard().loudness_db) == 0
    assert heard().log_mel.shape == (0, 128)


@pytest.mark.parametrize(("duration_s", "rows"), [(0.04, 1), (1.0, 1), (1.0000001, 1), (1.01, 2), (596.458, 597)])
def test_a_row_for_each_second_begun(duration_s: float, rows: int) -> None:
    assert whole_seconds(duration_s) == rows


def test_mel_rows_tell_high_from_deep() -> None:
    peaks = [int(heard(sine(f, 2, 0.2)).log_mel[0].argmax()) for f in (100, 400, 1600, 6000)]
    assert peaks == sorted(set(peaks))
    assert peaks[-1] > 100
    assert heard(sine(100, 2, 0.2)).log_mel.shape == (2, 128)


# --- music, beat, speech


def chord(seconds: float) -> Samples:
    return sine(262, seconds, 0.2) + sine(330, seconds, 0.2) + sine(392, seconds, 0.2)


@pytest.mark.parametrize("seconds", [2, 3, 12])
def test_a_chord_is_more_like_music_than_noise_is(seconds: int) -> None:
    music, rush = heard(chord(seconds)).music, heard(noise(seconds)).music
    assert music.min() > 0.45
    assert rush.max() < 0.05
    assert len(music) == seconds


def test_music_is_where_it_plays() -> None:
    sound = heard(np.concatenate([noise(10), chord(10), noise(10)]))
    assert sound.music[12:18].min() > 0.45
    assert max(sound.music[:8].max(), sound.music[22:].max()) < 0.05


@pytest.mark.parametrize("bpm", [90, 120, 150])
def test_the_tempo_of_a_beat_is_found(bpm: int) -> None:
    step, sound = round(60 * RATE_HZ / bpm), np.zeros(20 * RATE_HZ, np.float32)
    for start in range(0, len(sound) - 800, step):
        sound[start : start + 800] = sine(200, 0.05, 0.7)
    assert heard(sound).tempo_bpm == pytest.approx(bpm, rel=0.04)


def test_a_quicker_beat_has_more_onsets() -> None:
    means = []
    for step in (RATE_HZ, RATE_HZ // 4):
        sound = np.zeros(10 * RATE_HZ, np.float32)
        for start in range(0, len(sound), step):
            sound[start : start + 800] = sine(200, 0.05, 0.7)
        means.append(heard(sound).onsets[1:-1].mean())
    assert means[1] > 2 * means[0] > 0


def test_speech_is_heard_where_the_subtitles_are(films: Path) -> None:
    """Sintel's trailer: two lines at 11.25 … 15.5 and 18.8 … 21.8; elsewhere music and the noise of a fight."""
    detector = SpeechDetector()
    analyse_sound(read_samples(probe_film(films / "sintel_trailer_204p.mp4"), Damage()), detector.push)
    found = detector.intervals()
    assert len(found) >= 2
    first, second = (found[(found[:, 1] > a) & (found[:, 0] < b)] for a, b in ((11.25, 15.5), (18.8, 21.8)))
    assert np.diff(first).sum() > 1.5
    assert np.diff(second).sum() > 1.0
    said = np.diff(first).sum() + np.diff(second).sum()
    assert np.diff(found).sum() - said < 4.0


def test_nobody_speaks_in_music_and_noise() -> None:
    for sound in (chord(10), noise(10), np.zeros(10 * RATE_HZ, np.float32)):
        detector = SpeechDetector()
        detector.push(sound)
        assert len(detector.intervals()) == 0


def test_reading_stops_when_told(tmp_path: Path) -> None:
    film = with_sound(tmp_path / "film.mkv", "sine", 20)
    told = itertools.count()
    read = sum(map(len, read_samples(probe_film(film), Damage(), lambda: next(told) > 10)))
    assert 0 < read < 5 * RATE_HZ
