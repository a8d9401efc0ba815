"""Every format, by the list of them: what it must do whatever it is. Then what each says before it is written."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from ast import literal_eval
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from backend.errors import ExportRefused, UnknownName
from backend.exports.base import Clip, ClipList, Concern, Marker, Source
from backend.exports.document import schema
from backend.exports.preflight import preflight, refuse_stopped
from backend.exports.rates import counted, counted_rate, film_frame
from backend.exports.reels import reels
from backend.exports.registry import EXPORTERS, exporter_named
from backend.exports.stamp import read_stamp
from backend.exports.urls import file_url, path_of
from backend.media.lines import Line
from backend.media.timeline import Timeline
from tests.films import make_film
from tests.test_report import EVIL, Page

NTSC = Fraction(30000, 1001)
JPEG = b"\xff\xd8\xff\xe0 a picture"
ROOT = Path(__file__).resolve().parent.parent
FILES = tuple(name for name in EXPORTERS if name != "clips")
"""Those that do not open the film: what they write depends on nothing but the list."""
AGAIN = """
import sys
from tests.test_exports import FILES, small_list, written
from pathlib import Path
print([written(small_list(Path(sys.argv[1])), name) for name in FILES])
"""


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real one, so that formats that open it find it: two seconds at 25."""
    return make_film(tmp_path_factory.mktemp("exports") / "feature.mp4", frames=50)


def source(path: str = "/films/feature.mov", **changes: object) -> Source:
    made = Source("ab" * 32, Path(path).name, path, path, "Feature", Fraction(25), 50, "10:00:00:00")
    return replace(made, **changes)  # type: ignore[arg-type]


def clip(of: Source, start: int = 5, end: int = 20, key: str = "k1", **changes: object) -> Clip:
    return replace(Clip(key, of, start, end, f"clip {key}"), **changes)  # type: ignore[arg-type]


def clip_list(*clips: Clip, **changes: object) -> ClipList:
    rate = clips[0].source.rate if clips else Fraction(25)
    return replace(ClipList(7, "Best of", "House", clips, rate), **changes)  # type: ignore[arg-type]


def small_list(film: Path) -> ClipList:
    """All that a list can have, of a film that is there, one without sound, and one with a name to break things."""
    whole = source(str(film), reel="A001", channels=2)
    odd = replace(whole, sha256="cd" * 32, media_path=f"/Volumes/{EVIL}.mov", name=f"{EVIL}\x01\ud83d.mov", channels=0)
    first = clip(
        whole,
        note="two\nlines",
        score=0.8312,
        viral=0.7,
        compelling=0.9,
        band="good",
        reasons=("a laugh", "faces"),
        model="mlp-1",
        decisions=(3, 5),
        rights="cleared",
        embargo_until=date(2026, 1, 1),
        markers=(Marker(7, "here"),),
        lines=(Line(0.3, 0.6, "Hello"),),
        picture=JPEG,
    )
    second = clip(odd, 0, 50, "k2", name=EVIL, score=float("nan"))
    return clip_list(first, second, handles=2, note=EVIL, made_at="2026-11-20T08:00:00Z")


def written(made: ClipList, name: str) -> bytes:
    return b"".join(EXPORTERS[name].write(made))


# --- every format


@pytest.mark.parametrize("name", EXPORTERS)
def test_what_every_format_does(name: str, film: Path) -> None:
    exporter = exporter_named(name)
    assert exporter.name == name
    assert exporter.title
    assert exporter.opens_in
    assert re.fullmatch(r"\.[a-z0-9]+", exporter.suffix)
    made = small_list(film)
    content = written(made, name)
    assert content == written(small_list(film), name)
    assert not any(concern.stops for concern in preflight(made, [name])[name])
    if exporter.shows_pictures:
        assert content != written(replace(made, clips=tuple(replace(c, picture=b"") for c in made.clips)), name)


def test_another_process_elsewhere_writes_the_same(film: Path) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"}
    again = subprocess.run(
        [sys.executable, "-c", AGAIN, str(film)], env=environment, capture_output=True, check=True, cwd=ROOT, text=True
    )
    assert literal_eval(again.stdout) == [written(small_list(film), name) for name in FILES]
    assert datetime.now(UTC).date().isoformat() not in again.stdout


@pytest.mark.parametrize("name", EXPORTERS)
def test_no_format_lets_out_what_is_blocked(name: str, film: Path) -> None:
    made = small_list(film)
    held = replace(made, clips=(made.clips[0], replace(made.clips[1], blocked=("Under embargo until 2027-01-01.",))))
    with pytest.raises(ExportRefused, match=r"^Clip 2 \(.*Under embargo until 2027-01-01\.$"):
        EXPORTERS[name].write(held)
    assert Concern("Under embargo until 2027-01-01.", True, "k2") in preflight(held)[name]
    with pytest.raises(ExportRefused, match="embargo"):
        refuse_stopped(held, name)


