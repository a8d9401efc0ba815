"""What leaves the house is what the list was: frozen, kept with all that made it, and the same bytes again for ever."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, col, select, update

from backend.exports.base import Clip, ClipList, Marker, Source
from backend.exports.registry import EXPORTERS
from backend.library.models import Candidate, DialogueLine, Movie
from backend.media.lines import Line
from backend.media.timeline import Timeline
from labeling.lists.doctor import examine
from labeling.lists.downloads import disposition, file_name
from labeling.lists.exporting import made_again
from labeling.lists.frozen import key_of, pack, unpack
from labeling.lists.mapping import mapped
from labeling.lists.models import ListEntry, ListExport
from tests.curating import decide
from tests.listing import Desk
from tests.service import Service

WRITTEN = [name for name in EXPORTERS if name != "clips"]


def exports(service: Service) -> list[ListExport]:
    with Session(service.resources.reading) as session:
        return list(session.exec(select(ListExport).order_by(col(ListExport.id))).all())


def test_every_format_gives_the_same_bytes_after_all_has_changed(ada: Desk) -> None:
    made, (a, b, c) = ada.filled(3)
    answers = {name: ada.client.get(f"/api/lists/{made}/export", params={"format": name}) for name in WRITTEN}
    for name, answer in answers.items():
        assert answer.status_code == 200, (name, answer.text)
        assert answer.headers["etag"].strip('"') == hashlib.sha256(answer.content).hexdigest()
    kept = {name: answer.headers["content-location"] for name, answer in answers.items()}
    owner = Desk(ada.studio, ada.studio.owner())
    ada.ask("POST", f"/lists/{made}/entries/move", json={"entries": [c], "before": a})
    ada.ask("PATCH", f"/lists/{made}/entries/{b}", json={"start_frame": 1, "end_frame": 9, "rights": "blocked"})
    ada.ask("PATCH", f"/lists/{made}", json={"name": "Another"})
    ada.ask("DELETE", f"/lists/{made}/entries", params={"entries": [a]})
    owner.ask("PUT", f"/projects/{ada.project}/exports", json={"handles": 5})
    ada.set_film(ada.studio.movies[0], title="Renamed", reel="B002", rights="blocked")
    owner.ask("DELETE", f"/movies/{ada.studio.movies[1]}", 204)
    with ada.service.session() as session:
        session.execute(update(Candidate).values(score=0.1, model="other"))  # a model was promoted
        again = {"scan_key": "other", "rate": "30000/1001", "frames": 9, "start_timecode": "01:00:00;00", "tracks": []}
        session.execute(
            update(Movie).values(path="/elsewhere/a.mov", vectors={}, **again)
        )  # and the film analysed anew
        session.commit()
    assert ada.ask("GET", f"/lists/{made}/exports")["total"] == len(WRITTEN)
    for name, answer in answers.items():
        again = ada.client.get(kept[name])
        assert again.content == answer.content, name
        assert again.headers["content-disposition"] == answer.headers["content-disposition"]
    for row in exports(ada.service):  # and not only because they were kept: what made them makes them again
        assert made_again(row) == answers[row.format].content, row.format


def test_what_an_export_was_made_of_is_kept(ada: Desk) -> None:
    made, _ = ada.filled(2)
    with ada.service.session() as session:
        movie = session.get_one(Movie, ada.studio.movies[0])
        movie.start_timecode, movie.reel = "01:00:00:00", "A001"
        session.add(DialogueLine(movie_id=movie.id or 0, number=0, shot=0, start_s=59.0, end_s=61.0, text="Late."))
        session.add(DialogueLine(movie_id=movie.id or 0, number=1, shot=0, start_s=61.0, end_s=62.0, text="Too late."))
        session.commit()
    clip = ada.entries(made)[0]
    said = ada.ask("GET", "/decisions", params={"project": ada.project, "candidate": clip["candidate_id"]})["items"]
    ada.export(made)
    (shown,) = ada.ask("GET", f"/lists/{made}/exports")["items"]
    assert (shown["format"], shown["clips"], shown["made_by"], shown["current"]) == ("json", 2, "Ada", True)
    facts = ada.ask("GET", f"/lists/{made}/exports/{shown['id']}/made-of")
    first = facts["clips"][0]
    assert first["decisions"] == [said[0]["id"]]
    assert (first["model"], first["score"], first["key"]) == ("prior", clip["score"], str(clip["id"]))
    assert [line["text"] for line in first["lines"]] == ["Late."]
    film = facts["sources"][first["source"]]
    assert film["sha256"] == clip["movie_sha256"]
    assert (film["start_timecode"], film["reel"], film["channels"], film["rate"]) == ("01:00:00:00", "A001", 2, "25")
    ada.ask("PATCH", f"/lists/{made}", json={"note": "x"})
    assert ada.ask("GET", f"/lists/{made}/exports")["items"][0]["current"] is False


def test_an_equal_list_is_one_export_and_another_is_another(ada: Desk) -> None:
    made, (a, b) = ada.filled(2)
    first = ada.export(made)
    assert ada.export(made) == first
    ada.ask("POST", f"/lists/{made}/entries/move", json={"entries": [b], "before": a})
    assert ada.export(made) != first
    ada.ask("POST", f"/lists/{made}/entries/move", json={"entries": [a], "before": b})
    assert ada.export(made) == first
    assert len(exports(ada.service)) == 2
    row = ada.entries(made)[0]["candidate_id"]
    decide(ada.client, row, "approve")  # another decision that it stands on
    assert ada.export(made) != first
    assert len(exports(ada.service)) == 3


def test_the_doctor_sees_what_is_off(ada: Desk) -> None:
    made, _ = ada.filled(3)
    ada.export(made, "edl")
    assert examine(ada.service.resources) == []
    with ada.service.session() as session:
        session.execute(update(ListExport).values(content=b"damaged"))
        session.execute(update(ListEntry).where(col(ListEntry.position) == 1).values(position=5))
        session.commit()
    first, second = (problem.detail for problem in examine(ada.service.resources))
    assert first == f"List {made} ('Teaser'): places of its clips are not in order; move one of them."
    assert "its bytes are damaged" in second
    with ada.service.session() as session:
        clips = {"format": "clips", "files": [["gone.mp4", 0, 1]], "options": {}}
        session.execute(update(ListExport).values(**clips))
        session.commit()
    assert "render the list again" in examine(ada.service.resources)[1].detail


def test_refused_exports_leave_nothing(ada: Desk) -> None:
    made = ada.new_list()
    assert "no clips" in ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "json"})
    assert "format" in ada.refused("GET", f"/lists/{made}/export", 422, params={"format": "avid"})
    assert "no clips" in ada.refused("POST", f"/lists/{made}/render", 409, json={})
    full, _ = ada.filled(1, "Full")
    said = ada.refused("GET", f"/lists/{full}/export", 409, params={"format": "clips"})
    assert "file is not there" in said  # these films are rows alone
    assert exports(ada.service) == []
    assert "no export 7" in ada.refused("GET", f"/lists/{full}/exports/7", 404)


def test_preflight_says_per_format_and_clip_what_is_lost(ada: Desk) -> None:
    made, (a, b) = ada.filled(2)
    with ada.service.session() as session:
        movie = session.get_one(Movie, ada.studio.movies[1])
        movie.rate = "30000/1001"
        session.add(movie)
        session.commit()
    found = ada.ask("GET", f"/lists/{made}/preflight")
    formats = {each["name"]: each for each in found["formats"]}
    assert list(formats) == list(EXPORTERS)
    assert formats["json"]["ready"] is True
    assert formats["json"]["concerns"] == []
    assert any(each["entry"] == b for each in formats["edl"]["concerns"])
    assert (formats["clips"]["rendered"], formats["clips"]["ready"]) == (False, False)
    ada.ask("PATCH", f"/lists/{made}/entries/{a}", json={"rights": "blocked"})
    formats = {each["name"]: each for each in ada.ask("GET", f"/lists/{made}/preflight")["formats"]}
    for each in formats.values():
        assert each["ready"] is False
        assert [c["entry"] for c in each["concerns"] if c["stops"] and "may not be used" in c["words"]] == [a]


def test_a_projects_settings_are_in_what_leaves_it(ada: Desk) -> None:
    owner, made = Desk(ada.studio, ada.studio.owner()), ada.filled(2)[0]
    path = f"/projects/{ada.project}/exports"
    assert ada.ask("GET", path) == {
        "project_id": ada.project, "mappings": [], "handles": 0, "rate": "", "changed_by": "", "changed_at": None
    }  # fmt: skip
    with ada.service.session() as session:
        session.execute(update(Movie).values(path="/films/2026/a b.mov"))
        session.commit()
    wanted = {"mappings": [{"server": "/films", "editor": "Z:\\Films"}], "handles": 12, "rate": "29.97df"}
    assert "admin" in ada.refused("PUT", path, 403, json=wanted)
    assert owner.ask("PUT", path, json=wanted)["changed_by"] == "owner"
    said = json.loads(ada.export(made))
    assert (said["rate"], said["drop"], said["handles"]) == ("30000/1001", True, 12)
    assert {film["path"] for film in said["films"]} == {"Z:\\Films\\2026\\a b.mov"}
    ada.ask("PATCH", f"/lists/{made}", json={"rate": "24"})
    assert (json.loads(ada.export(made))["rate"], json.loads(ada.export(made))["drop"]) == ("24", False)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/films/a.mov", "/Volumes/F/a.mov"),
        ("/films/new/a.mov", "Z:\\new\\a.mov"),
        ("/films/new/deep er/ä.mov", "Z:\\new\\deep er\\ä.mov"),
        ("/films/nas/a.mov", "\\\\nas\\share\\a.mov"),
        ("/filmsandmore/a.mov", "/filmsandmore/a.mov"),
        ("/elsewhere/a.mov", "/elsewhere/a.mov"),
        ("/films", "/Volumes/F"),
    ],
)
def test_the_longest_folder_maps(path: str, wanted: str) -> None:
    mappings = [("/films", "/Volumes/F/"), ("/films/new/", "Z:\\new\\"), ("/films/nas", "\\\\nas\\share")]
    assert mapped(path, mappings) == wanted
    assert mapped(path, mappings[::-1]) == wanted


def test_the_root_maps() -> None:
    assert mapped("/a/b.mov", [("/", "/Volumes/All")]) == "/Volumes/All/a/b.mov"
    assert mapped("/a/b.mov", [("/a", "/")]) == "/b.mov"


@pytest.mark.parametrize(
    ("name", "file", "plain"),
    [
        ("Teaser.edl", "Teaser.edl", "Teaser.edl"),
        ('a/b\\c:d*e?f"g<h>i|j.xml', "a_b_c_d_e_f_g_h_i_j.xml", "a_b_c_d_e_f_g_h_i_j.xml"),
        ("Größe 10.5 „x“.otio", "Größe 10.5 „x“.otio", "Groe 10.5 x.otio"),
        ("予告編.fcpxml", "予告編.fcpxml", "list.fcpxml"),
        ("..\r\n.zip", "_.zip", "_.zip"),
        ("", "list", "list"),
    ],
)
def test_names_of_downloads(name: str, file: str, plain: str) -> None:
    assert file_name(name) == file
    said = disposition(name)
    assert said.isascii()
    assert not set(said) & set("\r\n")
    assert f'filename="{plain}"' in said
    assert len(file_name("ä" * 500 + ".edl").encode()) <= 200


def test_a_frozen_list_comes_back_as_it_was() -> None:
    pts = np.cumsum(np.array([0, *np.random.default_rng(3).integers(900, 1100, 500)]), dtype=np.int64)
    line = Timeline(Fraction(24000, 1001), 500, Fraction(1, 24000), pts)
    varies = Source("a" * 64, "a \udc80.mov", "/f/a", "Z:\\a", "A “x”", Fraction(24000, 1001), 500, timeline=line)
    plain = Source("b" * 64, "b.mov", "/f/b", "/f/b", "B", Fraction(25), 100, "01:00:00:00", channels=0)
    clip = Clip(
        "1", varies, 10, 20, "One", "Note", 0.1 + 0.2, None, 0.5, "good", ("Because.",), "m-1", (3, 4), "cleared",
        date(2027, 1, 2), (), (Marker(11, "x", "note"),), (Line(0.1, 0.2, "Hi"),), b"\xff\xd8",
    )  # fmt: skip
    made = ClipList(7, "L", "P", (clip, replace(clip, key="2", source=plain)), Fraction(24000, 1001), handles=3)
    assert same(unpack(pack(made)), made)
    assert pack(unpack(pack(made))) == pack(made)
    assert key_of(made) == key_of(replace(made, made_at="2026-01-01")) != key_of(replace(made, note="x"))


def same(one: ClipList, other: ClipList) -> bool:
    """Equal, arrays included."""

    def plain(each: ClipList) -> Any:
        lines = [None if c.source.timeline is None else c.source.timeline.pts.tolist() for c in each.clips]  # type: ignore[union-attr]
        clips = [replace(c, source=replace(c.source, timeline=None)) for c in each.clips]
        return replace(each, clips=tuple(clips)), lines

    return bool(plain(one) == plain(other))
