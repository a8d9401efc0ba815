"""Films as they are called on disks: whatever their names are, they can be taken in and listed."""

from pathlib import Path

import pytest

from backend.library.models import MovieFacts
from backend.library.places import films_in
from backend.library.service import NewFilm, add_movie
from tests.service import Service


@pytest.mark.parametrize(
    ("name", "title"), [("x" * 250 + ".mp4", "X" + "x" * 199), ("two\nlines\x1b[31m.mp4", "Two lines [31m")]
)
def test_a_film_with_any_name_is_listed(service: Service, name: str, title: str) -> None:
    """`selects ingest` takes files as they are called."""
    film = NewFilm(path=Path("/films") / name, source="path", size_bytes=1, facts=MovieFacts())
    with service.session() as session:
        add_movie(session, service.project(), film, "me")
    answer = service.client(service.token()).get("/api/movies")
    assert answer.status_code == 200, answer.text
    assert [(each["title"], each["file"]) for each in answer.json()["items"]] == [(title, name)]


def test_a_title_that_was_kept_too_long_keeps_nothing_from_being_listed(service: Service) -> None:
    if service.resources.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps none")
    film = NewFilm(path=Path("/films/a.mp4"), source="path", size_bytes=1, facts=MovieFacts())
    with service.session() as session:
        movie, _job, _new = add_movie(session, service.project(), film, "me")
        movie.title = "x" * 250
        session.add(movie)
        session.commit()
    listed = service.client(service.token()).get("/api/movies")
    assert [each["title"] for each in listed.json()["items"]] == ["x" * 200]


def test_a_folder_is_searched_whatever_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "folder.mp4").mkdir()
    for name in ("a.mp4", "below/-b.MKV", "below/.hidden.mp4", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    for name, target in (
        ("self.mp4", "self.mp4"),
        ("nowhere.mp4", "none"),
        ("long.mp4", "x" * 300),
        ("below/up", ".."),
    ):
        (tmp_path / name).symlink_to(target)
    assert films_in(tmp_path) == [tmp_path / "a.mp4", tmp_path / "below" / "-b.MKV"]
