"""The doctor finds whatever is off, says it in words, and puts it right while searches go on."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete
from sqlmodel import Session, col, select

from backend.clusters.models import ClusterItem
from backend.clusters.placing import refresh
from backend.library.models import Movie
from backend.library.service import delete_movie
from backend.members.service import Principal
from backend.resources import Resources
from backend.search import chroma_check
from backend.search.collections import PREFIX, rebuild
from backend.search.copies import FilmKey, copies, copy_path, write_copy
from backend.search.doctor import Report, examine
from backend.search.filters import EVERYTHING, Filters, searchable
from backend.search.models import IndexedFilm, VectorCollection
from backend.search.nearest import Answer, find_nearest
from backend.search.removal import indexed_rows, remove_vectors
from backend.search.repair import repair
from backend.search.rows import rows_for_search
from backend.search.service import Example, Scope, similar
from backend.search.spaces import SPACES
from tests.command import selects
from tests.service import Service, running
from tests.vectors import Server, Stock, add_film, filled, new_home, new_server

LOOK = SPACES["efficientnet"]
EVERYBODY = Principal(0, "all", superuser=True)


@pytest.fixture
def service(database_url: str, chroma: Server, stock: Stock, tmp_path: Path) -> Iterator[Service]:
    with running(new_home(tmp_path, stock), database_url, vectors=chroma.section) as made:
        filled(made, stock, made.project())
        yield made


def collection(resources: Resources, space: str = "efficientnet") -> str:
    with Session(resources.reading) as session:
        known = session.get(VectorCollection, space)
    assert known is not None
    return known.name


def a_key(resources: Resources, space: str = "efficientnet") -> tuple[FilmKey, int]:
    with Session(resources.reading) as session:
        row = session.exec(
            select(IndexedFilm).where(col(IndexedFilm.space) == space, col(IndexedFilm.rows) > 4)
        ).first()
    assert row is not None
    return FilmKey(space, row.sha256, row.inputs), row.rows


def lose_vectors(resources: Resources) -> None:
    key, rows = a_key(resources)
    resources.chroma.delete(collection(resources), key.ids(rows)[1:3])


def change_vectors(resources: Resources) -> None:
    key, rows = a_key(resources)
    wrong = np.full((1, LOOK.dimension), LOOK.dimension**-0.5, np.float32)
    resources.chroma.upsert(collection(resources), key.ids(rows)[:1], wrong)


def add_strays(resources: Resources) -> None:
    vectors = np.eye(2, LOOK.dimension, dtype=np.float32)
    resources.chroma.upsert(collection(resources), FilmKey("efficientnet", "ab" * 32, "cd" * 8).ids(2), vectors)


def lose_the_collection(resources: Resources) -> None:
    resources.chroma.drop(collection(resources))


def lose_the_name(resources: Resources) -> None:
    with Session(resources.engine) as session:
        session.execute(delete(VectorCollection).where(col(VectorCollection.space) == "dialogue"))
        session.commit()


def lose_a_copy(resources: Resources) -> None:
    copy_path(resources.home, a_key(resources)[0]).unlink()


def change_a_copy(resources: Resources) -> None:
    key, rows = a_key(resources, "labels")
    write_copy(resources.home, key, np.zeros((rows, 1000), np.float32))


def cut_a_copy(resources: Resources) -> None:
    copy_path(resources.home, a_key(resources)[0]).write_bytes(b"\x93NUMPY")


def lose_rows(resources: Resources) -> None:
    with Session(resources.engine) as session:
        session.execute(delete(IndexedFilm).where(col(IndexedFilm.movie_id) == 1, col(IndexedFilm.space) == "labels"))
        session.commit()


def change_the_row(resources: Resources) -> None:
    with Session(resources.engine) as session:
        row = session.exec(select(IndexedFilm)).first()
        assert row is not None
        row.scan_key = "older"
        session.add(row)
        session.commit()


def leave_a_copy(resources: Resources) -> None:
    write_copy(resources.home, FilmKey("efficientnet", "ee" * 32, "0f" * 8), np.zeros((3, 1280), np.float32))


def leave_a_collection(resources: Resources) -> None:
    resources.chroma.create(f"{PREFIX}efficientnet-v1-{int(time.time()) - 7200:x}-abcdef")


def lose_an_item(resources: Resources) -> None:
    refresh(resources, 1, "scene")
    with Session(resources.engine) as session:
        session.delete(session.exec(select(ClusterItem).where(col(ClusterItem.kind) == "scene")).first())
        session.commit()


FAULTS: dict[str, tuple[Callable[[Resources], None], str]] = {
    "lost vectors": (lose_vectors, "2 of .* vectors are missing"),
    "changed vectors": (change_vectors, "1 of .* are not what the feature file says"),
    "strays": (add_strays, "2 vectors that belong to no film"),
    "lost collection": (lose_the_collection, "the vector server has no selects-efficientnet"),
    "lost name": (lose_the_name, "Collection of dialogue: there is none, though films are indexed"),
    "lost copy": (lose_a_copy, "its copy for efficientnet is missing"),
    "changed copy": (change_a_copy, "its copy for labels is not what the feature file says"),
    "cut copy": (cut_a_copy, "its copy for efficientnet is missing or damaged"),
    "lost rows": (lose_rows, "it is not in the index of labels"),
    "changed row": (change_the_row, "is that of an older analysis"),
    "left copy": (leave_a_copy, "Vectors of efficientnet that no film needs"),
    "left collection": (leave_a_collection, "is in use by nothing"),
    "lost item": (lose_an_item, "shots of its films are in no list of places"),
}


def words_of(report: Report) -> str:
    return "\n".join(problem.detail for problem in report.problems)


def test_every_fault_is_found_and_put_right(service: Service) -> None:
    """One after the other in the same library, so that what one repair leaves would be seen by the next."""
    resources = service.resources
    assert words_of(examine(resources)) == ""
    for make, words in FAULTS.values():
        make(resources)
        report = examine(resources)
        assert re.search(words, words_of(report)), f"{words}: {words_of(report)}"
        done, after = repair(resources, report)
        assert len(done) == len(report.problems)
        assert words_of(after) == "", words
    with service.session() as session:
        assert similar(session, resources, EVERYBODY, Example(1, shot=2), Scope(limit=5)).items


def test_an_index_that_counts_right_and_answers_wrong(service: Service) -> None:
    """Made by hand: every id is there, and the vectors of a film are each other's."""
    resources = service.resources
    key, rows = a_key(resources)
    name = collection(resources)
    held = resources.chroma.vectors(name, key.ids(rows))
    turned = np.stack([held[each] for each in reversed(key.ids(rows))])
    resources.chroma.upsert(name, key.ids(rows), turned)
    before = resources.chroma.count(name)
    report = examine(resources)
    assert "are not what the feature file says" in words_of(report)
    assert resources.chroma.count(name) == before
    assert words_of(repair(resources, report)[1]) == ""
    assert collection(resources) != name


