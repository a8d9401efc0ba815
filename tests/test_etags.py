"""What clients may keep: candidates by `ETag` and `If-None-Match`, pictures by an address that is of one film."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.library.places import keyframe_address
from tests.service import Service, running
from tests.world import KEYFRAME, MANUAL, MOVIE, RANKED, SHA256, make_world, secret_of

LIST = f"/api/movies/{MOVIE}/candidates"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Service]:
    (tmp_path / "films").mkdir()
    with running(tmp_path / "home", database_url, media={"roots": [tmp_path / "films"]}) as made:
        make_world(made.resources)
        yield made


def test_what_is_known_is_not_sent_again(world: Service) -> None:
    client = world.client(secret_of("viewer"))
    etag = client.get(LIST).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = client.get(LIST, headers={"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag), known
    for other in ("", '"other"', f"x{etag}", etag.strip('"')):
        assert client.get(LIST, headers={"If-None-Match": other}).status_code == 200, other


def test_every_change_of_the_list_has_another_tag(world: Service) -> None:
    client, seen = world.client(secret_of("admin")), set[str]()

    def changed() -> None:
        found = client.get(LIST)
        assert (found.status_code, found.headers["etag"] in seen) == (200, False)
        seen.add(found.headers["etag"])

    changed()
    said = client.post("/api/decisions", json={"candidate": RANKED, "verdict": "approve", "key": "etags-once"})
    assert said.status_code == 201
    changed()
    assert client.post(f"/api/decisions/{said.json()['id']}/undo").status_code == 201
    changed()
    assert client.delete(f"/api/candidates/{MANUAL}").status_code == 204
    changed()
    assert client.patch(f"/api/movies/{MOVIE}", json={"title": "Called otherwise"}).status_code == 200
    changed()
    assert {each["movie_title"] for each in client.get(LIST).json()["items"]} == {"Called otherwise"}


def test_a_picture_is_kept_only_under_an_address_that_no_other_film_ever_has(world: Service) -> None:
    """SQLite gives the id of the film that was added last, and is deleted, to the next one."""
    client = world.client(secret_of("viewer"))
    shown = keyframe_address(MOVIE, SHA256, KEYFRAME)
    kept = client.get(shown)
    assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
    bare = shown.partition("?")[0]
    for address in (bare, f"{bare}?of=", f"{bare}?of=00000000"):
        asked_again = client.get(address)
        assert (asked_again.status_code, asked_again.headers["cache-control"]) == (200, "private, no-cache")
