"""A film in pieces: what a player asks for to the end of the file is answered by its beginning, and it asks on."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from backend.library.models import Movie
from backend.pieces import PIECE
from tests.curating import add_film
from tests.service import running

LENGTH = 2 * PIECE + 1000


@pytest.fixture
def film(tmp_path: Path, sqlite_template: bytes) -> Iterator[tuple[TestClient, str, bytes]]:
    """Somebody who plays a film, the film's address, and what is in it."""
    path, content = tmp_path / "film.mp4", random.Random(0).randbytes(LENGTH)
    path.write_bytes(content)
    (tmp_path / "selects.db").write_bytes(sqlite_template)
    with running(tmp_path / "home", f"sqlite:///{tmp_path / 'selects.db'}") as service:
        project = service.project()
        with service.session() as session:
            number = add_film(session, project, "Film", 0)
            movie = session.get_one(Movie, number)
            movie.path = str(path)
            session.add(movie)
            session.commit()
        yield service.client(service.token()), f"/api/movies/{number}/media", content


def test_a_player_that_asks_on_has_the_whole_film(film: tuple[TestClient, str, bytes]) -> None:
    client, address, content = film
    found, lengths = b"", []
    while len(found) < LENGTH:
        asked = {"Range": f"bytes={len(found)}-"}
        part = client.get(address, params={"pieces": True}, headers=asked)
        assert part.status_code == 206
        assert part.headers["cache-control"] == "no-store"
        end = len(found) + len(part.content) - 1
        assert part.headers["content-range"] == f"bytes {len(found)}-{end}/{LENGTH}"
        found += part.content
        lengths.append(len(part.content))
    assert found == content
    assert lengths == [PIECE, PIECE, 1000]


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=5-1999999", 5, 2_000_000), ("bytes=-7", LENGTH - 7, LENGTH), ("bytes=0-1", 0, 2)],
    ids=["both-ends", "last", "two"],
)
def test_a_part_with_both_ends_is_that_part(
    film: tuple[TestClient, str, bytes], asked: str, first: int, end: int
) -> None:
    client, address, content = film
    part = client.get(address, params={"pieces": True}, headers={"Range": asked})
    assert (part.status_code, part.content) == (206, content[first:end])


def test_who_does_not_ask_for_pieces_has_the_rest(film: tuple[TestClient, str, bytes]) -> None:
    """A download that goes on where it broke off would take a piece for all that there is."""
    client, address, content = film
    rest = client.get(address, headers={"Range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, content[100:])
    assert client.get(address, params={"pieces": True}).content == content
    beyond = client.get(address, params={"pieces": True}, headers={"Range": f"bytes={LENGTH}-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize("pieces", [True, False], ids=["pieces", "whole"])
def test_a_range_that_cannot_be_read_is_passed_over_and_one_beyond_is_said(
    film: tuple[TestClient, str, bytes], pieces: bool
) -> None:
    client, address, content = film
    for asked in ("bytes=5-2", "bytes=abc", "lines=1-2", "bytes=", "bytes=1-2,", "bytes=--1"):
        whole = client.get(address, params={"pieces": pieces}, headers={"Range": asked})
        assert (whole.status_code, len(whole.content)) == (200, LENGTH), asked
    for asked in (f"bytes={LENGTH}-{LENGTH + 5}", "bytes=" + "9" * 25 + "-", "bytes=-0"):
        beyond = client.get(address, params={"pieces": pieces}, headers={"Range": asked})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{LENGTH}")
        assert beyond.json()["error"] == "NoSuchPart"
    for asked, found in (("bytes=0-" + "9" * 25, content), (" Bytes = 3 - 4 ", content[3:5])):
        part = client.get(address, params={"pieces": pieces}, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, found)
