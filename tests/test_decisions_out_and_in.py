"""Decisions carried out and in again: by API and from the terminal, in every format, on both databases."""

import csv
import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from labeling.decisions.importing import READERS
from labeling.decisions.models import REASONS
from labeling.decisions.records import HEADER, DecisionRecord, csv_line, json_line
from labeling.sheets import shaped
from tests.command import selects
from tests.curating import Studio, decide, questions, studio
from tests.databases import sqlite_in
from tests.service import running

KINDS = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as service:
        yield judged(studio(service, clips=8))


def judged(made: Studio) -> Studio:
    """A project in which everything was decided that can be: some of it by two, with trims, undos, and words."""
    ada, ben = made.curator("Ada"), made.curator("Ben")
    made.owner().patch("/api/queue", params={"project": made.project}, json={"overlap": 1}).raise_for_status()
    first = questions(ada, made, 8)
    for number, item in enumerate(first):
        verdict = ("approve", "reject", "skip", "flag")[number % 4]
        text = 'two lines,\n"quoted"; ünicode 🎬\r\n' if number == 1 else ""
        decide(
            ada, item["candidate"]["id"], verdict, reasons=["slow", "other"] if number else [], text=text, spent_s=0.1
        )
    of_both = {item["candidate"]["id"] for item in first}
    while of_both:  # when a second curator is asked about them is drawn by lot
        for asked in (item["candidate"]["id"] for item in questions(ben, made, 8)):
            kept = decide(ben, asked, "approve", start_frame=10, end_frame=1001 + asked)
            of_both.discard(asked)
    ben.post(f"/api/decisions/{kept['id']}/undo").raise_for_status()
    mine = made.owner().get("/api/decisions", params={"project": made.project, "curator": "Ada"}).json()["items"]
    ada.post(f"/api/decisions/{mine[0]['id']}/undo").raise_for_status()
    decide(ada, mine[0]["candidate_id"], "approve")
    return made


def exported(client: TestClient, project: int, form: str) -> bytes:
    answer = client.get("/api/decisions/export", params={"project": project, "format": form})
    assert answer.status_code == 200, answer.text
    return answer.content


