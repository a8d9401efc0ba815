"""Engagement over the API, on both databases: JSON, CSV, corrections, and rows that are wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from labeling.engagement.reading import NEEDED, parsed
from labeling.engagement.shapes import FIELDS
from labeling.sheets import BadRow, read_csv, read_json
from tests.curating import Studio, decide, studio
from tests.service import running

COUNTED = {"platform": "youtube", "clip": "abc", "measured_at": "2026-11-20T12:00:00Z", "views": 5, "completion": 0.4}


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as service:
        yield studio(service, films=1, clips=3)


def send(client: TestClient, desk: Studio, body: Any, kind: str = "application/json") -> dict[str, Any]:
    sent: dict[str, Any] = {"json": body} if kind == "application/json" else {"content": body}
    headers = {"content-type": kind}
    answer = client.post("/api/engagement", params={"project": desk.project}, headers=headers, **sent)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    assert said["read"] == said["added"] + said["changed"] + said["known"] + len(said["bad"])
    return said


def listed(client: TestClient, desk: Studio, **wanted: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/api/engagement", params={"project": desk.project, **wanted}).json()[
        "items"
    ]
    return items


def test_the_same_measurement_is_one(desk: Studio) -> None:
    ada, clip = desk.curator("Ada"), desk.candidates()[0]
    row = COUNTED | {"candidate": clip.id}
    assert send(ada, desk, row)["added"] == 1
    assert send(ada, desk, [row, row])["known"] == 2
    assert send(ada, desk, row | {"views": 7})["changed"] == 1
    assert send(ada, desk, row | {"measured_at": "2026-11-21"})["added"] == 1, "a day is its beginning in UTC"
    later, first = listed(ada, desk, candidate=clip.id)
    assert (first["views"], first["likes"], first["completion"]) == (7, None, 0.4)
    assert later["measured_at"].startswith("2026-11-21T00:00:00")
    assert (first["start_frame"], first["end_frame"]) == (clip.start_frame, clip.end_frame)
    window = {"sha256": clip.movie_sha256, "start_frame": clip.start_frame, "end_frame": clip.end_frame}
    assert send(ada, desk, COUNTED | window)["changed"] == 1, "the same clip by its window"
    other = send(ada, desk, COUNTED | window | {"start_frame": 1})
    assert other["bad"][0]["problem"] == "this platform, clip and moment belong to another window already"


TABLE = """\
Platform;Clip;measured_at;movie;start_frame;end_frame;views;likes;completion;ctr
youtube;a;2026-11-20;{movie};0;1500;1200;;0,4;1
youtube;b;2026-11-20;{movie};0;1500;1200;30;0.4;1
youtube;"two
lines";yesterday;{movie};0;1500;1200;30;0.4;1
;c;2026-11-20;{movie};0;1500;1;;;

tiktok;d;2026-11-20;999;0;1500;1;;;
tiktok;e;2026-11-20;{movie};0;999999;1;;;
tiktok;f;2026-11-20;{movie};0;1500;;;;
tiktok;g;2026-11-20;{movie};0;1500;1;;;;;too many
tiktok;h;2026-11-20T08:00:00+02:00;{movie};3;9;;;1;
"""


def test_bad_rows_of_a_table_are_named_by_line_and_the_others_kept(desk: Studio) -> None:
    ada = desk.curator("Ada")
    body = "\ufeff" + TABLE.replace("{movie}", str(desk.movies[0])).replace("\n", "\r\n")
    said = send(ada, desk, body.encode(), "text/csv; charset=utf-8")
    assert (said["read"], said["added"], said["ignored"]) == (9, 2, ["ctr"])
    problems = {row["line"]: row["problem"] for row in said["bad"]}
    assert list(problems) == [2, 4, 6, 8, 9, 10, 11]
    assert problems[2].startswith("completion: ")
    assert problems[4].startswith("measured_at: ")
    assert problems[6] == "platform: Field required"
    assert problems[8] == "there is no film 999 in this project"
    assert problems[9] == "the film has 100000 frames, the clip cannot end at frame 999999"
    assert problems[10] == "give at least one of views, likes, shares, completion"
    assert problems[11] == "it has more cells than the first line has names"
    assert '"clip": "e"' in said["bad"][4]["row"]
    kept = {row["clip"]: row for row in listed(ada, desk)}
    assert set(kept) == {"b", "h"}
    assert kept["b"]["candidate_id"] == desk.candidates()[0].id
    assert kept["h"]["candidate_id"] is None
    assert kept["h"]["measured_at"].startswith("2026-11-20T06:00:00")
    assert send(ada, desk, body.encode(), "text/csv")["known"] == 2


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{", "application/json", "cannot be read as JSON"),
        (b"3", "application/json", "Send an object"),
        (b'[{"views": NaN}]', "application/json", "cannot be read as JSON"),
        (b"clip,views\n1,2\n", "text/csv", "platform, measured_at is missing"),
        (b"", "text/csv", "is missing"),
        (b"platform,clip,measured_at\n\xff", "text/csv", "not UTF-8"),
        (b"platform,clip,measured_at,Clip\n", "text/csv", "names clip twice"),
        (b'"platform,clip\n', "text/csv", "The first line cannot be read as CSV"),
        (b"{}", "text/plain", "Send application/json or text/csv"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_table_is_refused(desk: Studio, body: bytes, kind: str, said: str) -> None:
    answer = desk.curator("Ada").post(
        "/api/engagement", params={"project": desk.project}, content=body, headers={"content-type": kind}
    )
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_engagement_outlives_the_film(desk: Studio) -> None:
    ada, (kept, gone, _) = desk.curator("Ada"), desk.candidates()
    decide(ada, kept.id or 0, "approve")
    for row in (kept, gone):
        send(ada, desk, COUNTED | {"candidate": row.id, "clip": f"clip {row.id}"})
    assert desk.owner().delete(f"/api/movies/{desk.movies[0]}").status_code == 204
    found = {row["clip"]: row["candidate_id"] for row in listed(ada, desk, sha256=kept.movie_sha256)}
    assert found == {f"clip {kept.id}": kept.id, f"clip {gone.id}": None}


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.text(), max_size=2)
)


@given(st.lists(st.dictionaries(st.sampled_from([*COUNTED, "candidate", "movie", "likes", "x"]), VALUES), max_size=4))
def test_any_rows_are_taken_or_named(rows: list[dict[str, Any]]) -> None:
    import json

    try:
        text = json.dumps(rows, allow_nan=False)
    except ValueError:
        return
    read = read_json(text.encode())
    assert [row.line for row in read] == list(range(1, len(rows) + 1))
    for row in read:
        found = parsed(row)
        if isinstance(found, BadRow):
            assert found.problem
            found.model_dump_json()


@given(
    st.lists(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=6), max_size=5), max_size=5)
)
def test_any_table_that_a_program_writes_is_read(rows: list[list[str]]) -> None:
    import csv
    import io

    file = io.StringIO(newline="")
    csv.writer(file).writerows([["platform", "clip", "measured_at"], *rows])
    assert len(read_csv(file.getvalue().encode(), FIELDS, NEEDED)) == sum(
        any(cell.strip() for cell in row) or len(row) > 3 for row in rows
    )
