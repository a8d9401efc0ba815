"""Priors, ensemble, explanation and the ranking that joins them."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import InputError
from backend.features.schema import Block, FeatureSchema
from backend.media.signals import SECOND_SIGNALS
from backend.media.timeline import Timeline
from backend.scoring.ensemble import Weights, weights
from backend.scoring.explain import band
from backend.scoring.film import ScoringFilm
from backend.scoring.rank import Ranking, RankRequest, rank
from backend.scoring.registry import SCORERS
from backend.scoring.signals import MEASURES, Stage, measure
from backend.scoring.standard import Integral, robust_z
from backend.scoring.windows import segments, windows

SCHEMA = FeatureSchema("tiny", 1, (Block("visual", 8, "none"), Block("audio", 4, "none")))


def make_film(seconds: int = 600, shot_s: float = 6.0, seed: int = 0, **other) -> ScoringFilm:
    """A film of even shots with lively signals; six scenes."""
    rng = np.random.default_rng(seed)
    timeline = Timeline(Fraction(24), seconds * 24)
    starts = np.arange(0, timeline.frames, max(1, round(shot_s * 24)))
    size = int(np.ceil(timeline.duration_s))
    signals = {name: rng.random(size) for name in SECOND_SIGNALS}
    signals["loudness_db"] = -40 + 20 * rng.random(size)
    values = {
        "shots": np.stack([starts, np.append(starts[1:], timeline.frames)], axis=1),
        "seconds_of": timeline.seconds_of,
        "frame_at": timeline.frame_at,
        "scene_starts": np.unique(np.linspace(0, len(starts), 6, endpoint=False).astype(np.int64)),
        "schema": SCHEMA,
        "vectors": rng.standard_normal((len(starts), SCHEMA.dimension)).astype(np.float32),
        "signals": signals,
        "shot_signals": {
            "face_count": rng.integers(0, 3, len(starts)).astype(float),
            "face_share": rng.random(len(starts)),
        },
    }
    return ScoringFilm(**{**values, **other})


def silent(film: ScoringFilm) -> ScoringFilm:
    size = len(film.signals["light"])
    sound = {"loudness_db": np.full(size, -70.0), **{name: np.zeros(size) for name in ("onsets", "speech", "music")}}
    return dataclasses.replace(film, signals={**film.signals, **sound})


def dead(film: ScoringFilm) -> ScoringFilm:
    """Nothing moves, nothing sounds, all pictures alike."""
    size = len(film.signals["light"])
    signals = {**{name: np.zeros(size) for name in SECOND_SIGNALS}, "loudness_db": np.full(size, -70.0)}
    shots = {name: np.zeros(len(film.shots)) for name in film.shot_signals}
    return dataclasses.replace(film, signals=signals, shot_signals=shots, vectors=np.ones_like(film.vectors))


def unmeasured(film: ScoringFilm) -> ScoringFilm:
    return dataclasses.replace(film, signals={}, shot_signals={})


FILMS = {
    "lively": make_film(),
    "silent": silent(make_film()),
    "dead": dead(make_film()),
    "unmeasured": unmeasured(make_film()),
    "short": make_film(seconds=20),
    "one take": make_film(shot_s=10_000),
    "one frame": make_film(seconds=1, shot_s=1, shots=np.array([[0, 1]]), vectors=np.ones((1, 12), np.float32)),
    "broken values": make_film(
        vectors=np.full((100, 12), np.nan, np.float32), signals={"motion": np.full(600, np.inf)}
    ),
}
every_film = pytest.mark.parametrize("film", FILMS.values(), ids=FILMS)


def check(ranking: Ranking, request: RankRequest) -> None:
    """What holds for every ranking."""
    assert [clip.rank for clip in ranking.clips] == list(range(1, len(ranking.clips) + 1))
    scores = [clip.score for clip in ranking.clips]
    assert scores == sorted(scores, reverse=True)
    for clip in ranking.clips:
        assert 0 <= min(clip.viral, clip.compelling, clip.score) <= max(clip.viral, clip.compelling, clip.score) <= 1
        assert clip.score == request.weights.viral * clip.viral + request.weights.compelling * clip.compelling
        assert clip.band == band(clip.score)
        assert np.isfinite(list(clip.explanation.values())).all()
        assert clip.reasons
        assert all(reason.endswith(".") for reason in clip.reasons)
    for curve in (ranking.curve.viral, ranking.curve.compelling, ranking.curve.score):
        assert np.all(np.isnan(curve) | ((curve >= 0) & (curve <= 1)))


@every_film
def test_every_film_is_ranked(film):
    request = RankRequest(weights=Weights(0.3, 0.7))
    ranking = rank(film, request)
    assert ranking.clips
    assert ranking.model == "prior"
    assert len(ranking.curve.score) == int(np.ceil(film.duration_s))
    check(ranking, request)
    assert rank(film, request).clips == ranking.clips, "the same film gives the same clips"


@settings(max_examples=25)
@given(
    st.integers(30, 700), st.floats(0.5, 90), st.integers(0, 99), st.integers(1, 9), st.floats(0, 1), st.floats(0, 80)
)
def test_any_film_is_ranked(seconds, shot_s, seed, top_n, viral, skip):
    film = make_film(seconds, shot_s, seed)
    request = RankRequest(30, 60, top_n, weights(viral), skip)
    ranking = rank(film, request)
    check(ranking, request)
    assert len(ranking.clips) <= top_n
    for clip in ranking.clips:
        assert clip.end_s <= film.duration_s * (1 - skip / 100) + 1e-6
        assert clip.end_s - clip.start_s <= 60 + 1e-6
        assert clip.end_s - clip.start_s >= 30 - 1e-6 or ranking.notes


@every_film
@pytest.mark.parametrize("name", SCORERS)
def test_a_scorer_gives_every_window_a_score(name, film):
    scorer = SCORERS[name]
    assert scorer.name == name
    assert set(scorer.weights) <= set(MEASURES)
    assert min(scorer.weights.values()) > 0
    assert sum(scorer.weights.values()) == pytest.approx(1)
    parts = segments(film, 1, 120)
    found = windows(parts, 0.01, 120)
    scores = scorer.score(measure(film, parts, found))
    assert scores.shape == (len(found),)
    assert np.all((scores >= 0) & (scores <= 1))


def stage_of(film: ScoringFilm) -> Stage:
    parts = segments(film, 60, 120)
    return Stage(film, parts, windows(parts, 60, 120))


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_does_not_depend_on_the_film_before_and_after(name):
    stage = stage_of(make_film())
    values = MEASURES[name].of(stage)
    assert values.shape == (len(stage.windows),)
    assert np.isfinite(values).all()
    if name not in ("rise", "opening", "energy_range", "variety"):  # these are relative to the film
        later = make_film()
        signals = {key: np.concatenate([value[:300], value[300:][::-1]]) for key, value in later.signals.items()}
        other = MEASURES[name].of(stage_of(dataclasses.replace(later, signals=signals)))
        early = stage.windows.end_s <= 300
        np.testing.assert_allclose(values[early], other[early], atol=1e-9)


def with_signal(name: str, value: float, start: int, end: int) -> ScoringFilm:
    film = dead(make_film())
    raised = film.signals[name].copy()
    raised[start:end] = value
    return dataclasses.replace(film, signals={**film.signals, name: raised})


@pytest.mark.parametrize(
    ("signal", "value", "score", "block", "word"),
    [
        ("loudness_db", -10.0, "viral", "audio", "loud"),
        ("onsets", 1.0, "viral", "audio", "lively sound"),
        ("cuts", 2.0, "viral", "dynamics", "fast cutting"),
        ("motion", 0.5, "viral", "dynamics", "much movement"),
        ("colour", 0.9, "viral", "visual", "strong colours"),
        ("speech", 1.0, "compelling", "dialogue", "much speech"),
    ],
)
def test_what_happens_is_found_named_and_explained(signal, value, score, block, word):
    film = with_signal(signal, value, 300, 360)
    clip = rank(film, RankRequest(top_n=1, weights=weights(**{score: 1.0}))).clips[0]
    assert clip.start_s <= 300
    assert clip.end_s >= 360
    assert word in clip.reasons[0].lower()
    assert "relative" not in clip.reasons[0], "said once, under the table and on the page"
    assert clip.explanation[block] > 0.05
    assert block in list(clip.explanation)[:2], "one of the two blocks it rests on"


@pytest.mark.parametrize(("seconds", "told"), [(6, False), (18, True)])
def test_a_film_with_next_to_no_speech_counts_as_one_without(seconds, told):
    film = with_signal("speech", 1.0, 300, 300 + seconds)
    clip = rank(film, RankRequest(top_n=1, weights=weights(compelling=1.0))).clips[0]
    assert ("speech" in clip.reasons[0].lower()) is told
    assert (clip.explanation["dialogue"] > 0) is told


def test_too_few_clips_are_noted():
    notes = rank(make_film(seconds=130), RankRequest(top_n=5)).notes
    assert any(note.startswith(("Only 1 clip of 5", "Only 2 clips of 5")) for note in notes), notes


def test_close_faces_lift_a_clip():
    film = dead(make_film())
    share = np.where((film.shots[:, 0] >= 300 * 24) & (film.shots[:, 1] <= 372 * 24), 0.3, 0.0)
    faces = {"face_count": (share > 0).astype(float), "face_share": share}
    clip = rank(dataclasses.replace(film, shot_signals=faces), RankRequest(top_n=1)).clips[0]
    assert clip.start_s <= 306 < 366 <= clip.end_s
    assert next(iter(clip.explanation)) == "faces"
    assert "close faces" in clip.reasons[0].lower()


def test_a_quiet_ending_is_said():
    film = make_film(seconds=600)
    energy = np.tile(np.concatenate([np.ones(60), np.zeros(60)]), 5)
    film = dataclasses.replace(dead(film), signals={**dead(film).signals, "motion": energy, "onsets": energy})
    clips = rank(film, RankRequest(min_s=90, max_s=90, top_n=5, weights=weights(1.0))).clips
    loud_first = [clip for clip in clips if clip.start_s % 120 < 20]
    assert loud_first
    explained = rank(film, RankRequest(min_s=90, max_s=90, top_n=5, weights=weights(0.5))).clips
    assert any("quiet ending" in clip.reasons[0] for clip in explained)


def test_constant_signals_say_nothing():
    ranking = rank(FILMS["dead"], RankRequest(weights=weights(1.0)))
    assert {clip.viral for clip in ranking.clips} == {0.5}


def test_what_a_film_lacks_does_not_hold_its_scores_down():
    loud, mute = make_film(), silent(make_film())
    top = [rank(film, RankRequest(weights=weights(1.0))).clips[0].score for film in (loud, mute)]
    assert top[1] > 0.75


@given(st.lists(st.floats(-1e6, 1e6), max_size=50))
def test_robust_z_is_finite_and_bounded(values):
    z = robust_z(np.array(values))
    assert np.isfinite(z).all()
    assert np.all(np.abs(z) <= 3)


def test_integral_means_are_exact_between_seconds_and_at_a_broken_last_second():
    integral = Integral(np.array([1.0, 3.0, 5.0]), 2.5)
    starts, ends = np.array([0.0, 0.5, 2.0, 0.0]), np.array([1.0, 1.5, 2.5, 2.5])
    np.testing.assert_allclose(integral.mean(starts, ends), [1, 2, 5, 2.6])


@pytest.mark.parametrize(
    ("score", "name"),
    [(0.8, "compelling"), (0.79, "good"), (0.6, "good"), (0.4, "medium"), (0.39, "low"), (0.0, "low")],
)
def test_bands(score, name):
    assert band(score) == name


@pytest.mark.parametrize("wrong", [{"top_n": 0}, {"per_scene": 0}, {"min_s": 200}])
def test_impossible_requests_are_refused(wrong):
    with pytest.raises(InputError):
        rank(FILMS["lively"], RankRequest(**wrong))


def test_a_film_without_shots_gives_no_clips():
    film = make_film(
        shots=np.zeros((0, 2), np.int64), vectors=np.zeros((0, 12), np.float32), scene_starts=np.zeros(0, np.int64)
    )
    ranking = rank(film, RankRequest())
    assert (ranking.clips, ranking.notes) == ((), ("The film has no shots.",))


def test_the_curve_is_the_mean_of_the_windows_around_each_second():
    film = make_film(seconds=300, shot_s=7.3, bands_s={"credits": np.array([[250.0, 300.0]])})
    ranking = rank(film, RankRequest())
    found, scores = ranking.windows, ranking.scores["score"]
    for second, value in enumerate(ranking.curve.score):
        holding = (found.start_s < second + 1 - 1e-6) & (found.end_s > second + 1e-6)
        expected = scores[holding].mean() if holding.any() else np.nan
        np.testing.assert_allclose(value, expected, atol=1e-9)
    assert np.isnan(ranking.curve.score[-1])
    assert np.isfinite(ranking.curve.score[:240]).all()
