"""What is kept between runs: whole or not at all, found again by content, and equal to what was seen the first time."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.analysis.cache import FilmCache
from backend.analysis.film import Analysis, analyse
from backend.analysis.request import AnalysisRequest
from backend.errors import FilmUnreadable, OutputError
from backend.features.base import Extracted, Extractor, ShotMaterial
from backend.features.registry import EXTRACTORS, PROFILES
from backend.features.schema import Block, FeatureSchema
from backend.files import folder_atomically
from backend.media.lines import Line
from tests.command import COMMAND, environment
from tests.films import make_film, run_ffmpeg

NAMES = ("mel", "dynamics", "colour")
SCHEMA = FeatureSchema("small", 1, tuple(Block(c.block, c.dimension, c.name) for c in map(EXTRACTORS.get, NAMES) if c))


class Watched(Extractor):
    """A mean colour a shot; notes how often it was asked, and may fail."""

    name, block, dimension, reads = "watched", "watched", 3, frozenset({"keyframes"})

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.failure: BaseException | None = None

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        if self.failure:
            raise self.failure
        self.seen += len(shots)
        return Extracted(np.array([np.mean([k.mean((0, 1)) for k in s.keyframes], axis=0) for s in shots], np.float32))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    return make_film(folder / "film.mp4", frames=200, cuts=(40, 90, 131), clicks_s=(1.0, 2.5, 4.0))


@pytest.fixture
def film(tmp_path: Path, source: Path) -> Path:
    return Path(shutil.copy(source, tmp_path / "film.mp4"))


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def request_(tmp_path: Path, film: Path, watched: Watched) -> AnalysisRequest:
    extractors = {name: EXTRACTORS[name]() for name in NAMES} | {"watched": watched}
    return AnalysisRequest(path=film, home=tmp_path / "home", schema=SCHEMA, extractors=extractors)


def stages(request: AnalysisRequest) -> tuple[Analysis, set[str]]:
    """The analysis, and the stages that had to work for it."""
    told: set[str] = set()
    return analyse(request, lambda stage, done, total: told.add(stage)), told


def same(one: Analysis, other: Analysis) -> None:
    assert np.array_equal(one.vectors, other.vectors)
    assert np.array_equal(one.scan.shots, other.scan.shots)
    assert np.array_equal(one.scan.signals, other.scan.signals)
    assert np.array_equal(one.scan.fingerprints, other.scan.fingerprints)
    assert np.array_equal(one.scan.lettering, other.scan.lettering)
    assert one.scan.keyframes == other.scan.keyframes
    assert one.scan.timeline == other.scan.timeline
    assert np.array_equal(one.sound.log_mel, other.sound.log_mel)
    assert np.array_equal(one.sound.loudness_db, other.sound.loudness_db)
    assert np.array_equal(one.speech_s, other.speech_s)
    for name, extracted in one.features.items():
        assert np.array_equal(extracted.vectors, other.features[name].vectors), name
        assert len(extracted.faces) == len(other.features[name].faces)
    assert one.warnings == other.warnings


def left_over(home: Path) -> list[str]:
    """Anything temporary that was not cleaned away."""
    return [str(path) for path in home.rglob("*") if path.name.endswith(".part")]


# --- a second run


def test_a_second_run_decodes_nothing_and_sees_the_same(request_: AnalysisRequest, watched: Watched) -> None:
    first, worked = stages(request_)
    assert worked == {"checksum", "decode", "sound"}
    assert watched.seen == 4
    second, worked = stages(request_)
    assert worked == set()
    assert watched.seen == 4
    same(first, second)
    assert left_over(request_.home) == []


def test_features_made_of_stored_pictures_equal_those_of_the_decode_pass(
    request_: AnalysisRequest, watched: Watched
) -> None:
    first = analyse(request_)
    shutil.rmtree(request_.home / "features")
    second, worked = stages(request_)
    assert worked == {"features"}
    assert watched.seen == 8
    same(first, second)


def test_so_do_the_networks_features(tmp_path: Path, films: Path) -> None:
    """EfficientNet and faces on three real seconds."""
    clip = tmp_path / "clip.mp4"
    run_ffmpeg("-i", films / "faces_stage_360p.mp4", "-t", 3, "-c", "copy", clip)
    names = ("efficientnet", "faces")
    extractors = {name: EXTRACTORS[name](cache=tmp_path / "home" / "networks") for name in names}
    schema = FeatureSchema("two", 1, tuple(b for b in PROFILES["embedded"].schema.blocks if b.extractor in names))
    wanted = AnalysisRequest(path=clip, home=tmp_path / "home", schema=schema, extractors=extractors)
    first = analyse(wanted)
    assert sum(map(len, first.features["faces"].faces)) > 0
    shutil.rmtree(wanted.home / "features")
    second = analyse(wanted)
    same(first, second)
    for one, other in zip(first.features["faces"].faces, second.features["faces"].faces, strict=True):
        assert [(f.frame, f.x, f.y) for f in one] == [(f.frame, f.x, f.y) for f in other]


def test_a_film_is_known_by_its_content(request_: AnalysisRequest, watched: Watched) -> None:
    """Renamed, moved and touched it keeps what is known of it; changed it does not."""
    first = analyse(request_)
    moved = request_.path.rename(request_.path.with_name("another name.mp4"))
    second, worked = stages(replace(request_, path=moved))
    assert worked == {"checksum"}
    assert second.sha256 == first.sha256
    assert second.probe.path == moved
    same(first, second)
    with moved.open("ab") as file:
        file.write(b"\0\0\0\x08free")
    third, worked = stages(replace(request_, path=moved))
    assert "decode" in worked
    assert third.sha256 != first.sha256
    assert watched.seen == 8


def test_another_detector_and_fast_have_scans_of_their_own(request_: AnalysisRequest) -> None:
    requests = [request_, replace(request_, detector="content"), replace(request_, fast=True)]
    made = [analyse(one) for one in requests]
    folders = {one.pictures for one in made}
    assert len(folders) == 3
    assert all((folder / "scan.json").is_file() for folder in folders)
    assert len({one.scan_key for one in requests}) == 3
    for one, before in zip(requests, made, strict=True):
        again, worked = stages(one)
        assert worked == set()
        same(before, again)


def test_an_extractor_of_a_new_version_is_asked_again(request_: AnalysisRequest, watched: Watched) -> None:
    analyse(request_)
    watched.version = 2  # type: ignore[misc]
    _, worked = stages(request_)
    assert worked == {"features"}
    assert watched.seen == 8


def test_subtitles_that_appear_later_are_taken_along(request_: AnalysisRequest) -> None:
    assert analyse(request_).dialogue == ()
    request_.path.with_suffix(".srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello.\n")
    analysis, worked = stages(request_)
    assert [line.text for line in analysis.dialogue] == ["Hello."]
    assert worked == set()


def test_a_text_track_is_read_once(request_: AnalysisRequest) -> None:
    """What was kept is believed, so the film was not read again; what is broken is made again."""
    words, film = request_.path.with_name("words.txt"), request_.path.with_name("film.mkv")
    words.write_text("1\n00:00:01,000 --> 00:00:02,500\nHello, Zoë.\n")
    run_ffmpeg("-i", request_.path, "-f", "srt", "-i", words, "-c:v", "copy", "-c:a", "copy", "-c:s", "srt", film)
    wanted = replace(request_, path=film)
    assert analyse(wanted).dialogue == (Line(1.0, 2.5, "Hello, Zoë."),)
    (kept,) = request_.home.glob("films/*/lines-*.json")
    kept.write_text(kept.read_text().replace("Hello", "Goodbye"))
    assert [line.text for line in analyse(wanted).dialogue] == ["Goodbye, Zoë."]
    kept.write_bytes(b"[[1")
    assert analyse(wanted).dialogue == (Line(1.0, 2.5, "Hello, Zoë."),)


# --- what goes wrong


@pytest.mark.parametrize("part", ["decode", "sound"])
@pytest.mark.parametrize("how", ["replaced", "written to"])
def test_a_film_that_changes_while_it_is_read_is_not_kept(
    request_: AnalysisRequest, source: Path, part: str, how: str
) -> None:
    """A copy that is still on its way, or another cut under the same name: nothing of it stands under the old sum."""
    film, changed = request_.path, list[str]()

    def change(stage: str, _done: float, _total: float) -> None:
        if stage == part and not changed:
            changed.append(stage)
            other = make_film(film.with_name("other.mp4"), frames=60, cuts=(20,))
            if how == "replaced":
                other.replace(film)
            else:
                film.write_bytes(film.read_bytes() + b"\0\0\0\x08free")

    with pytest.raises(FilmUnreadable, match="changed while it was analysed"):
        analyse(request_, change)
    kept = FilmCache(request_.home / "films" / hashlib.sha256(source.read_bytes()).hexdigest())
    assert kept.load_sound() is None if part == "sound" else kept.load_scan(request_.scan_key) is None
    assert left_over(request_.home) == []
    again = analyse(request_)
    assert (again.sha256, again.scan.timeline.frames) == (
        hashlib.sha256(film.read_bytes()).hexdigest(),
        60 if how == "replaced" else 200,
    )


def test_a_film_that_is_only_touched_while_it_is_read_is_the_same(request_: AnalysisRequest) -> None:
    """As a copy that keeps the times of the original is, when it is whole."""
    analysis = analyse(request_, lambda stage, _done, _total: os.utime(request_.path))
    assert len(analysis.scan.shots) == 4


@pytest.mark.parametrize("failure", [RuntimeError("no"), OSError("no"), MemoryError()], ids=lambda f: type(f).__name__)
def test_a_failure_leaves_no_half_scan(request_: AnalysisRequest, watched: Watched, failure: BaseException) -> None:
    watched.failure = failure
    with pytest.raises((type(failure), OutputError)):
        analyse(request_)
    cache = FilmCache(next((request_.home / "films").iterdir()))
    assert not cache.scan_folder(request_.scan_key).exists()
    assert left_over(request_.home) == []
    watched.failure = None
    after, worked = stages(request_)
    assert "decode" in worked
    assert len(after.scan.shots) == 4


class Stop(BaseException):
    """What Ctrl-C raises in the command."""


@pytest.mark.parametrize("stage", ["checksum", "decode"])
def test_an_interrupt_leaves_nothing_half_done(request_: AnalysisRequest, stage: str) -> None:
    def stop(told: str, done: float, total: float) -> None:
        if told == stage:
            raise Stop

    with pytest.raises(Stop):
        analyse(request_, stop)
    assert left_over(request_.home) == []
    assert list(request_.home.rglob("scan.json")) == []
    assert len(analyse(request_).scan.shots) == 4


@pytest.mark.parametrize(
    "damage",
    [
        "scan.npz cut",
        "scan.npz flipped",
        "scan.json cut",
        "a picture missing",
        "a picture cut",
        "sound cut",
        "vectors cut",
    ],
)
def test_damage_is_noticed_and_mended(request_: AnalysisRequest, watched: Watched, damage: str) -> None:
    first = analyse(request_)
    name, what = damage.rsplit(" ", 1)
    path = {
        "scan.npz": first.pictures / "scan.npz",
        "scan.json": first.pictures / "scan.json",
        "a picture": sorted(first.pictures.glob("*.jpg"))[3],
        "sound": next(first.pictures.parent.glob("sound-*.npz")),
        "vectors": next(request_.home.rglob("watched-*.parquet")),
    }[name]
    content = path.read_bytes()
    if what == "missing":
        path.unlink()
    elif what == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        middle = len(content) // 2
        path.write_bytes(
            content[:middle] + bytes(255 - b for b in content[middle : middle + 64]) + content[middle + 64 :]
        )
    if name == "a picture":  # pictures are read again only where features are missing
        shutil.rmtree(request_.home / "features")
    second = analyse(request_)
    same(first, second)
    third, worked = stages(request_)
    assert worked == set()
    same(first, third)


def test_a_kill_leaves_nothing_that_passes_for_whole(tmp_path: Path, films: Path) -> None:
    """The command is killed in the middle of decoding; the next run sweeps what it left and goes on."""
    home = tmp_path / "home"
    command = [*COMMAND, "find", str(films / "people_walking_432p.mp4"), "--json"]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until = time.monotonic() + 300
        while not list(home.glob("films/*/.selects-*/")):
            assert time.monotonic() < until
            assert run.poll() is None
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)
    assert left_over(home)
    assert list(home.rglob("scan.json")) == []
    (film,) = (home / "films").iterdir()
    with folder_atomically(film / "scan") as folder:
        (folder / "scan.json").write_text("{}")
    assert sorted(path.name for path in film.iterdir()) == ["scan"]