def test_a_lost_feature_file_needs_a_person_and_harms_no_other_film(service: Service, stock: Stock) -> None:
    resources = service.resources
    sha256 = stock.films["sintel"].known.sha256
    for file in (resources.home / "features" / sha256).glob("*.parquet"):
        file.write_bytes(b"damaged")
    for _, path in list(copies(resources.home, sha256)):
        path.unlink()
    report = examine(resources)
    assert {problem.way for problem in report.problems} >= {"analyse"}
    assert "'Sintel' (film 1): Stored parts of this film are missing" in words_of(report)
    _, after = repair(resources, report)
    assert {problem.way for problem in after.problems} == {"analyse"}
    with service.session() as session:
        bunny = session.exec(select(Movie.id).where(col(Movie.title) == "Big Buck Bunny")).one()
        answer = similar(session, resources, EVERYBODY, Example(bunny or 0, shot=3), Scope(limit=500))
    assert answer.items
    assert all(hit.movie_title != "Sintel" for hit in answer.items)


def test_searches_go_on_while_a_collection_is_rebuilt(service: Service) -> None:
    """Answers by way of Chroma, the same before, during and after; the old collection goes."""
    resources = service.resources
    key, _ = a_key(resources)
    with Session(resources.reading) as session:
        refs = searchable(session, LOOK, EVERYTHING, Filters())
    hall = resources.gallery.hall(LOOK, refs)
    mask, query = hall.mask(refs, Filters()), hall.films[hall.by_vectors[key.sha256, key.inputs][0]].vectors[0]
    expected = find_nearest(resources, hall, mask, query, 5)
    stop, answers = threading.Event(), list[Answer]()

    def ask() -> None:
        while not stop.is_set():
            answers.append(find_nearest(resources, hall, mask, query, 5, exact_rows=0))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    before = collection(resources)
    for _ in range(3):
        rebuild(resources.engine, resources.chroma, LOOK, lambda key, rows: rows_for_search(resources, key, rows))
        seen = len(answers)
        while len(answers) < seen + 10:
            time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert sum(answer.how == "index" for answer in answers) > len(answers) / 2
    assert {tuple(answer.near.rows.tolist()) for answer in answers} == {tuple(expected.near.rows.tolist())}
    assert collection(resources) != before
    assert before not in resources.chroma.collections()


