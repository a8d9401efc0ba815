"""What backup and restore do with rows: out of one PostgreSQL database and into another."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from backend.errors import Conflict, InputError
from backend.library.models import Movie, Project
from backend.parts import prepare
from backend.resources import Resources
from backend.settings import Settings
from docker import rows
from tests.databases import database

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def two(postgresql: str, tmp_path: Path) -> Iterator[list[Resources]]:
    """Two databases as `selects migrate` leaves them."""
    with database(postgresql) as one, database(postgresql) as other:
        made = [Resources(Settings(home=tmp_path, database={"url": url})) for url in (one, other)]
        for each in made:
            prepare(each)
        yield made
        for each in made:
            each.close()


def film(resources: Resources, title: str) -> int:
    with Session(resources.engine) as session:
        project = session.exec(select(Project.id).order_by(col(Project.id))).first()
        movie = Movie(project_id=project or 0, title=title, path=f"/films/{title}", source="path", size_bytes=1)
        session.add(movie)
        session.commit()
        return movie.id or 0


def titles(resources: Resources) -> list[str]:
    with Session(resources.reading) as session:
        return list(session.exec(select(Movie.title).order_by(col(Movie.id))))


def kept(resources: Resources) -> io.BytesIO:
    file = io.BytesIO()
    with rows.opened(resources.settings) as connection:
        rows.dump(connection, file)
    return file


def test_rows_go_out_and_come_in_and_counting_goes_on(two: list[Resources]) -> None:
    one, other = two
    for title in ("Tab\tand\nline", "\\N", "Größe"):
        last = film(one, title)
    with rows.opened(other.settings) as connection:
        assert rows.load(connection, kept(one)) > 3
    assert titles(other) == titles(one) == ["Tab\tand\nline", "\\N", "Größe"]
    assert film(other, "next") == last + 1


def test_work_is_not_overwritten_unasked(two: list[Resources]) -> None:
    one, other = two
    film(one, "kept")
    film(other, "here")
    file = kept(one)
    with rows.opened(other.settings) as connection:
        with pytest.raises(Conflict, match="--replace"):
            rows.load(connection, file)
        assert titles(other) == ["here"]
        rows.load(connection, file, replace=True)
    assert titles(other) == ["kept"]


def test_half_a_dump_and_one_of_another_version_change_nothing(two: list[Resources]) -> None:
    one, other = two
    file = kept(one)
    with rows.opened(other.settings) as connection:
        with pytest.raises(InputError, match="no dump"):
            rows.load(connection, io.BytesIO(file.getvalue()[:-1000]))
        connection.execute("update alembic_version set version_num = 'older'")
        with pytest.raises(InputError, match="of older"):
            rows.load(connection, file)
        connection.rollback()


def test_the_program_reads_and_writes_files(two: list[Resources], tmp_path: Path) -> None:
    one, other = two
    film(one, "piped")
    for resources, word, streams in ((one, "dump", "stdout"), (other, "load", "stdin")):
        with (tmp_path / "rows.zip").open("wb" if word == "dump" else "rb") as file:
            environment = {"SELECTS_HOME": str(tmp_path), "SELECTS_DATABASE__URL": resources.settings.database_url}
            command = [sys.executable, "docker/rows.py", word]
            subprocess.run(command, cwd=ROOT, env=environment, check=True, **{streams: file})
    assert titles(other) == ["piped"]


def test_sqlite_is_told_to_copy_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="SQLite"):
        rows.opened(Settings(home=tmp_path))


def test_a_database_that_is_away_is_said_in_one_line(tmp_path: Path) -> None:
    environment = {"SELECTS_HOME": str(tmp_path), "SELECTS_DATABASE__URL": "postgresql://nobody@127.0.0.1:9/none"}
    ended = subprocess.run(
        [sys.executable, "docker/rows.py", "dump"], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(b"rows: the database says")
    assert ended.stderr.count(b"\n") == 1