@pytest.mark.parametrize("name", EXPORTERS)
@pytest.mark.parametrize(("start", "end"), [(5, 51), (-1, 5), (5, 5), (9, 3)])
def test_no_format_writes_frames_that_are_not_there(name: str, start: int, end: int) -> None:
    made = clip_list(clip(source(), start, end))
    with pytest.raises(ExportRefused, match=f"frames {start} to {end}, and its film has 50"):
        EXPORTERS[name].write(made)
    assert preflight(made)[name][0].stops


def test_empty_lists_and_unknown_formats() -> None:
    with pytest.raises(ExportRefused, match="has no clips"):
        EXPORTERS["json"].write(clip_list())
    with pytest.raises(UnknownName, match="known: clips, csv, "):
        exporter_named("aaf")
    many = clip_list(*(clip(source(), blocked=("No.",), key=f"k{n}") for n in range(9)))
    with pytest.raises(ExportRefused, match=r"Clip 3 \('clip k2'\): No\. And 6 more\.$"):
        refuse_stopped(many, "csv")


# --- what formats cannot carry


def words(made: ClipList, name: str) -> str:
    return "\n".join(concern.words for concern in preflight(made, [name])[name])


def test_an_edl_has_one_rate_and_999_events() -> None:
    other = clip(source(sha256="cd", rate=Fraction(24)), key="k2")
    both = clip_list(clip(source()), other)
    assert preflight(both, ["edl"])["edl"] == [
        Concern(
            "An EDL has one rate: the list's is 25 frames a second, and this film has 24; "
            "make a list of its own for it, or choose FCPXML, FCP7 XML or OTIO.",
            True,
            "k2",
        )
    ]
    for name in ("fcpxml", "fcp7", "otio"):
        assert [concern.stops for concern in preflight(both, [name])[name]] == [False]
        assert "24 frames a second in an edit of 25" in words(both, name)
    long = clip_list(*(clip(source(), key=f"k{n}") for n in range(1000)))
    with pytest.raises(ExportRefused, match=r"999 events, and the list has 1,000 clips; divide"):
        EXPORTERS["edl"].write(long)
    assert b"\n999  " in written(replace(long, clips=long.clips[:999]), "edl")


def test_rates_that_no_timecode_counts() -> None:
    made = clip_list(clip(source(rate=Fraction(25, 2))))
    for name in ("edl", "fcp7"):
        assert "12.5" in words(made, name)
        with pytest.raises(ExportRefused):
            EXPORTERS[name].write(made)
    assert "Final Cut Pro has no timelines of 12.5" in words(made, "fcpxml")
    assert b'frameDuration="2/25s"' in written(made, "fcpxml")
    fast = clip_list(clip(source(rate=Fraction(120), start_timecode=None)))
    assert "fewer than 100" in words(fast, "edl")


def test_what_an_edl_leaves_out_is_said() -> None:
    long = source("/films/ä.mov", reel="A001_C002_0315", channels=6, start_timecode="23:59:59:20", frames=500)
    made = clip_list(clip(long, 0, 20, markers=(Marker(400, "far"),)), clip(source(sha256="cd", start_timecode=None)))
    said = words(made, "edl")
    for part in (
        "timecode passes midnight inside the clip",
        "The reel 'A001_C002_0315' is written A001_C00, since an EDL has room for eight",
        "letters beyond ASCII",
        "two channels of sound, and its film has 6",
        "A marker lies outside of the clip",
        "'feature.mov' has no timecode: it is counted from 00:00:00:00",
    ):
        assert part in said
    assert not any(concern.stops for concern in preflight(made, ["edl"])["edl"])
    wrong = clip_list(clip(source(start_timecode="10:00:00:30")))
    assert "has a timecode that does not exist at its rate (10:00:00:30)" in words(wrong, "edl")
    mixed = clip_list(clip(source(rate=NTSC, start_timecode="01:00:00;00")))
    assert "is drop-frame and the edit is not" in words(mixed, "edl")
    assert words(replace(mixed, drop=True), "edl") == ""


def test_a_varying_rate_is_counted_by_time_and_said() -> None:
    pts = np.concatenate(([0], np.cumsum([30, 50] * 25))).astype(np.int64)
    phone = source(timeline=Timeline(Fraction(25), 50, Fraction(1, 1000), pts))
    made = clip_list(clip(phone, 5, 20))
    # Frame 5 begins at 190 ms, which is nearest to 4.75 → 5 of 25 a second: 200 ms.
    assert (counted(phone, 5), counted(phone, 20)) == (5, 20)
    for name in ("edl", "fcpxml", "fcp7", "otio"):
        assert "'feature.mov' varies: programs count it at 25, so the cut lies up to 10 ms from its frame" in words(
            made, name
        )
    assert words(made, "json") == words(made, "csv") == words(made, "html") == ""
    odd = replace(phone, rate=Fraction(2983, 100))
    assert counted_rate(odd) == NTSC
    assert all(film_frame(odd, Fraction(counted(odd, n))) in (n - 1, n, n + 1) for n in range(50))


# --- names


