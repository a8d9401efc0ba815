"""What the API is sent: a name that it does not know is refused, so that nothing is lost by a slip of the pen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.limits import LARGEST_BYTES
from tests.databases import sqlite_in
from tests.service import Service, running


@pytest.fixture
def service(sqlite_template: bytes, tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "home", sqlite_in(tmp_path, sqlite_template)) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path", "sent", "name"),
    [
        ("POST", "/api/score", {"movie": 1, "min_duration_s": 30}, "min_duration_s"),
        ("POST", "/api/score", {"movie": 1, "weights": {"virality": 1}}, "weights.virality"),
        ("POST", "/api/score", {"movie": 1, "weights": {"viral": 1, "boring": 1}}, "weights.boring"),
        ("POST", "/api/score", {"windows": [{"id": "a", "feature": [1]}]}, "windows.0.feature"),
        ("POST", "/api/movies", {"path": "/films/a.mp4", "titel": "A"}, "titel"),
        ("PATCH", "/api/movies/1", {"genre": ["drama"]}, "genre"),
        ("POST", "/api/movies/1/candidates", {"start_frame": 1, "end_frame": 9, "notes": "n"}, "notes"),
        ("POST", "/api/tokens", {"name": "script", "expires_in_days": 1}, "expires_in_days"),
        ("POST", "/api/members/invitations", {"project_id": 1, "name": "Ada", "role": "viewer", "d": 1}, "d"),
        ("PATCH", "/api/queue?project=1", {"overlaps": 0.1}, "overlaps"),
        ("POST", "/api/queue/release", {"project": 1, "candidates": [1], "all": True}, "all"),
        ("POST", "/api/decisions", {"candidate": 1, "verdict": "approve", "key": "k" * 8, "reason": "slow"}, "reason"),
        ("POST", "/api/references", {"movie": 1, "path": "/films/a.mp4", "titel": "A"}, "titel"),
        ("PATCH", "/api/members/1", {"role": "viewer", "project": 2}, "project"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_unknown_name_is_refused(service: Service, method: str, path: str, sent: dict[str, Any], name: str) -> None:
    answer = service.client(service.token()).request(method, path, json=sent)
    assert (answer.status_code, answer.json()["detail"]) == (422, f"{name}: there is no such field.")


@pytest.mark.parametrize("path", ["/api/score", "/api/tokens"])
def test_what_is_no_json_is_said(service: Service, path: str) -> None:
    sent = {"content": "{'movie': 1}", "headers": {"content-type": "application/json"}}
    answer = service.client(service.token()).post(path, **sent)
    assert (answer.status_code, answer.json()["detail"]) == (422, "The body is not JSON.")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"content": "reels", "preset": "trailer"}, "preset is another name for content; give one of them"),
        ({"min": 5, "min_s": 5}, "min is another name for min_s; give one of them"),
        ({"weights": {"viral": 1}, "weight_viral": 1}, "weights says the same as weight_viral and weight_compelling"),
        ({"min": -1}, "min: Input should be greater than 0"),
    ],
    ids=["content", "min", "weights", "wrong"],
)
def test_what_has_two_names_is_given_once(service: Service, sent: dict[str, Any], said: str) -> None:
    answer = service.client(service.token()).post("/api/score", json={"movie": 1} | sent)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text


def chunked(size: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    yield from (b" " * (1 << 16) for _ in range(size >> 16))


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("POST", "/api/session", 1 << 16),
        ("POST", "/api/tokens", LARGEST_BYTES),
        ("POST", "/api/decisions", LARGEST_BYTES),
        ("PATCH", "/api/movies/1", LARGEST_BYTES),
        ("POST", "/api/lists/1/entries", LARGEST_BYTES),
    ],
)
def test_a_body_that_is_too_large_is_refused_in_the_shape_of_errors(
    service: Service, method: str, path: str, most: int
) -> None:
    client, json = service.client(service.token()), {"content-type": "application/json"}
    for sent in (b" " * (most + 1), chunked(most + (1 << 16))):
        answer = client.request(method, path, content=sent, headers=json)
        assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")
    assert client.request(method, path, content=b" " * most, headers=json).status_code == 422


def test_many_windows_may_be_scored_at_once(service: Service) -> None:
    windows = [{"id": str(k), "features": [0.123456789] * 1000, "measures": {"motion": k}} for k in range(200)]
    answer = service.client(service.token()).post("/api/score", json={"windows": windows, "top_n": 1})
    assert int(answer.request.headers["content-length"]) > LARGEST_BYTES
    assert answer.json()["clips"][0]["id"] == "199"


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/signin"])
def test_monitors_may_ask_for_the_head_alone(service: Service, path: str) -> None:
    stranger = service.client()
    assert stranger.head(path).status_code == stranger.get(path).status_code
