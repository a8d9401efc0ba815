"""A library of many films: a page of a list costs a page, a draw looks at a part of the films; on both databases."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select

from backend.database import make_engine
from backend.library.models import Candidate, Movie, Project
from backend.library.shown import Wanted, wanted_movies
from labeling.queue.drawing import draw, unasked
from labeling.queue.embeddings import Embeddings
from labeling.queue.models import Queue
from labeling.queue.part import STAY_ROUNDS, part_of
from tests.curating import add_film

GENRES = (["drama"], ["Drama", "war"], ["WAR"], ["Épique"], [])


@pytest.fixture
def films(database_url: str) -> Iterator[Session]:
    """Project 1 with 50 films, ten of each of GENRES."""
    engine = make_engine(database_url)
    with Session(engine) as session:
        session.add(Project(id=1, name="One"))
        session.flush()
        for number in range(50):
            session.add(Movie(project_id=1, path=f"{number}.mp4", title=f"Film {number:02}", genres=GENRES[number % 5]))
        session.commit()
        yield session
    engine.dispose()


def test_a_page_of_films_reads_these_films_alone(films: Session) -> None:
    films.expunge_all()
    read = list[str]()
    listen = (Movie, "load", lambda movie, _context: read.append(movie.title))
    event.listen(*listen)
    try:
        page, total = wanted_movies(films, Wanted(1, sort="title"), limit=5, offset=20)
    finally:
        event.remove(*listen)
    assert total == 50
    assert [movie.title for movie in page] == [f"Film {number}" for number in range(20, 25)]
    assert sorted(read) == [movie.title for movie in page]


@pytest.mark.parametrize(
    ("genre", "remainders"),
    [("drama", {0, 1}), ("DRAMA", {0, 1}), ("war", {1, 2}), ("Épique", {3}), ("western", set()), ("dra", set())],
)
def test_films_of_a_genre_are_counted_and_paged(films: Session, genre: str, remainders: set[int]) -> None:
    wanted = [f"Film {number:02}" for number in range(50) if number % 5 in remainders]
    first, total = wanted_movies(films, Wanted(1, genre=genre, sort="title"), limit=15, offset=0)
    rest, same = wanted_movies(films, Wanted(1, genre=genre, sort="title"), limit=500, offset=15)
    assert (total, same) == (len(wanted), len(wanted))
    assert [movie.title for movie in (*first, *rest)] == wanted


FILMS, CLIPS, MOST = 40, 5, 50
SHARE = MOST / (FILMS * CLIPS)


@pytest.fixture
def clips(database_url: str) -> Iterator[Session]:
    """Project 1 with 40 films of five candidates each."""
    engine = make_engine(database_url)
    with Session(engine) as session:
        session.add(Project(id=1, name="One"))
        session.flush()
        for number in range(FILMS):
            add_film(session, 1, f"Film {number}", CLIPS)
        session.commit()
        yield session
    engine.dispose()


def queue(turn: int, strategy: str = "mix") -> Queue:
    return Queue(project_id=1, strategy=strategy, round=turn * STAY_ROUNDS)


def test_a_draw_looks_at_films_by_lot_and_stays_with_them_for_a_while(clips: Session) -> None:
    first = part_of(clips, queue(0), unasked(), MOST)
    assert first.films is not None
    assert (len(first.films), first.share) == (FILMS * SHARE, SHARE)
    later = Queue(project_id=1, round=STAY_ROUNDS - 1)
    assert part_of(clips, later, unasked(), MOST) == first
    assert part_of(clips, queue(1), unasked(), MOST) != first
    assert part_of(clips, queue(0), unasked(), FILMS * CLIPS).films is None
    met = Counter(film for turn in range(200) for film in part_of(clips, queue(turn), unasked(), MOST).films or ())
    # Each film is as likely as any other: 50 of 200 times, and hardly ever farther than 4 standard deviations away.
    assert len(met) == FILMS
    assert max(abs(count - 200 * SHARE) for count in met.values()) < 4 * np.sqrt(200 * SHARE * (1 - SHARE))


def test_the_chance_of_what_is_drawn_counts_that_its_film_was_looked_at(clips: Session, tmp_path: Path) -> None:
    embeddings, rng = Embeddings(tmp_path, "embedded"), np.random.default_rng(0)
    whole = draw(clips, queue(0, "random"), embeddings, rng)
    part = draw(clips, queue(0, "random"), embeddings, rng, most=MOST)
    assert np.allclose(whole.propensities, len(whole.candidates) / (FILMS * CLIPS))
    assert np.allclose(part.propensities, len(part.candidates) / MOST * SHARE)
    films = clips.exec(select(Candidate.movie_id).where(col(Candidate.id).in_(part.candidates))).all()
    assert set(films) <= set(part_of(clips, queue(0), unasked(), MOST).films or ())
