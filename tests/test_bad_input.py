"""Every file is analysed as far as it goes, with a warning that says what was lost, or refused in one sentence."""

import json
import os
import re
import resource
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from backend.analysis.find import Findings, FindRequest, find
from backend.analysis.findings import to_json
from backend.analysis.pictures import keyframe_path
from backend.errors import FilmUnreadable
from backend.media.probe import probe_film
from tests import bad_films as bad
from tests.bad_films import Maker, ffmpeg, holding, made
from tests.films import read_frame_number

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n"
HLS = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nother.ts\n#EXTINF:6,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
DASH = b'<?xml version="1.0"?><MPD><Period><BaseURL>other.mov</BaseURL></Period></MPD>'
SDP = (
    b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9999 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
)

REFUSED: dict[str, tuple[str, Maker, str]] = {
    "empty": ("film.mp4", holding(b""), "it is empty"),
    "index missing": ("film.mov", bad.without_index, r"index \(moov\) is missing or broken"),
    "random bytes": ("film.mp4", holding(np.random.default_rng(2).bytes(200_000)), "not a video"),
    "text": ("film.mp4", holding(b"Dear diary, today nothing happened.\n" * 50), "not a video"),
    "png": ("film.mp4", bad.picture("png"), "it is a picture"),
    "jpg": ("film.mp4", bad.picture("jpg"), "it is a picture"),
    "gif": ("film.mp4", bad.picture("gif"), "it is a picture"),
    "webp": ("film.mp4", bad.picture("webp"), "it is a picture"),
    "mp3": ("film.mp3", ffmpeg("-i", "BASE", "-vn"), "audio only"),
    "wav": ("film.wav", ffmpeg("-i", "BASE", "-vn"), "audio only"),
    "m4a": ("film.m4a", ffmpeg("-i", "BASE", "-vn"), "audio only"),
    "mp3 with cover": ("film.mp3", bad.with_cover, "audio only"),
    "m4a with cover": ("film.m4a", bad.with_cover, "audio only"),
    "srt": ("film.srt", holding(SRT), "subtitles only"),
    "srt named mp4": ("film.mp4", holding(SRT), "subtitles only"),
    "vtt": ("film.vtt", holding(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n"), "subtitles only"),
    "hls": ("film.mp4", holding(HLS), "points at other files"),
    "ffconcat": ("film.mp4", holding(b"ffconcat version 1.0\nfile other.mov\n"), "points at other files"),
    "concat script": ("film.mp4", holding(b"file 'other.mov'\n"), "not a video"),
    "dash": ("film.mp4", holding(DASH), "points at other files"),
    "pls": ("film.mp4", holding(b"[playlist]\nFile1=other.mov\n"), "points at other files"),
    "sdp": ("film.mp4", holding(SDP), "points at other files"),
    "avisynth": ("film.avs", holding(b'AviSource("other.avi")\n'), "not a video"),
    "picture elsewhere": ("film.mov", bad.elsewhere, "."),
    "zero size": ("film.avi", bad.motion_jpeg(None, (0, 0)), "not one frame"),
    "directory": ("film.mp4", lambda base, to: to.mkdir(), "it is a directory"),
    "fifo": ("film.mp4", bad.fifo, "not a regular file"),
    "socket": ("film.mp4", bad.unix_socket, "not a regular file"),
    "dangling link": ("film.mp4", lambda base, to: to.symlink_to("nowhere.mp4"), "no such file"),
    "no file": ("film.mp4", lambda base, to: None, "no such file"),
}


@dataclass(frozen=True)
class Seen:
    """What must be found: length and cuts (None: not checked), seconds with a click, what the warnings must say."""

    duration_s: float | None = 6.0
    cuts_s: tuple[float, ...] | None = (2.0, 4.0)
    clicks: tuple[int, ...] | None = (1, 3, 5)
    warning: str = ""


SILENT = Seen(clicks=(), warning="there is no sound")
USED: dict[str, tuple[str, Maker, Seen]] = {
    "mp4 cut in the middle": ("film.mp4", bad.cut_off(0.6), Seen(None, None, None, "header promises 6.0 s, only")),
    "mkv cut in the middle": ("film.mkv", bad.cut_off(0.6), Seen(None, None, None, "header promises 6.0 s, only")),
    "ts cut in the middle": ("film.ts", bad.cut_off(0.6), Seen(None, None, None, "ends in the middle of a packet")),
    "avi cut in the middle": ("film.avi", bad.cut_off(0.3), Seen(None, None, None, "header promises 6.0 s, only")),
    "garbage in mp4": ("film.mp4", bad.with_garbage, Seen(6.0, None, None, "could not be decoded")),
    "garbage in mkv": ("film.mkv", bad.with_garbage, Seen(6.0, None, (1, 5), "pictures are missing")),
    "garbage in ts": ("film.ts", bad.with_garbage, Seen(6.0, None, (1, 5), "pictures are missing|damaged")),
    "garbage in avi": ("film.avi", bad.with_garbage, Seen(None, None, None, "could not be decoded")),
    "video only": ("film.mp4", ffmpeg("-i", "BASE", "-an", "-c", "copy"), SILENT),
    "one frame": ("film.mp4", made(frames=1, cuts=(), clicks_s=()), Seen(0.04, (), ())),
    "0.3 seconds": ("film.mp4", made(frames=8, cuts=(), clicks_s=()), Seen(0.32, (), ())),
    "varying rate": ("film.mkv", made(durations_ms=(20, 60, 40, 80), cuts=(40, 80)), Seen(7.48, (2.0, 4.0), (1, 3, 5))),
    "varying rate, jitter": (
        "film.mkv",
        made(durations_ms=(33, 47, 28, 52), cuts=(50, 100)),
        Seen(6.0, (2.0, 4.0), (1, 3, 5)),
    ),
    "odd size, 4:4:4": ("film.mp4", made(size=(321, 181), pixel_format="yuv444p"), Seen()),
    "turned 90": ("film.mp4", made(rotation=90), Seen()),
    "turned 180": ("film.mp4", made(rotation=180), Seen()),
    "turned 270": ("film.mp4", made(rotation=270), Seen()),
    "interlaced": ("film.mp4", made(video=["-flags", "+ildct+ilme", "-x264opts", "tff=1"]), Seen()),
    "5.1": ("film.mp4", made(channels=6), Seen()),
    "8-bit mono 8 kHz, b-frames in avi": (
        "film.avi",
        ffmpeg("-i", "BASE", "-c:v", "copy", "-c:a", "pcm_u8", "-ar", "8000", "-ac", "1"),
        Seen(),
    ),
    "second sound is the default one": (
        "film.mkv",
        ffmpeg(
            "-f",
            "lavfi",
            "-i",
            "sine=d=6",
            "-i",
            "BASE",
            "-map",
            "1:v",
            "-map",
            "0:a",
            "-map",
            "1:a",
            "-c:v",
            "copy",
            "-disposition:a:0",
            "0",
            "-disposition:a:1",
            "default",
        ),
        Seen(),
    ),
    "starts at 1000 s, ts": ("film.ts", made(start_s=1000), Seen()),
    "starts at 5 s, mp4": ("film.mp4", made(start_s=5), Seen()),
    "starts at 5 s, mkv": ("film.mkv", made(start_s=5), Seen()),
    "edit list": ("film.mp4", ffmpeg("-ss", "1.5", "-i", "BASE", "-c", "copy"), Seen(4.48, (0.48, 2.48), (1, 3))),
    "no time stamps at all": ("film.h264", ffmpeg("-i", "BASE", "-an", "-c", "copy"), SILENT),
    "stamps jump back": (
        "film.ts",
        bad.joined(0, 0),
        Seen(12.0, (2.0, 4.0, 6.0, 8.0, 10.0), (1, 3, 5, 7, 9, 11), "jump"),
    ),
    "stamps jump far ahead": (
        "film.ts",
        bad.joined(0, 5000),
        Seen(12.0, (2.0, 4.0, 6.0, 8.0, 10.0), (1, 3, 5, 7, 9, 11), "jump"),
    ),
    "sound changes on the way": ("film.ts", bad.sound_changes, Seen(11.92, None, (1, 3, 5, 6, 8, 10), "jump|damaged")),
    "sound is not a number": ("film.mkv", bad.not_a_number, Seen(clicks=None)),
    "sound too long": (
        "film.mp4",
        ffmpeg("-i", "BASE", "-f", "lavfi", "-i", "anoisesrc=a=0.1:d=20", "-map", "0:v", "-map", "1:a", "-c:v", "copy"),
        Seen(clicks=None),
    ),
    "sound too short": ("film.mp4", ffmpeg("-i", "BASE", "-af", "atrim=end=2", "-c:v", "copy"), Seen(clicks=(1,))),
    "film with cover art": ("film.mp4", bad.film_with_cover, Seen()),
    "two pictures": ("film.mkv", bad.two_pictures, Seen()),
    "header says 30000 x 30000": ("film.avi", bad.motion_jpeg((30_000, 30_000), None), SILENT),
    "header says 65535 x 65535": ("film.avi", bad.motion_jpeg((65_535, 65_535), None), SILENT),
    "link to a film": ("film.mp4", lambda base, to: to.symlink_to(base), Seen()),
}
HDR = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params",
       "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc")  # fmt: skip
USED["10 bits, PQ"] = ("film.mp4", ffmpeg("-i", "BASE", *HDR), Seen(warning="HDR"))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad.good_film(tmp_path_factory.mktemp("base") / "base.mp4")


def found(film: Path, home: Path, fast: bool = False) -> tuple[Findings, dict[str, Any]]:
    findings = find(FindRequest(film=film, home=home, min_s=1, max_s=3, fast=fast))
    made_json = to_json(findings, {})
    json.dumps(made_json, allow_nan=False)
    return findings, made_json


FAST = pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])