def test_a_film_that_comes_while_a_collection_is_rebuilt_is_in_it(
    database_url: str, chroma: Server, stock: Stock, tmp_path: Path
) -> None:
    with running(new_home(tmp_path, stock), database_url, vectors=chroma.section) as service:
        resources, project = service.resources, service.project()
        add_film(resources, stock, "stage", project)
        late = list[int]()

        def read(key: FilmKey, rows: int) -> "chroma_check.Floats":
            if not late:
                late.append(add_film(resources, stock, "bunny", project))
            return rows_for_search(resources, key, rows)

        rebuild(resources.engine, resources.chroma, LOOK, read)
        assert late
        assert words_of(examine(resources)) == ""


@pytest.mark.parametrize("stage", ["films", "efficientnet"])
def test_films_that_come_and_go_while_it_looks_are_no_faults(
    database_url: str, chroma: Server, stock: Stock, tmp_path: Path, stage: str
) -> None:
    """A doctor that cries at every ingest is not believed, and its repair would rebuild a sound collection."""
    with running(new_home(tmp_path, stock), database_url, vectors=chroma.section) as service:
        resources, project = service.resources, service.project()
        add_film(resources, stock, "stage", project)
        going, came = add_film(resources, stock, "bunny", project), list[int]()

        def progress(at: str, _done: float, _total: float) -> None:
            if at == stage and not came:
                with service.session() as session:
                    movie = session.get_one(Movie, going)
                    sha256, was = movie.sha256 or "", indexed_rows(session, going)
                    delete_movie(session, resources, movie)
                remove_vectors(resources, sha256, was)
                came.append(add_film(resources, stock, "sintel", project))

        assert words_of(examine(resources, progress)) == ""
        assert came
        add_strays(resources)
        assert "2 vectors that belong to no film" in words_of(examine(resources))


def test_without_chroma_it_says_so_and_compares_the_rest(service: Service, tmp_path: Path) -> None:
    away = new_server(tmp_path / "away")
    settings = service.resources.settings.model_copy(
        update={"vectors": type(service.resources.settings.vectors)(port=away.port)}
    )
    resources = Resources(settings)
    lose_a_copy(resources)
    report = examine(resources)
    assert {problem.way for problem in report.problems} == {"start", "index"}
    assert f"The vector server at http://127.0.0.1:{away.port} does not answer" in words_of(report)
    resources.close()


def test_the_command(stock: Stock, chroma: Server, tmp_path: Path) -> None:
    home = new_home(tmp_path, stock)
    more = {"SELECTS_VECTORS__PORT": str(chroma.port)}
    unready = selects("doctor", home=home, **more)
    assert (unready.returncode, unready.stdout) == (2, "")
    assert "selects migrate" in unready.stderr
    assert selects("migrate", home=home, **more).returncode == 0
    with running(home, f"sqlite:///{home / 'selects.db'}", vectors=chroma.section) as service:
        add_film(service.resources, stock, "stage", service.project())
        fine = selects("doctor", home=home, **more)
        assert (fine.returncode, fine.stderr) == (0, "")
        assert "they agree" in fine.stdout
        lose_a_copy(service.resources)
        off = selects("doctor", "--json", home=home, **more)
        assert off.returncode == 1
        said = json.loads(off.stdout)
        assert not said["ok"]
        assert [each["way"] for each in said["problems"]] == ["index"]
        copy_path(home, a_key(service.resources)[0]).unlink(missing_ok=True)
        mended = selects("doctor", "--repair", home=home, **more)
        assert (mended.returncode, "they agree" in mended.stdout) == (0, True), mended
