"""The queue over the API, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.curating import Studio, studio
from tests.service import running


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as service:
        yield studio(service)


def test_smoke(desk: Studio) -> None:
    ada = desk.curator("Ada")
    got = ada.get("/api/queue/next", params={"project": desk.project, "k": 4})
    assert got.status_code == 200, got.text
    print(got.json())
    item = got.json()["items"][0]
    said = ada.post(
        "/api/decisions", json={"candidate": item["candidate"]["id"], "verdict": "approve", "key": "k" * 12}
    )
    assert said.status_code == 201, said.text
    print(said.json())
    back = ada.post(f"/api/decisions/{said.json()['id']}/undo")
    assert back.status_code == 201, back.text
    print(ada.get("/api/queue", params={"project": desk.project}).json())
