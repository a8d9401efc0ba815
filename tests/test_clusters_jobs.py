"""Clustering by real workers: with a film that comes in, when somebody asks, and of films of before; and by command."""

from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlmodel import Session, col, select

from backend.clusters.models import ClusterItem
from backend.jobs.models import OPEN, Job, JobStage
from backend.jobs.service import CLUSTERS
from backend.library.models import Movie
from backend.search.copies import vectors_folder
from tests.command import selects, selects_json
from tests.films import make_film
from tests.workers import Works, wait_until

WHOLE = [(shot, True) for shot in range(4)]


@pytest.fixture(scope="module")
def taken_in(house: Works, root: Path) -> int:
    return house.done(house.upload(make_film(root / "placed.mp4", frames=230, cuts=(50, 110, 180)), title="Placed"))


def shots(house: Works, movie: int) -> list[tuple[int, bool]]:
    """What is clustered of a film's shots, and whether it was placed."""
    with Session(house.service.resources.reading) as session:
        of_film = col(ClusterItem.kind) == "scene", col(ClusterItem.movie_id) == movie
        rows = session.exec(select(ClusterItem).where(*of_film).order_by(col(ClusterItem.shot))).all()
        return [(row.shot, row.placed) for row in rows]


def test_a_film_that_comes_in_is_placed(house: Works, taken_in: int) -> None:
    assert shots(house, taken_in) == WHOLE


def test_somebody_asks_for_all_anew(house: Works, taken_in: int) -> None:
    answer = house.client.post("/api/clusters/refresh", params={"project": house.project})
    assert answer.status_code == 202
    assert (answer.json()["kind"], answer.json()["movie_id"]) == (CLUSTERS, None)
    ended = house.ended(answer.json()["id"])
    assert (ended.state, ended.fraction, ended.problem) == ("done", 1.0, "")
    with Session(house.service.resources.reading) as session:
        stages = session.exec(select(JobStage.stage).where(col(JobStage.job_id) == ended.id)).all()
    assert sorted(stages) == ["clusters character", "clusters scene"]
    assert shots(house, taken_in) == WHOLE


def test_films_of_before_are_placed_by_themselves(house: Works, taken_in: int) -> None:
    def own() -> dict[str, str]:
        """The jobs that nobody asked for and their states; other tests use this house, too."""
        with Session(house.service.resources.reading) as session:
            made = session.exec(select(Job).where(col(Job.kind) == CLUSTERS, col(Job.created_by) == "selects")).all()
            return {job.id: job.state for job in made}

    before = {job for job, state in own().items() if state not in OPEN}
    with house.service.session() as session:
        session.execute(delete(ClusterItem).where(col(ClusterItem.movie_id) == taken_in))
        session.commit()
    wait_until(lambda: shots(house, taken_in) == WHOLE, why=house.logs)
    wait_until(lambda: {state for job, state in own().items() if job not in before} == {"done"}, why=house.logs)


def test_commands(house: Works, taken_in: int, tmp_path: Path) -> None:
    house_of = {"home": house.home, **house.settings}
    own = ("--project", str(house.project))
    done = selects("clusters", "refresh", *own, **house_of)
    assert done.returncode == 0, done.stderr
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == ["scene:", "character:"]
    listed = selects_json("clusters", "list", *own, **house_of)
    assert set(listed) == {"scene", "character"}
    out = tmp_path / "pairs.jsonl"
    assert selects("clusters", "feedback", "--out", out, *own, **house_of).returncode == 0
    assert out.read_text() == ""
    wrong = selects("clusters", "list", "--kind", "kitchen", **house_of)
    assert (wrong.returncode, "Unknown kind 'kitchen'" in wrong.stderr) == (2, True)


def test_what_goes_wrong_beside_a_command_is_said_on_standard_error(house: Works, taken_in: int) -> None:
    with house.service.session() as session:
        sha256 = session.get_one(Movie, taken_in).sha256 or ""
    lost = [house.home / "features" / sha256, *vectors_folder(house.home).glob(f"*/{sha256}-*.npy")]
    away = [path.rename(path.with_name(f"away-{path.name}")) for path in lost]
    try:
        own = ("--project", str(house.project), "--kind", "scene")
        done = selects("clusters", "refresh", *own, home=house.home, **house.settings)
    finally:
        for now, path in zip(away, lost, strict=True):
            now.rename(path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "the shots of a film lie in no place" in done.stderr