def test_reels_have_eight_letters_and_are_all_different() -> None:
    def film(number: int, name: str, **changes: str) -> Source:
        return replace(source(name), sha256=f"{number:064x}", media_path=f"/{number}/{name}", **changes)

    films = [
        film(1, "/a long name of a film.mov"),
        film(2, "/a long name, part 2.mov"),
        film(3, "/映画.mov"),
        film(4, "/a_long.mov", reel="A_LONG_N"),
        film(5, "/BL.mov"),
        film(6, "/Ünïcödé film.mov"),
        film(7, "/x.mov", tape="Tape 7"),
    ]
    made = clip_list(*(clip(film, key=film.sha256) for film in films))
    named = list(reels(made).values())
    assert len(set(named)) == len(named) == 7
    assert all(re.fullmatch(r"[A-Z0-9_]{1,8}", reel) for reel in named)
    assert not {"AX", "BL"} & set(named)
    by_film = {key[1]: reel for key, reel in reels(made).items()}
    # Names that people gave are taken first.
    assert by_film["/4//a_long.mov"] == "A_LONG_N"
    assert by_film["/1//a long name of a film.mov"] == "A_LONG_2"
    assert by_film["/3//映画.mov"].startswith("F00")
    assert by_film["/6//Ünïcödé film.mov"] == "UNICODE"
    assert by_film["/7//x.mov"] == "TAPE_7"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/Volumes/A & B/ü #1?.mov", "file:///Volumes/A%20%26%20B/%C3%BC%20%231%3F.mov"),
        ("E:\\Media\\100% film.mov", "file:///E:/Media/100%25%20film.mov"),
        ("\\\\nas\\share\\film.mov", "file://nas/share/film.mov"),
        ("/srv/half\udcff.mov", "file:///srv/half%FF.mov"),
        ("/srv/two//slashes", "file:///srv/two//slashes"),
    ],
)
def test_addresses_of_files_on_any_system(path: str, url: str) -> None:
    assert file_url(path) == url
    assert path_of(url) == path
    if not path.startswith("\\\\"):
        assert path_of(file_url(path, "localhost")) == path


def test_a_stamp_that_somebody_broke_is_none() -> None:
    whole = "x SELECTS key=a film=b frames=1-2 edit=25 score=0.5"
    found = read_stamp(whole)
    assert found is not None
    assert (found.key, found.film, found.start_frame, found.score, found.handles) == ("a", "b", 1, 0.5, 0)
    for broken in ("", "SELECTS", "SELECTS key=a", whole.replace("1-2", "1"), whole.replace("25", "1/0")):
        assert read_stamp(broken) is None


# --- JSON, CSV, the contact sheet


def test_the_schema_is_published_and_holds(film: Path) -> None:
    published = (ROOT / "backend/exports/list.schema.json").read_text()
    assert published == schema()
    validator = jsonschema.Draft202012Validator(json.loads(published))
    validator.check_schema(json.loads(published))
    made = json.loads(written(small_list(film), "json"))
    validator.validate(made)
    assert made["films"][0]["rate"] == "25"
    first, second = made["clips"]
    assert (first["start_timecode"], first["end_timecode"]) == ("10:00:00:05", "10:00:00:20")
    assert (first["start_s"], first["end_s"]) == (0.2, 0.8)
    assert (first["exported_start_frame"], first["exported_end_frame"]) == (3, 22)
    assert (first["record_in"], first["record_out"]) == ("01:00:00:00", "01:00:00:19")
    assert (first["embargo_until"], first["decisions"], first["score"]) == ("2026-01-01", [3, 5], 0.8312)
    assert second["score"] is None
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(made | {"version": 2})


def test_csv_is_a_table_without_formulas() -> None:
    made = clip_list(clip(source(), name="=HYPERLINK(1)", note="+1\n2", reasons=("@a", "b")), clip(source(), name="'x"))
    rows = list(csv.DictReader(io.StringIO(written(made, "csv").decode(), newline="")))
    assert [row["name"] for row in rows] == ["'=HYPERLINK(1)", "'x"]
    assert (rows[0]["note"], rows[0]["reasons"]) == ("'+1\n2", "'@a; b")
    assert (rows[0]["start_timecode"], rows[0]["duration_s"], rows[0]["score"]) == ("10:00:00:05", "0.6", "")


def test_the_contact_sheet_needs_nothing_and_shows_everything_as_text(film: Path) -> None:
    page = Page(written(small_list(film), "html").decode())
    assert "script" not in [tag for tag, _ in page.tags]
    assert page.all("img")[0]["src"] == "data:image/jpeg;base64,/9j/4CBhIHBpY3R1cmU="
    assert len(page.all("img")) == 1
    assert "<script>alert('x')</script>" in page.words
    for part in (
        "1. clip k1",
        "0.83",
        "good",
        "a laugh",
        "cleared",
        "10:00:00:05 – 10:00:00:20",
        "No picture",
        "2 frames",
    ):
        assert part in page.words
    addresses = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert all(address.startswith("data:") for address in addresses)
