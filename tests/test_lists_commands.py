"""`selects export` and `selects lists` as people run them, and edits that come back as lists."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select, update

from backend.library.models import Movie
from tests.command import selects
from tests.databases import sqlite_in
from tests.listing import Desk, desk
from tests.service import Service, running


@pytest.fixture
def ada(service: Service) -> Desk:
    made = desk(service)
    with service.session() as session:
        for movie in session.exec(select(Movie).where(col(Movie.id).in_(made.studio.movies))).all():
            movie.path = f"/films/film_{movie.id}.mp4"
            session.add(movie)
        session.commit()
    return made


def send(ada: Desk, file: str, content: bytes, **form: str) -> dict[str, Any]:
    data = {"project": str(ada.project), **form}
    answer = ada.client.post("/api/lists/import", data=data, files={"file": (file, content)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_what_was_exported_comes_back_approved(ada: Desk) -> None:
    made, _ = ada.filled(4)
    first = ada.entries(made)
    ada.ask("PATCH", f"/lists/{made}/entries/{first[1]['id']}", json={"name": "Second one", "note": "Louder"})
    window = ("movie_id", "start_frame", "end_frame", "candidate_id")
    wanted = [[each[name] for name in window] for each in first]
    for form, ending in {"json": "json", "edl": "edl", "fcpxml": "fcpxml", "fcp7": "xml", "otio": "otio"}.items():
        back = send(ada, f"from elsewhere.{ending}", ada.export(made, form))
        assert (back["read"], back["approved"], back["waiting"], back["left_out"]) == (4, 0, 0, []), form
        entries = ada.entries(back["clip_list"]["id"])
        assert [[each[name] for name in window] for each in entries] == wanted, form
        assert all(each["approved"] and not each["blocked"] for each in entries), form
        assert ada.ask("GET", f"/lists/{back['clip_list']['id']}")["rate"] == "25", form


def test_an_edit_made_elsewhere_is_a_list_and_approves_its_cuts_if_asked(ada: Desk) -> None:
    film = f"film_{ada.studio.movies[0]}"
    lines = ["TITLE: PROMO", "FCM: NON-DROP FRAME", ""]
    for number, (start, end) in enumerate((("00:00:10:00", "00:00:14:12"), ("00:00:20:00", "00:00:21:00")), 1):
        lines += [
            f"00{number}  AX       V     C        {start} {end} 00:00:00:00 00:00:04:12",
            f"* FROM CLIP NAME: {film}.mp4",
        ]
    edl = "\n".join(lines).encode() + b"\n"
    waits = send(ada, "promo.edl", edl)
    assert (waits["read"], waits["approved"], waits["waiting"]) == (2, 0, 2)
    number = waits["clip_list"]["id"]
    first, second = ada.entries(number)
    assert (first["start_frame"], first["end_frame"], second["start_frame"]) == (250, 362, 500)
    assert first["blocked"] == ["Nobody has approved it yet: approve it, or take it out."]
    assert "Nobody has approved it" in ada.refused("GET", f"/lists/{number}/export", 409, params={"format": "edl"})
    approved = send(ada, "promo.edl", edl, approve="true", name="Mine")
    assert (approved["approved"], approved["waiting"], approved["clip_list"]["name"]) == (2, 0, "Mine")
    assert ada.entries(number)[0]["blocked"] == []  # the same candidates
    (row,) = ada.studio.candidates(start_frame=250, end_frame=362)
    assert (row.source, row.verdict, row.decided) == ("manual", "approve", 1)
    said = ada.ask("GET", "/decisions", params={"project": ada.project, "candidate": row.id})["items"]
    assert [(each["verdict"], each["curator"]) for each in said] == [("approve", "Ada")]


def test_what_is_no_edit_is_said_and_leaves_nothing(ada: Desk) -> None:
    for name, content, says in (
        ("a.edl", b"TITLE: nothing\n", "shows no part of any film"),
        ("a.otio", b'{"OTIO_SCHEMA": "Timeline.1", "tracks": 3}', "Cannot read 'a.otio'"),
        ("a.txt", b"x", "does not end like a list"),
        ("a.json", b"[]", "Cannot read 'a.json'"),
    ):
        data = {"project": str(ada.project)}
        answer = ada.client.post("/api/lists/import", data=data, files={"file": (name, content)})
        assert answer.status_code == 422, answer.text
        assert says in answer.json()["detail"]
    assert ada.ask("GET", "/lists", params={"project": ada.project})["total"] == 0
    assert [row for row in ada.studio.candidates() if row.source == "manual"] == []


def test_the_commands_list_make_export_and_import(tmp_path: Path, sqlite_template: bytes) -> None:
    with running(tmp_path, sqlite_in(tmp_path, sqlite_template)) as service:
        ada = desk(service)
        ada.approved(6)
        with service.session() as session:
            session.execute(update(Movie).values(path="/films/one.mp4"))
            session.commit()

        def run(*words: str | Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
            done = selects(*words, home=tmp_path, cwd=tmp_path)
            assert done.returncode == code, done.stderr
            return done

        project = ("--project", str(ada.project))
        seen = json.loads(run("lists", "make", "Best", "--count", "3", "--dry-run", "--json", *project).stdout)
        assert (seen["id"], len(seen["clips"]), seen["total_s"]) == (None, 3, 180)
        assert "has 3 clips, 180.0 seconds" in run("lists", "make", "Best „of“", "--count", "3", *project).stderr
        (row,) = json.loads(run("lists", "list", "--json", *project).stdout)
        assert (row["name"], row["clips"], row["rule"]["count"]) == ("Best „of“", 3, 3)
        *told, path = run("export", "best „OF“", "--to", "edl").stderr.splitlines()
        assert path == "Best „of“.edl"
        assert told == ["'one.mp4' has no timecode: it is counted from 00:00:00:00 at its first frame."]
        assert (tmp_path / "Best „of“.edl").read_bytes() == ada.export(row["id"], "edl")
        out = tmp_path / "out"
        out.mkdir()
        run("export", str(row["id"]), "--to", "otio", "--out", out)
        run("export", str(row["id"]), "--to", "json", "--out", out / "plain")
        assert sorted(path.name for path in out.iterdir()) == ["Best „of“.otio", "plain.json"]
        back = json.loads(run("lists", "import", out / "plain.json", "--name", "Back", "--json", *project).stdout)
        assert (len(back["clips"]), back["waiting"]) == (3, 0)
        ada.ask("PATCH", f"/lists/{row['id']}/entries/{ada.order(row['id'])[0]}", json={"rights": "blocked"})
        for words, says in (
            (("export", "Best „of“", "--to", "edl"), "may not be used"),
            (("export", "None", "--to", "edl"), "There is no list 'None'"),
            (("lists", "import", tmp_path / "none.edl"), "there is no such file"),
            (("lists", "make", "x", "--order", "luck", *project), "order"),
        ):
            refused = run(*words, code=2)
            assert refused.stdout == ""
            assert says in refused.stderr
