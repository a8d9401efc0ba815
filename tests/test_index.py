"""Vectors go into the index whole or not at all, the same each time, and out of it without a trace."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.errors import NotFound, Stopped
from backend.features.dialogue import Dialogue
from backend.features.efficientnet import EfficientNetLite0
from backend.features.store import FeatureStore
from backend.library.models import DialogueLine, Movie
from backend.members.service import Principal
from backend.resources import Resources
from backend.search.chroma_check import faults_of
from backend.search.copies import FilmKey, copies, parse_id, read_copy
from backend.search.doctor import examine
from backend.search.filters import EVERYTHING, Filters, searchable
from backend.search.index import index_movie
from backend.search.missing import without_vectors
from backend.search.models import IndexedFilm, VectorCollection
from backend.search.removal import remove_vectors
from backend.search.service import Example, Scope, similar
from backend.search.spaces import SPACES
from tests.service import Service, running
from tests.vectors import Server, Stock, add_film, filled, new_home, new_server, set_state

LOOK = SPACES["efficientnet"]
EVERYBODY = Principal(0, "all", superuser=True)


@pytest.fixture
def service(database_url: str, chroma: Server, stock: Stock, tmp_path: Path) -> Iterator[Service]:
    with running(new_home(tmp_path, stock), database_url, vectors=chroma.section) as made:
        yield made


def state_of(resources: Resources) -> tuple[list[tuple[object, ...]], dict[str, bytes], dict[str, list[str]]]:
    """Rows of the index but for stamps, the bytes of all copies, and the ids in Chroma."""
    with Session(resources.engine) as session:
        rows = session.exec(select(IndexedFilm).order_by(col(IndexedFilm.movie_id), col(IndexedFilm.space))).all()
        named = session.exec(select(VectorCollection)).all()
    said = [(row.movie_id, row.space, row.version, row.sha256, row.inputs, row.scan_key, row.rows) for row in rows]
    files = {str(path): path.read_bytes() for _, path in copies(resources.home)}
    return said, files, {row.space: sorted(resources.chroma.ids(row.name)) for row in named}


def found_films(resources: Resources) -> list[int]:
    with Session(resources.reading) as session:
        return [ref.movie_id for ref in searchable(session, LOOK, EVERYTHING, Filters())]


def test_a_film_is_indexed_as_its_feature_files_say(service: Service, stock: Stock) -> None:
    resources, project = service.resources, service.project()
    movie_id = add_film(resources, stock, "sintel", project)
    with service.session() as session:
        movie = session.get(Movie, movie_id)
        lines = session.exec(select(DialogueLine).where(col(DialogueLine.movie_id) == movie_id)).all()
        rows = {row.space: row for row in session.exec(select(IndexedFilm)).all()}
    assert movie is not None
    assert set(rows) == {"efficientnet", "labels", "dialogue"}
    assert len({row.stamp for row in rows.values()}) == 1
    inputs = movie.vectors["efficientnet"]
    stored = FeatureStore(resources.home / "features").get(movie.sha256 or "", EfficientNetLite0, inputs=inputs)
    assert stored is not None
    copy = read_copy(resources.home, FilmKey("efficientnet", movie.sha256 or "", inputs), rows["efficientnet"].rows)
    assert copy is not None
    np.testing.assert_allclose(np.linalg.norm(copy, axis=1), 1, atol=1e-5)
    shape = stored.vectors / np.linalg.norm(stored.vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(copy, shape, atol=1e-6)
    assert len(lines) == rows["dialogue"].rows > 0
    ids = state_of(resources)[2]
    assert [parse_id(each)[2] for each in sorted(ids["dialogue"], key=lambda i: parse_id(i)[2])] == list(
        range(len(lines))
    )
    assert examine(resources).problems == ()


def test_again_and_again_is_the_same(service: Service, stock: Stock) -> None:
    resources = service.resources
    ids = filled(service, stock, service.project())
    before = state_of(resources)
    for movie_id in ids.values():
        index_movie(resources, movie_id)
    assert state_of(resources) == before


def test_a_film_counts_only_when_all_of_it_is_there(service: Service, stock: Stock) -> None:
    """Every moment between its rows and the end of its job: it is not found, and it does not disturb others."""
    resources, project = service.resources, service.project()
    whole = add_film(resources, stock, "bunny", project)
    half = add_film(resources, stock, "sintel", project, indexed=False)
    assert found_films(resources) == [whole]

    def refuse(_: Session) -> None:
        raise Stopped("this worker was given up for dead")

    with pytest.raises(Stopped):
        index_movie(resources, half, fence=refuse)
    set_state(resources, half, "ready")  # worse than it can be: said to be ready, vectors written, no row
    assert found_films(resources) == [whole]
    with service.session() as session:
        assert without_vectors(session) == 1
        answer = similar(session, resources, EVERYBODY, Example(whole, shot=3), Scope(limit=500))
        assert {hit.movie_id for hit in answer.items} == {whole}
        with pytest.raises(NotFound):
            similar(session, resources, EVERYBODY, Example(half, shot=3), Scope())
    index_movie(resources, half)
    assert found_films(resources) == [whole, half]
    with service.session() as session:
        assert without_vectors(session) == 0
        session.execute(update(IndexedFilm).where(col(IndexedFilm.movie_id) == half).values(version=0))
        session.commit()
        assert without_vectors(session) == 1, "what an older extractor made is not searched"
    assert found_films(resources) == [whole]
    assert "1 film is ready but not wholly in the index" in str(service.client(service.token()).get("/ready").json())
    index_movie(resources, half)
    assert found_films(resources) == [whole, half]
    set_state(resources, half, "working")
    assert found_films(resources) == [whole]


def test_an_older_analysis_leaves_the_index(service: Service, stock: Stock) -> None:
    """Other shots, other vectors: the film is not found until they are indexed, and the old ones go."""
    resources = service.resources
    movie_id = add_film(resources, stock, "stage", service.project())
    before = state_of(resources)
    with service.session() as session:
        movie = session.get(Movie, movie_id)
        assert movie is not None
        store, sha256 = FeatureStore(resources.home / "features"), movie.sha256 or ""
        known = stock.films["stage"].known
        for name in ("efficientnet", "labels"):
            extractor = stock.films["stage"].request.extractors[name]
            store.put(sha256, extractor, known.features[name], inputs="0123456789abcdef")
        movie.vectors = {**movie.vectors, "efficientnet": "0123456789abcdef", "labels": "0123456789abcdef"}
        movie.scan_key = "another"
        session.add(movie)
        session.commit()
    assert found_films(resources) == []
    index_movie(resources, movie_id)
    assert found_films(resources) == [movie_id]
    rows, files, ids = state_of(resources)
    assert {row[4] for row in rows if row[1] != "dialogue"} == {"0123456789abcdef"}
    assert len(files) == len(before[1])
    assert {parse_id(each)[1] for each in ids["efficientnet"]} == {"0123456789abcdef"}
    assert faults_of(resources, LOOK)[0] == []


def test_a_deleted_film_leaves_nothing_but_what_another_project_needs(service: Service, stock: Stock) -> None:
    resources = service.resources
    here, there = service.project("here"), service.project("there")
    first, second = add_film(resources, stock, "stage", here), add_film(resources, stock, "stage", there)
    other = add_film(resources, stock, "bunny", here)
    before = state_of(resources)
    sha256 = stock.films["stage"].known.sha256
    assert service.client(service.token()).delete(f"/api/movies/{first}").status_code == 204
    assert found_films(resources) == [second, other]
    assert state_of(resources)[1:] == before[1:]
    assert service.client(service.token()).delete(f"/api/movies/{second}").status_code == 204
    _, files, ids = state_of(resources)
    assert not any(sha256 in path for path in files)
    assert not any(parse_id(each)[0] == sha256 for each in ids["efficientnet"] + ids["dialogue"])
    assert examine(resources).problems == ()


def test_a_film_deleted_while_it_is_indexed_is_refused(service: Service, stock: Stock) -> None:
    resources = service.resources
    movie_id = add_film(resources, stock, "stage", service.project(), indexed=False)

    def delete(session: Session) -> None:
        session.delete(session.get(Movie, movie_id))
        session.flush()

    with pytest.raises(NotFound):
        index_movie(resources, movie_id, fence=delete)
    with service.session() as session:
        session.delete(session.get(Movie, movie_id))
        session.commit()
    remove_vectors(resources, stock.films["stage"].known.sha256)
    assert state_of(resources)[1] == {}


def test_without_chroma_nothing_is_said_to_be_indexed_and_copies_stay_as_a_mark(
    database_url: str, stock: Stock, tmp_path: Path
) -> None:
    server = new_server(tmp_path / "chroma")
    server.start()
    with running(new_home(tmp_path, stock), database_url, vectors=server.section) as service:
        resources = service.resources
        kept = add_film(resources, stock, "stage", service.project())
        server.kill()
        late = add_film(resources, stock, "bunny", 1, indexed=False)
        with pytest.raises(Exception, match="does not answer"):
            index_movie(resources, late)
        set_state(resources, late, "ready")
        assert found_films(resources) == [kept]
        assert service.client(service.token()).delete(f"/api/movies/{kept}").status_code == 204
        assert list(copies(resources.home, stock.films["stage"].known.sha256))
        server.start()
        index_movie(resources, late)
        remove_vectors(resources, stock.films["stage"].known.sha256)
        assert examine(resources).problems == ()
        assert found_films(resources) == [late]
    server.kill()


def test_vectors_of_lines_are_kept_as_a_feature_file(service: Service, stock: Stock) -> None:
    resources = service.resources
    movie_id = add_film(resources, stock, "sintel", service.project())
    with service.session() as session:
        row = session.exec(
            select(IndexedFilm).where(col(IndexedFilm.movie_id) == movie_id, col(IndexedFilm.space) == "dialogue")
        ).one()
    stored = FeatureStore(resources.home / "features").get(row.sha256, Dialogue, inputs=row.inputs)
    assert stored is not None
    assert len(stored.vectors) == row.rows


def test_a_damaged_collection_is_made_anew(service: Service, stock: Stock) -> None:
    """One that refuses to be written to (here: it holds vectors of other lengths) does not stop the ingest."""
    resources, project = service.resources, service.project()
    first = add_film(resources, stock, "stage", project)
    with service.session() as session:
        known = session.get(VectorCollection, LOOK.name)
        assert known is not None
        resources.chroma.drop(known.name)
        resources.chroma.create(known.name)
        resources.chroma.upsert(known.name, ["a:b:0"], np.ones((1, 3), np.float32))
    second = add_film(resources, stock, "bunny", project)
    assert found_films(resources) == [first, second]
    assert examine(resources).problems == ()
