"""What the priors say of windows that somebody labelled: the same as in a ranking, and it stands in the snapshot."""

from pathlib import Path

import numpy as np
import pytest
from sqlmodel import col, select

from backend.library.models import Candidate
from backend.scoring.film import ScoringFilm
from backend.scoring.labelled import prior_scores
from backend.scoring.rank import RankRequest, rank
from tests.test_scoring import FILMS, make_film
from tests.workers import Works
from trainer.material.labels import freeze
from trainer.snapshot import read_snapshot

LIMITS = RankRequest()


@pytest.mark.parametrize("film", FILMS.values(), ids=FILMS.keys())
def test_a_window_of_the_ranking_has_the_score_that_it_has_there(film: ScoringFilm) -> None:
    ranking = rank(film, LIMITS)
    windows = np.stack([ranking.windows.start_frame, ranking.windows.end_frame], axis=1)
    found = prior_scores(film, windows, LIMITS.min_s, LIMITS.max_s)
    for name in ("viral", "compelling"):
        np.testing.assert_allclose(found[name], ranking.scores[name], atol=1e-9)


def test_ends_may_lie_anywhere_and_what_is_no_window_of_the_film_has_no_score() -> None:
    film = make_film()
    whole = (144 * 10, 144 * 22)
    near = (whole[0] + 1, whole[1] - 1)
    windows = np.array([whole, near, (7, 100), (-5, 1500), (14_000, 14_401), (50, 50)], np.int64)
    found = prior_scores(film, windows, LIMITS.min_s, LIMITS.max_s)["compelling"]
    assert np.isfinite(found[:3]).all()
    assert np.isnan(found[3:]).all()
    assert found[1] == pytest.approx(found[0], abs=0.05)
    alone = prior_scores(film, windows[2:3], LIMITS.min_s, LIMITS.max_s)["compelling"]
    assert alone[0] == found[2], "what else is asked about changes nothing"


def test_it_stands_in_the_snapshot(house: Works, films: Path) -> None:
    # What was decided of a film outlives it: not in the project of other tests.
    project = house.client.post("/api/projects", json={"name": "Labelled"}).json()["id"]
    movie = house.done(house.upload(films / "sintel_trailer_204p.mp4", title="Labelled", project=str(project)))
    with house.service.session() as session:
        wanted = select(Candidate).where(col(Candidate.movie_id) == movie).order_by(col(Candidate.id))
        clip = session.exec(wanted).first()
        assert clip is not None
        said = {"candidate": clip.id, "verdict": "approve", "key": "labelled"}
    answer = house.client.post("/api/decisions", json=said)
    assert answer.status_code == 201, answer.text
    found = read_snapshot(freeze(house.service.resources, project).folder)
    assert found.prior.tolist() == pytest.approx([clip.compelling], abs=1e-5)
    assert found.viral_prior.tolist() == pytest.approx([clip.viral], abs=1e-5)
    assert house.client.delete(f"/api/movies/{movie}").status_code == 204
