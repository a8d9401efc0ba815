"""The report holds everything, needs nothing, and shows a film's name as text whatever it is."""

import io
import json
import re
import stat
from fractions import Fraction
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.analysis.report import THUMBNAIL_BYTES, ReportData, Thumbnail, render_report, write_report
from backend.clock import clock
from backend.errors import OutputError

VOID = {"meta", "img", "br", "path", "link", "input", "hr"}
EVIL = "<script>alert('x')</script> & \"quotes\" %s {{ 7 * 7 }}"


class Page(HTMLParser):
    """Tags with their attributes, and the visible text; raises where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag: str, kind: str = "") -> list[dict[str, str]]:
        return [
            found for name, found in self.tags if name == tag and (not kind or kind in found.get("class", "").split())
        ]

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def jpeg(shade: int, size: tuple[int, int] = (160, 90)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (shade % 256, 90, 120)).save(file, "JPEG", quality=70)
    return file.getvalue()


def clip(rank: int, start_s: float, end_s: float, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "rank": rank, "start_s": start_s, "end_s": end_s, "score": 0.9 - 0.1 * rank, "viral": 0.7, "compelling": 0.6,
        "start_frame": round(start_s * 25), "end_frame": round(end_s * 25), "band": "good",
        "explanation": {"audio": 0.1, "faces": -0.05},
        "reasons": [f"reason {rank} {EVIL}"], "file": f"/some/where/clips/{rank:02d} a'b\"%<x>.mp4",
    }  # fmt: skip
    return given | more


def data(**more: Any) -> ReportData:
    rising = np.linspace(0, 1, 100)
    given: dict[str, Any] = {
        "title": EVIL,
        "duration_s": 100.0,
        "rate": Fraction(25),
        "facts": [("length", "1:40"), ("sound", EVIL)],
        "warnings": [EVIL],
        "viral": rising,
        "compelling": 1 - rising,
        "score": np.where(rising > 0.9, np.nan, 0.5),
        "scenes": [(0.0, 40.0), (40.0, 100.0)],
        "cuts_s": [10.0, 40.0, 60.0],
        "thumbnails": [Thumbnail(s, jpeg(int(s))) for s in (0.0, 10.0, 40.0, 60.0)],
        "clips": [clip(1, 10, 40), clip(2, 30, 60), clip(3, 60, 90, file=None)],
    }
    return ReportData(**given | more)


def test_the_page_holds_everything() -> None:
    page = Page(render_report(data()))
    assert [bar["data-clip"] for bar in page.all("button", "bar")] == ["0", "1", "2"]
    assert [v["src"] for v in page.all("video")] == [f"./0{n}%20a%27b%22%25%3Cx%3E.mp4" for n in (1, 2)]
    assert {v["preload"] for v in page.all("video")} == {"metadata"}
    assert len(page.all("button", "shot")) == 4
    assert len(page.all("div", "group")) == 2
    assert page.words.count("prior · relative to this film") == 4
    assert "0:10 – 0:40" in page.words
    assert "00:00:10:00 – 00:00:40:00" in page.words
    assert "Not cut." in page.words
    for n in (1, 2, 3):
        assert f"reason {n} {EVIL}" in page.words
    assert [i["class"] for i in page.all("i") if "class" in i] == ["up", "down"] * 3


def test_names_are_text_and_nothing_else() -> None:
    html = render_report(data())
    page = Page(html)
    assert len(page.all("script")) == 1
    assert EVIL in page.words
    assert "alert('x')" not in "".join(re.findall(r"<script>(.*?)</script>", html, re.DOTALL))
    assert "<title>&lt;script&gt;" in html
    assert "{{ 7 * 7 }}" in unescape(html)


def test_nothing_outside_is_named() -> None:
    page = Page(render_report(data()))
    links = [value for _, found in page.tags for name, value in found.items() if name in ("src", "href", "poster")]
    assert links
    assert all(link.startswith(("./", "data:image/jpeg;base64,")) for link in links)
    assert not page.all("link")


def test_bars_that_overlap_have_lanes_of_their_own() -> None:
    tops = [re.search(r"top: (\d+)px", bar["style"]) for bar in Page(render_report(data())).all("button", "bar")]
    assert [match and match[1] for match in tops] == ["0", "36", "0"]


def test_curves_show_gaps_and_the_axis_fits() -> None:
    html = render_report(data(score=np.array([0.5, np.nan, 0.25, 0.25]), viral=np.zeros(0)))
    paths = {found["class"]: found["d"] for found in Page(html).all("path") if "class" in found}
    assert paths["score"].count("M") == 2
    assert paths["viral"] == ""
    assert "nan" not in "".join(paths.values())


def test_what_is_left_out_is_hatched_and_named() -> None:
    page = Page(render_report(data(left_out=[("black", 0.0, 2.0), ("credits", 90.0, 99.0), ("black", 99.0, 100.0)])))
    assert [found["title"] for found in page.all("i", "out")] == [
        "black, 0:00 – 0:02", "credits, 1:30 – 1:39", "black, 1:39 – 1:40"
    ]  # fmt: skip
    assert "left out: black, credits" in page.words
    assert "left out" not in Page(render_report(data())).words


def test_every_clip_shows_a_picture_before_it_plays() -> None:
    page = Page(render_report(data()))
    assert all(video["poster"].startswith("data:image/jpeg") for video in page.all("video"))


def test_timecodes_start_where_the_source_does() -> None:
    page = Page(render_report(data(start_timecode="01:00:00:00")))
    assert "01:00:10:00 – 01:00:40:00" in page.words


def test_a_trained_model_is_not_called_a_prior() -> None:
    assert "relative to this film" not in Page(render_report(data(model="viral-7", is_prior=False))).words


def test_an_empty_report_is_a_page() -> None:
    page = Page(render_report(ReportData("x.mp4", 0.0, Fraction(25))))
    assert "No clip was found." in page.words


def test_a_long_film_stays_below_eight_megabytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=70)
    stored = tmp_path / "one.jpg"
    stored.write_bytes(file.getvalue())
    many = [Thumbnail(3.6 * n, stored) for n in range(2000)]
    assert len(file.getvalue()) * 2000 > THUMBNAIL_BYTES
    path = write_report(tmp_path / "report.html", data(duration_s=7200.0, thumbnails=many))
    assert 5e6 < path.stat().st_size < 8.2e6
    page = Page(path.read_text(encoding="utf-8"))
    seconds = [float(shot["data-second"]) for shot in page.all("button", "shot")]
    assert seconds[0] == 0
    assert seconds[-1] == pytest.approx(1999 * 3.6, abs=0.01)
    assert max(np.diff(seconds)) < 20


def test_a_lost_thumbnail_is_left_out(tmp_path: Path) -> None:
    page = Page(
        render_report(data(thumbnails=[Thumbnail(0.0, tmp_path / "gone.jpg"), Thumbnail(1.0, jpeg(3, (90, 160)))]))
    )
    shots = page.all("button", "shot")
    assert [shot["data-second"] for shot in shots] == ["1.00"]


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "clips" / "report.html"
    write_report(target, data())
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]
    assert stat.S_IMODE(target.stat().st_mode) & stat.S_IRUSR
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"):
        write_report(tmp_path / "file" / "report.html", data())


def test_json_values_are_enough() -> None:
    clips = json.loads(json.dumps([clip(1, 0, 30)]))
    assert "0:00 – 0:30" in Page(render_report(data(clips=clips))).words


@pytest.mark.parametrize(("second", "text"), [(0, "0:00"), (72.4, "1:12"), (59.6, "0:59"), (3725, "1:02:05")])
def test_clock(second: float, text: str) -> None:
    assert clock(second) == text