def brought_in(client: TestClient, project: int, form: str, body: bytes) -> dict[str, Any]:
    headers = {"content-type": KINDS[form]}
    answer = client.post("/api/decisions/import", params={"project": project}, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def states(desk: Studio) -> dict[tuple[str, str, int, int], tuple[str, int]]:
    rows = [row for row in desk.candidates() if row.decided]
    return {(row.movie_sha256, row.source, row.start_frame, row.end_frame): (row.verdict, row.decided) for row in rows}


@pytest.mark.parametrize("form", KINDS)
def test_another_project_has_the_same_afterwards(desk: Studio, form: str) -> None:
    owner = desk.owner()
    body = exported(owner, desk.project, form)
    rows = owner.get("/api/decisions", params={"project": desk.project}).json()["total"]
    other = Studio(desk.service, desk.service.project("Another"), ())
    said = brought_in(owner, other.project, form, body)
    assert said == {"read": rows, "added": rows, "known": 0, "bad": [], "ignored": []}
    assert exported(owner, other.project, form) == body
    assert states(other) == states(desk)
    assert len(exported(owner, other.project, "label-studio")) > 2
    again = brought_in(owner, other.project, form, body)
    assert (again["added"], again["known"]) == (0, rows)
    here = brought_in(owner, desk.project, form, body)
    assert (here["added"], here["known"]) == (0, rows)
    assert exported(owner, desk.project, form) == body


def test_work_goes_on_after_an_import(desk: Studio) -> None:
    """Undo, the queue and agreement see what came in as if it had been decided here."""
    owner = desk.owner()
    other = studio(desk.service, films=1, clips=3)
    lines = exported(owner, desk.project, "jsonl").replace(
        desk.candidates()[0].movie_sha256.encode(), other.candidates()[0].movie_sha256.encode()
    )
    brought_in(owner, other.project, "jsonl", lines)
    answered = owner.get("/api/agreement", params={"project": other.project}).json()["answered"]
    assert answered == owner.get("/api/agreement", params={"project": desk.project}).json()["answered"] > 1
    desk.service.member(other.project, "curator", "Ada")
    ada = desk.service.client(desk.service.token("Ada"))
    mine = ada.get("/api/decisions", params={"project": other.project, "curator": "me", "undone": False}).json()[
        "items"
    ]
    last = next(row for row in mine if row["verdict"] != "undo")
    assert ada.post(f"/api/decisions/{last['id']}/undo").status_code == 201
    there = ada.get("/api/agreement", params={"project": other.project}).json()
    assert answered - 1 <= there["answered"] <= answered


def test_what_is_wrong_is_named_by_line_and_the_rest_kept(desk: Studio) -> None:
    owner = desk.owner()
    lines = exported(owner, desk.project, "jsonl").splitlines()
    first = json.loads(lines[0])
    undo = next(line for line in lines if b'"undo"' in line)
    changed = json.dumps(first | {"verdict": "flag"}).encode()
    wrong = json.dumps(first | {"key": "another", "end_frame": 0}).encode()
    fresh = json.dumps(first | {"key": "yet-another", "movie_sha256": "ab" * 32, "new": 1}).encode()
    # No room for the key of its undo.
    long = json.dumps(first | {"key": "k" * 76}).encode()
    other = Studio(desk.service, desk.service.project("Another"), ())
    said = brought_in(
        owner, other.project, "jsonl", b"\n".join([undo, lines[0], b"", changed, b"{", wrong, fresh, b"3", long])
    )
    assert (said["read"], said["added"], said["known"], said["ignored"]) == (8, 2, 0, ["new"])
    problems = {row["line"]: row["problem"] for row in said["bad"]}
    assert list(problems) == [1, 4, 5, 6, 8, 9]
    assert problems[1].endswith("before this row")
    assert problems[4] == "there is another decision of this curator with this key"
    assert problems[5] == "it cannot be read as JSON"
    assert problems[6] == "a clip must end after it starts"
    assert {row.movie_sha256 for row in other.candidates()} == {first["movie_sha256"], "ab" * 32}
    assert len(other.candidates()) == 2, "what was not kept leaves no candidate behind"


def test_what_a_row_takes_back_or_cuts_must_fit(desk: Studio) -> None:
    owner = desk.owner()
    rows = [json.loads(line) for line in exported(owner, desk.project, "jsonl").splitlines()]
    undo = next(row for row in rows if row["undoes"])
    trim = next(row for row in rows if row["trim_of"])
    base = [row for row in rows if row["curator"] == undo["curator"] and not row["undoes"]]
    other = next(row for row in base if row["start_frame"] != undo["start_frame"] and not row["trim_of"])
    sent = [
        *base,
        undo | {"key": "elsewhere", "undoes": other["key"]},
        undo,
        undo | {"key": "again"},
        undo | {"undoes": undo["key"], "key": "undo-of-undo"},
        trim | {"key": "not-that-cut", "end_frame": trim["end_frame"] + 1},
        other | {"key": "rejected-cut", "verdict": "reject", "trim_start_frame": 1, "trim_end_frame": 2},
        other | {"key": "half-a-cut", "verdict": "approve", "trim_start_frame": 1, "trim_end_frame": None},
    ]
    body = "".join(f"{json.dumps(row)}\n" for row in sent)
    there = Studio(desk.service, desk.service.project("Another"), ())
    said = brought_in(owner, there.project, "jsonl", body.encode())
    first = len(base) + 1
    assert {row["line"] - first: row["problem"].partition(": ")[0] for row in said["bad"]} == {
        0: "undoes",
        2: "undoes",
        3: "undoes",
        4: "trim_of",
        5: "another cut can only be approved",
        6: "a trim has both trim_start_frame and trim_end_frame",
    }
    assert said["added"] == len(base) + 1


def test_a_table_as_spreadsheets_and_others_leave_it(desk: Studio) -> None:
    """BOM, semicolons, CRLF, another order of columns, and cells that would be formulas or break the reading."""
    owner = desk.owner()
    names = HEADER.strip().split(",")
    whole = next(csv.DictReader(io.StringIO(exported(owner, desk.project, "csv").decode(), newline="")))
    odd = [
        whole | {"key": "formula", "text": "'=1+1", "curator": "'@Ada"},
        whole | {"key": "nul", "text": "a\0b"},
        whole | {"key": "huge", "text": "x" * 200_000},
        whole | {"key": "long", "text": "x" * 2001},
        whole | {"key": "number", "score": "1,5"},
        whole | {"key": "reason", "reasons": "slow;boring"},
        whole | {"key": "moment", "decided_at": "2026-11-20 12:00"},
        whole | {"key": "gone", "movie_sha256": "cd" * 32},
        whole | {"key": "film", "movie_sha256": "Film 0"},
    ]
    file = io.StringIO(newline="")
    table = csv.DictWriter(file, ["colour", *reversed(names)], delimiter=";", restval="red")
    table.writeheader()
    table.writerows(odd)
    body = "\ufeff" + file.getvalue() + ';;;\r\n"never closed;'
    there = Studio(desk.service, desk.service.project("Another"), ())
    said = brought_in(owner, there.project, "csv", body.encode())
    problems = {row["line"]: row["problem"].partition(":")[0] for row in said["bad"]}
    broken = "it cannot be read as CSV"
    assert problems == {
        3: "text",
        4: broken,
        5: "text",
        6: "score",
        7: "reasons.1",
        8: "decided_at",
        10: "movie_sha256",
        12: broken,
    }
    assert said["ignored"] == ["colour"]
    kept = owner.get("/api/decisions", params={"project": there.project}).json()["items"]
    assert {row["key"] for row in kept} == {"formula", "gone"}
    assert {(row["curator"], row["text"]) for row in kept if row["key"] == "formula"} == {("@Ada", "=1+1")}
    assert ",'@Ada," in exported(owner, there.project, "csv").decode(), "no formula for a spreadsheet"
    assert not there.candidates(movie_sha256="cd" * 32)[0].movie_id, "a film that is not here is kept in mind"


def test_a_quote_that_is_not_closed_costs_its_own_row(desk: Studio) -> None:
    owner = desk.owner()
    whole = exported(owner, desk.project, "csv")
    head, first, *rest = whole.decode().splitlines(keepends=True)
    broken = first.replace(first.split(",")[0], '"never closed')
    there = Studio(desk.service, desk.service.project("Another"), ())
    said = brought_in(owner, there.project, "csv", "".join((head, first, broken, *rest)).encode())
    problem = "it cannot be read as CSV: the quote that opens in line 3 is not closed"
    assert [(row["line"], row["problem"]) for row in said["bad"]] == [(3, problem)]
    assert said["added"] == said["read"] - 1
    assert exported(owner, there.project, "csv") == whole


@pytest.mark.parametrize(
    ("form", "body", "said"),
    [
        ("csv", b"", "key, curator, verdict, movie_sha256"),
        ("csv", b"key,curator\n", "verdict, movie_sha256"),
        ("csv", b"\xff\xfe", "not UTF-8"),
    ],
    ids=["empty", "columns", "utf-16"],
)
def test_what_is_no_table_is_refused(desk: Studio, form: str, body: bytes, said: str) -> None:
    headers = {"content-type": KINDS[form]}
    answer = desk.owner().post("/api/decisions/import", params={"project": desk.project}, content=body, headers=headers)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_bodies_may_be_large_and_empty(desk: Studio) -> None:
    nothing = {"read": 0, "added": 0, "known": 0, "bad": [], "ignored": []}
    assert brought_in(desk.owner(), desk.project, "jsonl", b"") == nothing
    line = exported(desk.owner(), desk.project, "jsonl").splitlines()[0]
    large = line + b"\n" + b" " * (3 << 20) + b"\n"
    assert brought_in(desk.owner(), desk.project, "jsonl", large)["known"] == 1


def test_only_admins_bring_in_what_others_said(desk: Studio) -> None:
    headers = {"content-type": KINDS["csv"]}
    sent = {"params": {"project": desk.project}, "content": b"", "headers": headers}
    assert desk.curator("Cleo").post("/api/decisions/import", **sent).status_code == 403  # type: ignore[arg-type]


def test_label_studio_gets_tasks(desk: Studio) -> None:
    tasks = json.loads(exported(desk.owner(), desk.project, "label-studio"))
    standing = [row for row in desk.candidates() if row.verdict]
    assert {task["id"] for task in tasks} == {row.id for row in standing}
    both = next(task for task in tasks if len(task["annotations"]) == 2)
    said = {}
    for annotation in both["annotations"]:
        values = {result["from_name"]: result["value"] for result in annotation["result"]}
        (ends,) = values["clip"]["ranges"]
        said[values["curator"]["text"][0]] = (values["verdict"]["choices"], ends["start"], annotation["was_cancelled"])
        assert all(result["to_name"] == "video" for result in annotation["result"])
    start = both["data"]["start_frame"] + 1
    assert said["Ben"] == (["approve"], 11, False), "his trim"
    assert said["Ada"][1] == start
    assert both["predictions"][0]["model_version"] == "prior"
    movie = desk.candidates(id=both["id"])[0].movie_id
    assert both["data"]["video"] == f"http://selects.test/api/movies/{movie}/media"
    assert both["data"]["frame_rate"] == 25


def test_from_the_terminal(tmp_path: Path, sqlite_template: bytes) -> None:
    homes = [tmp_path / name for name in ("here", "there")]
    for home in homes:
        home.mkdir()
        with running(home, sqlite_in(home, sqlite_template)) as service:
            made = studio(service, clips=8)
            if home.name == "here":
                judged(made)
    for form, file in (("", "d.csv"), ("jsonl", "d.txt"), ("", "d.json")):
        said = selects(
            "decisions", "export", "--out", str(tmp_path / file), *(["--format", form] if form else []), home=homes[0]
        )
        assert said.returncode == 0, said.stderr
    assert json.loads((tmp_path / "d.json").read_text())
    came = selects("decisions", "import", str(tmp_path / "d.csv"), home=homes[1])
    assert came.returncode == 0, came.stderr
    again = selects("decisions", "import", str(tmp_path / "d.txt"), "--format", "jsonl", home=homes[1])
    assert "0 added" in again.stderr
    printed = selects("decisions", "export", home=homes[1])
    assert printed.stdout.encode() == (tmp_path / "d.txt").read_bytes()
    for words in (
        ["import", "no.csv"],
        ["import", "d.json"],
        ["export", "--project", "9"],
        ["export", "--format", "xml"],
    ):
        refused = selects("decisions", *words, home=homes[1])
        assert refused.returncode == 2
        assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
FRAMES = st.integers(0, 2**31 - 2)
SECONDS = st.floats(0, 1e7)


@st.composite
def records(draw: st.DrawFn) -> DecisionRecord:
    start, length = draw(FRAMES), draw(st.integers(1, 1000))
    first = draw(SECONDS)
    undoes = draw(st.none() | st.just("before-this-one"))
    verdict = "undo" if undoes else draw(st.sampled_from(["approve", "reject", "skip", "flag"]))
    trim = verdict == "approve" and draw(st.booleans())
    return DecisionRecord(
        key=uuid.uuid4().hex,
        curator=draw(TEXT.filter(str.strip)),
        verdict=verdict,
        reasons=tuple(draw(st.lists(st.sampled_from(REASONS), unique=True))),
        text=draw(TEXT.filter(lambda text: not text or text.strip())),
        movie_sha256="0a" * 32,
        movie_title=draw(TEXT.filter(lambda text: not text or text.strip())),
        source=draw(st.sampled_from(["ranking", "manual", "trim"])),
        start_frame=start,
        end_frame=min(start + length, 2**31 - 1),
        start_s=first,
        end_s=first + draw(st.floats(0, 100)) if first < 1e6 else first,
        trim_start_frame=1 if trim else None,
        trim_end_frame=2 if trim else None,
        trim_of=draw(st.none() | st.just("k:trim")),
        undoes=undoes,
        spent_s=draw(st.none() | st.floats(0, 86_400)),
        strategy=draw(st.sampled_from(["random", "chosen", "trim"])),
        propensity=draw(st.none() | st.floats(0, 1, exclude_min=True)),
        round=draw(st.none() | FRAMES),
        overlap=draw(st.booleans()),
        model=draw(st.sampled_from(["", "prior"])),
        score=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        decided_at=draw(st.datetimes(timezones=st.just(UTC))),
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(records(), min_size=1, max_size=3))
def test_every_record_survives_both_formats(made: list[DecisionRecord]) -> None:
    for form, text in (("jsonl", "".join(map(json_line, made))), ("csv", HEADER + "".join(map(csv_line, made)))):
        rows = READERS[form](text.encode())
        assert [shaped(row, DecisionRecord) for row in rows] == made, form
    assert len(list(csv.reader(io.StringIO(HEADER + "".join(map(csv_line, made)), newline="")))) == len(made) + 1
