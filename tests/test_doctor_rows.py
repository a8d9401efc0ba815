"""The doctor sees rows and stored parts that are not as the analysis left them; another analysis puts them right."""

import dataclasses
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from backend.analysis import rows
from backend.analysis.film import analyse
from backend.analysis.pictures import keyframe_path
from backend.library.models import DialogueLine, Movie, Scene, Shot
from backend.resources import Resources
from backend.search.doctor import examine
from backend.search.index import index_movie
from backend.search.repair import repair
from tests.service import Service, running
from tests.vectors import Server, Stock, add_film, new_home, set_state


@pytest.fixture
def service(database_url: str, chroma: Server, stock: Stock, tmp_path: Path) -> Iterator[Service]:
    with running(new_home(tmp_path, stock), database_url, vectors=chroma.section) as made:
        add_film(made.resources, stock, "stage", made.project())
        with made.session() as session:
            session.execute(update(Movie).values(has_audio=True))
            session.commit()
        yield made


def lose_a_shot(resources: Resources) -> None:
    with Session(resources.engine) as session:
        session.execute(delete(Shot).where(col(Shot.number) == 2))
        session.commit()


def change_a_shot(resources: Resources) -> None:
    with Session(resources.engine) as session:
        session.execute(update(Shot).where(col(Shot.number) == 1).values(end_frame=9999))
        session.commit()


def change_a_scene(resources: Resources) -> None:
    with Session(resources.engine) as session:
        session.execute(update(Scene).values(end_shot=1))
        session.commit()


def lose_a_line(resources: Resources) -> None:
    with Session(resources.engine) as session:
        session.execute(delete(DialogueLine))
        session.commit()


def made_of(resources: Resources, kind: str) -> Path:
    """The folder of the film: what is kept of it, or its features."""
    with Session(resources.reading) as session:
        movie = session.get(Movie, 1)
    assert movie is not None
    return resources.home / kind / (movie.sha256 or "")


def lose_a_picture(resources: Resources) -> None:
    with Session(resources.reading) as session:
        shot = session.exec(select(Shot)).first()
    assert shot is not None
    (scan,) = made_of(resources, "films").glob("scan-*")
    keyframe_path(scan, shot.keyframes[0]).unlink()


def lose_what_was_made(resources: Resources) -> None:
    shutil.rmtree(made_of(resources, "films"))


def lose_the_sound(resources: Resources) -> None:
    (sound,) = made_of(resources, "films").glob("sound-*.npz")
    sound.unlink()


def lose_a_feature(resources: Resources) -> None:
    """One that is not searched."""
    (file,) = made_of(resources, "features").glob("colour*")
    file.unlink()


FAULTS: dict[str, tuple[Callable[[Resources], None], str]] = {
    "lost shot": (lose_a_shot, "its rows of shots are not what was found in it"),
    "changed shot": (change_a_shot, "its rows of shots are not what was found in it"),
    "changed scene": (change_a_scene, "its rows of scenes are not what was found in it"),
    "lost line": (lose_a_line, "its lines are not those that were found in it"),
    "lost picture": (lose_a_picture, "1 of its pictures are gone"),
    "lost folder": (lose_what_was_made, "missing .the scan.; analyse it again"),
    "lost sound": (lose_the_sound, "what is known of its sound is gone"),
    "lost feature": (lose_a_feature, "missing .colour.; analyse it again"),
}


def test_what_an_analysis_puts_right(service: Service, stock: Stock) -> None:
    """Repair leaves it to a person, who has the film analysed again; then all is as it was."""
    resources = service.resources
    film = stock.films["stage"]
    request = dataclasses.replace(film.request, home=resources.home)
    assert examine(resources).problems == ()
    for name, (make, words) in FAULTS.items():
        make(resources)
        report = examine(resources)
        assert [problem.way for problem in report.problems] == ["analyse"], (name, report.problems)
        assert re.search(words, report.problems[0].detail), (name, report.problems)
        assert repair(resources, report)[1].problems == report.problems, name
        known = analyse(request)
        with Session(resources.engine) as session:
            rows.save_analysis(session, 1, request, known)
            session.commit()
        index_movie(resources, 1)
        set_state(resources, 1, "ready")
        assert examine(resources).problems == (), name


def test_rows_that_say_the_same_are_left_alone(service: Service, stock: Stock) -> None:
    film = stock.films["stage"]
    with Session(service.resources.engine) as session:
        rows.save_analysis(session, 1, film.request, film.known)
        assert not session.dirty
        session.commit()
        movie = session.get(Movie, 1)
        assert movie is not None
        assert movie.state == "ready"
        assert session.get(Shot, 1) is not None


def test_a_film_that_is_not_where_it_was(service: Service, tmp_path: Path) -> None:
    with service.session() as session:
        session.execute(update(Movie).values(path=str(tmp_path / "gone.mp4")))
        session.commit()
    (problem,) = examine(service.resources).problems
    assert (problem.way, problem.movie_id) == ("find", 1)
    assert "gone.mp4; put it back, or add it from where it is now." in problem.detail
