"""Windows, pooling, suppression and the slate, against brute force."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InputError
from backend.features.schema import Block, FeatureSchema
from backend.media.timeline import Timeline
from backend.scoring.candidates import candidates, excluded
from backend.scoring.film import ScoringFilm
from backend.scoring.scenes import scene_of_window
from backend.scoring.slate import choose, cuts_speech, overlap, preference
from backend.scoring.windows import Windows, pool, segments, windows

RATES = [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(10)]
SCHEMA = FeatureSchema("tiny", 1, (Block("visual", 4, "none"), Block("audio", 2, "none")))


def make_film(
    lengths: list[int], rate: Fraction = Fraction(24), scenes: list[int] | None = None, **given_
) -> ScoringFilm:
    """A film of shots with so many frames each; vectors count the shots."""
    ends = np.cumsum(np.array(lengths, np.int64))
    timeline = Timeline(rate, int(ends[-1]) if len(ends) else 0)
    vectors = np.arange(len(lengths) * SCHEMA.dimension, dtype=np.float32).reshape(-1, SCHEMA.dimension)
    values = {"signals": {}, "shot_signals": {}, **given_}
    return ScoringFilm(
        shots=np.stack([ends - lengths, ends], axis=1).reshape(-1, 2).astype(np.int64),
        seconds_of=timeline.seconds_of,
        frame_at=timeline.frame_at,
        scene_starts=np.array(scenes or [0], np.int64),
        schema=SCHEMA,
        vectors=vectors,
        **values,
    )


shot_lists = st.lists(st.integers(1, 900), min_size=1, max_size=30)


@given(shot_lists, st.sampled_from(RATES), st.floats(1, 40), st.floats(0, 60))
def test_windows_are_all_runs_of_shots_within_the_limits_and_no_others(lengths, rate, min_s, room_s):
    film = make_film(lengths, rate)
    max_s = min_s + room_s
    parts = segments(film, min_s, max_s)
    found = windows(parts, min_s, max_s)
    bounds = [*parts.start_frame.tolist(), int(parts.end_frame[-1])]
    expected = {
        (a, b)
        for i, a in enumerate(bounds)
        for b in bounds[i + 1 :]
        if Fraction(min_s) - Fraction(1, 10**6) <= Fraction(b - a) / rate <= Fraction(max_s) + Fraction(1, 10**6)
    }
    assert set(zip(found.start_frame.tolist(), found.end_frame.tolist(), strict=True)) == expected
    assert len(found) == len(expected)
    assert set(film.shots[:, 0]) <= set(parts.start_frame)
    assert np.all(parts.end_frame > parts.start_frame)
    assert np.array_equal(parts.start_frame[1:], parts.end_frame[:-1])
    inner = np.isin(parts.start_frame, film.shots[:, 0], invert=True)
    too_long = film.seconds_of(film.shots[parts.shot, 1]) - film.seconds_of(film.shots[parts.shot, 0]) > max_s
    assert not np.any(inner & ~too_long), "only a shot longer than the maximum has inner ends"


@given(shot_lists, st.sampled_from(RATES), st.integers(0, 2**32 - 1))
def test_pooling_equals_the_weighted_mean_of_each_run(lengths, rate, seed):
    film = make_film(lengths, rate)
    parts = segments(film, 2, 30)
    found = windows(parts, 2, 30)
    vectors = np.random.default_rng(seed).normal(100, 3, (len(parts), 5)).astype(np.float32)
    pooled = pool(vectors, parts.durations_s, found)
    for row, first, last in zip(pooled, found.first, found.last, strict=True):
        mean = np.average(vectors[first:last].astype(np.float64), axis=0, weights=parts.durations_s[first:last])
        np.testing.assert_allclose(row, mean, rtol=1e-9)


def random_windows(lengths, seed):
    film = make_film(lengths)
    found = windows(segments(film, 2, 30), 2, 30)
    return film, found, np.random.default_rng(seed).random(len(found))


@given(shot_lists, st.integers(0, 2**32 - 1), st.integers(1, 8), st.sampled_from([0.0, 0.2, 0.5]))
def test_the_slate_keeps_the_best_and_nothing_that_overlaps_it(lengths, seed, top_n, limit):
    _, found, scores = random_windows(lengths, seed)
    chosen = choose(found, scores, np.zeros(len(found), np.int64), top_n, limit, per_scene=top_n)
    assert len(chosen) <= top_n
    if len(found):
        assert chosen[0] == np.argmax(scores)
    for i, one in enumerate(chosen):
        rest = chosen[i + 1 :]
        shared = overlap(found.start_s[rest], found.end_s[rest], found.start_s[one], found.end_s[one])
        assert np.all(shared <= limit)
    if len(chosen) < top_n:
        covered = np.zeros(len(found), bool)
        for one in chosen:
            covered |= overlap(found.start_s, found.end_s, found.start_s[one], found.end_s[one]) > limit
        assert covered.all(), "a slate is short only where nothing else is left"


@given(shot_lists, st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_no_scene_gives_more_than_its_share(lengths, seed, share):
    film = make_film(lengths, scenes=sorted({0, len(lengths) // 3, 2 * len(lengths) // 3}))
    found = windows(segments(film, 2, 30), 2, 30)
    scenes = scene_of_window(film, found)
    chosen = choose(found, np.random.default_rng(seed).random(len(found)), scenes, 20, 0.2, share)
    assert np.all(np.bincount(scenes[chosen], minlength=1) <= share)


def test_a_film_of_one_scene_still_fills_its_slate():
    film = make_film([48] * 120)
    found = windows(segments(film, 20, 30), 20, 30)
    chosen = choose(found, np.ones(len(found)), scene_of_window(film, found), 5)
    assert len(chosen) == 5


def test_one_take_is_cut_at_its_pauses():
    film = make_film([24 * 600], pauses_s=np.array([50.0, 130.0, 131.0, 200.0, 590.0]))
    pick = candidates(film, 60, 120)
    assert len(pick.windows)
    marks = set(np.round(pick.segments.start_s, 3)) | {600.0}
    assert {50.0, 130.0, 200.0, 590.0} <= marks
    assert 131.0 not in marks, "two ends a second apart are one too many"
    assert pick.segments.durations_s.max() <= 30.001
    assert pick.windows.durations_s.min() >= 60
    assert pick.windows.durations_s.max() <= 120


@pytest.mark.parametrize(("min_s", "max_s"), [(60, 120), (30, 60), (90, 150), (20, 21), (60, 60)])
def test_one_take_without_a_pause_is_cut_evenly(min_s, max_s):
    pick = candidates(make_film([24 * 900]), min_s, max_s)
    assert len(pick.windows) >= 5
    assert pick.notes == ()
    assert np.all((pick.windows.durations_s >= min_s - 1e-6) & (pick.windows.durations_s <= max_s + 1e-6))


def test_a_short_film_gives_shorter_windows_and_says_so():
    pick = candidates(make_film([200, 300, 100, 192]), 60, 120)
    assert pick.shortened
    assert "33.0 s" in pick.notes[0]
    assert pick.windows.durations_s.max() == 33
    assert pick.windows.durations_s.min() >= 16.5


def test_one_frame_is_a_window():
    pick = candidates(make_film([1]), 60, 120)
    assert (pick.windows.start_frame.tolist(), pick.windows.end_frame.tolist()) == ([0], [1])


def test_limits_that_no_run_of_shots_meets_are_relaxed_with_a_note():
    pick = candidates(make_film([24 * 40] * 6), 60, 65)
    assert set(pick.windows.durations_s) == {40.0}
    assert "60 to 65 s" in pick.notes[0]


def touches(found: Windows, start: float, end: float) -> np.ndarray:
    return (found.start_s < end - 0.05) & (found.end_s > start + 0.05)


@pytest.mark.parametrize("kind", ["black", "logo", "credits", "bars", "tone"])
def test_excluded_material_is_in_no_window(kind):
    film = make_film([240] * 60, bands_s={kind: np.array([[0.0, 12.0], [300.0, 305.0]])})
    pick = candidates(film, 60, 120)
    assert len(pick.windows)
    assert not touches(pick.windows, 0, 12).any()
    assert not touches(pick.windows, 300, 305).any()
    assert np.any(pick.windows.end_s == 300), "a window may end where excluded material begins with a cut"


def test_a_fade_through_black_is_no_excluded_material():
    film = make_film([240] * 60, bands_s={"black": np.array([[299.7, 300.3]])})
    assert touches(candidates(film, 60, 120).windows, 299.7, 300.3).any()


def test_bands_in_disorder_are_merged():
    film = make_film([240] * 9, bands_s={"logo": np.array([[5.0, 9.0], [0.0, 2.0]]), "tone": np.array([[1.0, 6.0]])})
    assert excluded(film).tolist() == [[0.0, 9.0]]


def test_a_take_that_starts_black_is_cut_where_the_picture_begins():
    pick = candidates(make_film([24 * 100], bands_s={"black": np.array([[0.0, 10.0]])}), 60, 120)
    assert pick.windows.start_s.tolist() == [10.0]
    assert pick.windows.end_s.tolist() == [100.0]


def test_nothing_but_black_gives_no_window_and_a_note():
    pick = candidates(make_film([24 * 100] * 3, bands_s={"black": np.array([[0.0, 300.0]])}), 60, 120)
    assert len(pick.windows) == 0
    assert "black" in pick.notes[0]


@given(st.floats(0, 99), shot_lists)
def test_the_skipped_end_stays_secret(percent, lengths):
    film = make_film(lengths)
    pick = candidates(film, 5, 20, percent)
    assert np.all(pick.windows.end_s <= film.duration_s * (1 - percent / 100) + 1e-6)


@pytest.mark.parametrize(
    ("lengths", "percent", "shortest_s"), [([24 * 600], 99.9, 0), ([6] * 2400, 99.9, 0), ([24 * 600], 99.5, 3)]
)
def test_a_clip_has_two_seconds_or_there_is_none(lengths, percent, shortest_s):
    pick = candidates(make_film(lengths), 60, 120, percent)
    assert pick.windows.durations_s.min(initial=np.inf) == (shortest_s or np.inf)
    said = f"Without its last {percent} % the film lasts 3.0 s" if shortest_s else "No stretch of 2 s or more is left"
    assert pick.notes[0].startswith(said)
    assert f"{percent} %" in pick.notes[0]


def test_a_clip_may_be_as_short_as_asked_for():
    assert set(candidates(make_film([12] * 10), 0.5, 0.5).windows.durations_s) == {0.5}


@pytest.mark.parametrize("limits", [(0, 10), (-1, 5), (20, 10), (float("nan"), 10), (5, float("inf"))])
def test_impossible_limits_are_refused(limits):
    with pytest.raises(InputError):
        candidates(make_film([100]), *limits)


@pytest.mark.parametrize("percent", [-1, 100, float("nan")])
def test_an_impossible_part_to_skip_is_refused(percent):
    with pytest.raises(InputError):
        candidates(make_film([100]), 1, 2, percent)


def test_ends_inside_a_line_are_found():
    film = make_film([240] * 10, speech_s=np.array([[0.0, 10.0], [35.0, 45.0], [49.95, 60.05], [65.0, 100.0]]))
    found = windows(segments(film, 10, 10), 10, 10)
    starts, ends = cuts_speech(film, found)
    assert found.start_s[starts].tolist() == [40, 70, 80, 90], "50 and 60 lie at a line's edge, 0 is the film's start"
    assert found.end_s[ends].tolist() == [40, 70, 80, 90]


def test_a_window_that_cuts_a_line_loses_to_one_that_does_not():
    film = make_film([240] * 10, speech_s=np.array([[15.0, 25.0]]))
    found = windows(segments(film, 30, 30), 30, 30)
    scores = np.where(found.start_s == 20, 1.0, 0.1)
    chosen = choose(found, preference(film, found, scores), np.zeros(len(found), np.int64), 1)
    assert found.start_s[chosen[0]] != 20


def test_ends_move_to_a_scene_edge_where_that_costs_little():
    film = make_film([240] * 30, scenes=[0, 9, 16])
    found = windows(segments(film, 60, 70), 60, 70)
    scores = np.where((found.start_s == 80) & (found.end_s == 150), 0.52, 0.5)
    cheap = choose(found, preference(film, found, scores), np.zeros(len(found), np.int64), 1)[0]
    assert (found.start_s[cheap], found.end_s[cheap]) == (90, 160)
    dear = choose(found, preference(film, found, scores + (scores > 0.5)), np.zeros(len(found), np.int64), 1)[0]
    assert (found.start_s[dear], found.end_s[dear]) == (80, 150)


def test_a_strobe_does_not_fill_the_memory():
    film = make_film([3] * 10_000)
    pick = candidates(film, 60, 120)
    assert 200_000 < len(pick.windows) <= 1_000_000
    assert pick.windows.durations_s.min() >= 60
    assert pick.windows.durations_s.max() <= 120
    assert "so many cuts" in pick.notes[0]
    assert set(pick.windows.end_frame) <= set(film.shots[:, 1])
