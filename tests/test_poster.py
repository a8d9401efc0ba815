"""The picture that stands for a film: lit, with a face where the film shows one."""

from dataclasses import replace

import pytest

from backend.analysis.film import Analysis
from backend.analysis.poster import stand_in
from backend.analysis.view import scoring_film
from backend.library.models import Movie
from backend.media.signals import FRAME_SIGNALS
from backend.scoring.rank import RankRequest, rank
from tests.service import Service
from tests.vectors import Stock, add_film

LIT = 0.1


def shown(known: Analysis, frame: int) -> tuple[float, list[float]]:
    """How light a frame is, and the heights of the faces in it."""
    light = float(known.scan.signals[frame, FRAME_SIGNALS.index("light")])
    faces = [face.height for shot in known.features["faces"].faces for face in shot if face.frame == frame]
    return light, faces


@pytest.mark.parametrize("name", ["sintel", "stage"])
def test_a_film_with_people_shows_one(stock: Stock, name: str) -> None:
    """The trailer is dark in most of its keyframes, and in the middle of its only clip."""
    known = stock.films[name].known
    clips = rank(scoring_film(known), RankRequest(min_s=5, max_s=60)).clips
    frame = stand_in(known, clips)
    light, faces = shown(known, frame)
    assert any(frame in shot for shot in known.scan.keyframes)
    assert light > LIT
    assert 0.25 < max(faces) < 0.8


def test_a_film_has_its_picture_before_its_clips_are_ranked(service: Service, stock: Stock) -> None:
    """The library shows it from then on: it is to be one that there is."""
    movie_id = add_film(service.resources, stock, "sintel", service.project(), indexed=False)
    with service.session() as session:
        movie = session.get_one(Movie, movie_id)
        assert movie.picture == stand_in(stock.films["sintel"].known, ())
        assert movie.picture != 0


def test_without_faces_and_clips_it_is_lit_and_no_title(stock: Stock) -> None:
    known = stock.films["bunny"].known
    frame = stand_in(known, ())
    assert shown(known, frame)[0] > LIT
    near = min(known.scan.lettering.tolist(), key=lambda row: abs(row[0] - frame))
    assert near[1] < 0.1


def test_a_film_without_keyframes_has_none(stock: Stock) -> None:
    known = stock.films["stage"].known
    assert stand_in(replace(known, scan=replace(known.scan, keyframes=())), ()) == 0
