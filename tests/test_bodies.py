"""What the API is sent: a name that it does not know is refused, so that nothing is lost by a slip of the pen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
        ("POST", "/api/score", {"movie": 1, "weights": {"virality": 1}}, "weights"),
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