@FAST
@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_name_and_reason(case: str, fast: bool, base: Path, home: Path, tmp_path: Path) -> None:
    name, make, reason = REFUSED[case]
    make(base, tmp_path / name)
    with pytest.raises(FilmUnreadable, match=reason) as refusal:
        find(FindRequest(film=tmp_path / name, home=home, fast=fast))
    sentence = str(refusal.value)
    assert sentence.startswith(f"Cannot read {name!r}: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence


@FAST
@pytest.mark.parametrize("case", USED)
def test_used_as_far_as_it_goes(case: str, fast: bool, base: Path, home: Path, tmp_path: Path) -> None:
    name, make, wanted = USED[case]
    make(base, tmp_path / name)
    findings, answer = found(tmp_path / name, home, fast)
    movie, timeline = answer["movie"], findings.analysis.scan.timeline
    assert answer["clips"]
    assert all(0 <= clip["start_s"] < clip["end_s"] <= movie["duration_s"] + 1e-6 for clip in answer["clips"])
    if wanted.duration_s is not None:
        assert movie["duration_s"] == pytest.approx(wanted.duration_s, abs=0.05)
    else:
        assert 1.5 < movie["duration_s"] < 5.9
    if wanted.cuts_s is not None:
        assert movie["cuts_s"] == pytest.approx(list(wanted.cuts_s), abs=0.001 if timeline.pts is None else 0.03)
    if wanted.clicks is not None:
        loud = np.flatnonzero(findings.analysis.sound.loudness_db > -40)
        assert loud.tolist() == list(wanted.clicks)
    film_warnings = findings.analysis.warnings
    assert re.search(wanted.warning, "\n".join(film_warnings)) if wanted.warning else not film_warnings


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_are_upright_and_of_their_frame(rotation: int, home: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    made(rotation=rotation, size=(640, 360))(film, film)
    findings, _ = found(film, home)
    scan = findings.analysis.scan
    assert len(scan.keyframes) == 3
    for frame in (frame for shot in scan.keyframes for frame in shot):
        picture = cv2.imread(str(keyframe_path(findings.analysis.pictures, frame)), cv2.IMREAD_GRAYSCALE)
        assert picture.shape[1] > picture.shape[0]
        assert read_frame_number(picture) == frame


@pytest.mark.parametrize("size", [(16_000, 16_000), (65_500, 65_500)])
def test_a_huge_picture_takes_no_memory(size: tuple[int, int], base: Path, home: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    bad.motion_jpeg(None, size)(base, film)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FilmUnreadable, match=r"not one frame|too large"):
        find(FindRequest(film=film, home=home))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_a_film_that_may_not_be_read(base: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        film.write_bytes(base.read_bytes())
        film.chmod(0)
        Path(folder).chmod(0o755)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            with pytest.raises(FilmUnreadable, match=r"Cannot read 'film.mp4': permission denied\."):
                probe_film(film)
        finally:
            if is_root:
                os.seteuid(0)
