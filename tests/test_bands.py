"""Stretches that are no clip: black, bars, tone, logos and credits, in films made for it and in real ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.analysis.view import watched
from backend.media.audio import Sound, analyse_sound, read_samples, whole_seconds
from backend.media.bands import Watched, find_bands
from backend.media.decode import Damage
from backend.media.lettering import lettering_share
from backend.media.probe import probe_film
from backend.media.scan import Scan, ScanRequest, scan_film
from backend.media.signals import FRAME_SIGNALS
from tests.films import run_ffmpeg

LIVE, LIVELY, BLACK = "mandelbrot=s=320x180:r=10", "testsrc2=s=320x180:r=10", "color=black:s=320x180:r=10"
PEOPLE = ("Somebody Nobody", "Another Person", "John Fiddlesticks", "Cutter McSplice", "Ann Onymous", "Lorem I. Dolor")
LINE_HEIGHT, GLYPH = 22, 7


def join(path: Path, *parts: tuple[str | Path, float], sound: str = "") -> Path:
    """Sources (lavfi, or a file of pictures) one after another, 10 frames a second."""
    inputs: list[str | Path] = []
    labels = ""
    for number, (source, seconds) in enumerate(parts):
        inputs += ["-f", "lavfi", "-i", source] if isinstance(source, str) else ["-i", source]
        size = "scale=320:180,setsar=1,format=yuv420p,fps=10"
        labels += f"[{number}]{size},trim=duration={seconds},setpts=PTS-STARTPTS[v{number}];"
    labels += "".join(f"[v{n}]" for n in range(len(parts))) + f"concat=n={len(parts)}[v]"
    heard = ["-map", str(len(parts)), "-shortest", "-c:a", "pcm_s16le"] if sound else []
    inputs += ["-f", "lavfi", "-i", sound] if sound else []
    run_ffmpeg(*inputs, "-filter_complex", labels, "-map", "[v]", *heard, "-preset", "ultrafast", path)
    return path


def look(path: Path) -> Scan:
    return scan_film(probe_film(path), ScanRequest(fast=True), lambda shot: None)


def bands(path: Path) -> dict[str, list[list[float]]]:
    """The bands of a film, as `find` sees them."""
    scan, probe = look(path), probe_film(path)
    seconds = whole_seconds(scan.timeline.duration_s)
    sound = analyse_sound(read_samples(probe, Damage())).fitted(seconds) if probe.audio else Sound.silence(seconds)
    found = find_bands(watched(scan, seconds), sound.loudness_db, sound.onsets)
    assert all(rows.shape == (len(rows), 2) and np.all(rows[:, 1] > rows[:, 0]) for rows in found.values())
    return {name: rows.round(3).tolist() for name, rows in found.items()}


def words(seed: int, lines: int, width: int) -> np.ndarray:
    """Something like centred white lettering on nothing: grey uint8 [lines * LINE_HEIGHT, width]."""
    rng = np.random.default_rng(seed)
    page = np.zeros((lines * LINE_HEIGHT, width), np.uint8)
    for line in range(0, lines, 2):
        letters = int(rng.integers(10, 22))
        left = (width - letters * GLYPH) // 2
        for letter in range(letters):
            if rng.random() < 0.12:
                continue
            x, y = left + letter * GLYPH, line * LINE_HEIGHT + 6
            page[y : y + 10, x : x + 2] = 235
            row = y + int(rng.integers(0, 8))
            page[row : row + 2, x : x + 5] = 235
    return page


def roll(path: Path, seconds: float, ground: tuple[int, int, int]) -> Path:
    """A roll of credits on a plain ground, 320 x 180."""
    page = words(1, 2 * int(seconds), 320)
    page = np.concatenate([np.zeros((180, 320), np.uint8), page, np.zeros((180, 320), np.uint8)])
    frames = []
    for number in range(round(seconds * 10)):
        top = round(number / (seconds * 10) * (len(page) - 180))
        frames.append(np.maximum(np.array(ground, np.uint8), page[top : top + 180, :, None]).tobytes())
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x180", "-r", 10, "-i", "pipe:0")
    run_ffmpeg(*raw, "-preset", "ultrafast", "-pix_fmt", "yuv420p", path, data=b"".join(frames))
    return path


def test_black_is_found_to_the_frame(tmp_path: Path) -> None:
    film = join(tmp_path / "film.mp4", (BLACK, 3), (LIVE, 18), (BLACK, 2), (LIVELY, 18), (BLACK, 0.3), (LIVE, 4))
    found = bands(film)
    assert found["black"] == [[0, 3], [21, 23]]
    assert found["credits"] == found["bars"] == found["tone"] == []


@pytest.mark.parametrize("source", ["smptebars", "smptehdbars", "pal75bars", "pal100bars"])
def test_bars_and_tone(tmp_path: Path, source: str) -> None:
    tone = "aevalsrc='0.1*sin(2*PI*1000*t)*lt(t,6)+0.2*(random(0)-0.5)*gte(t,6)*gt(mod(t,1.7),1)':s=48000"
    found = bands(join(tmp_path / "film.mkv", (f"{source}=s=320x180:r=10", 6), (LIVE, 20), (LIVELY, 8), sound=tone))
    assert found["bars"] == [[0, 6]]
    assert found["tone"] == [[0, 6]]
    assert found["credits"] == []


def test_bars_in_a_narrower_picture(tmp_path: Path) -> None:
    bars = "smptebars=s=240x180:r=10,pad=320:180:40:0"
    assert bands(join(tmp_path / "film.mkv", (bars, 4), (LIVE, 20), (LIVELY, 8)))["bars"] == [[0, 4]]


def test_a_bright_picture_that_stands_still_is_no_bars(tmp_path: Path, films: Path) -> None:
    still = tmp_path / "still.png"
    run_ffmpeg("-ss", 130, "-i", films / "big_buck_bunny_360p.mp4", "-vf", "hue=s=2.5", "-frames:v", 1, still)
    frozen = tmp_path / "frozen.mkv"
    run_ffmpeg("-loop", 1, "-i", still, "-t", 4, "-r", 10, "-pix_fmt", "yuv420p", frozen)
    film = join(tmp_path / "film.mkv", (LIVE, 20), (frozen, 4), (LIVELY, 8))
    colour = look(film).signals[220, FRAME_SIGNALS.index("colour")]
    assert colour > 0.5
    assert bands(film)["bars"] == []


def test_a_title_on_a_plain_ground_is_a_logo_only_at_the_start(tmp_path: Path) -> None:
    title = "color=0xe0e0e8:s=320x180:r=10,drawbox=x=120:y=70:w=80:h=40:color=0xc02020:t=fill"
    found = bands(join(tmp_path / "film.mp4", (title, 4), (LIVE, 25), (title, 4), (LIVELY, 25)))
    assert found["logo"] == [[0, 4]]


SKY = "color=0x9fb8d8:s=320x180:r=10"
PLAIN_SCENES = {
    "horizon": f"{SKY},drawbox=x=0:y=125:w=320:h=55:color=0xd8c89f:t=fill",
    "somebody before a wall": f"{SKY},drawbox=x=130:y=60:w=60:h=120:color=0x303030:t=fill",
    "a bird in the sky": f"{SKY},drawbox=x=60:y=40:w=40:h=20:color=0x202020:t=fill",
    "light that falls off": f"{SKY},vignette=angle=0.25",
}


@pytest.mark.parametrize("scene", PLAIN_SCENES.values(), ids=PLAIN_SCENES)
def test_a_plain_scene_that_stands_still_is_no_logo(tmp_path: Path, scene: str) -> None:
    film = join(tmp_path / "film.mp4", (scene, 5), (LIVE, 25), (LIVELY, 25))
    flatness = look(film).signals[20, FRAME_SIGNALS.index("flatness")]
    assert flatness > 0.6
    assert bands(film)["logo"] == []


@pytest.mark.parametrize("ground", [(0, 0, 0), (96, 104, 144)], ids=["on black", "on blue"])
def test_a_roll_of_credits_is_found_and_nothing_before_it(tmp_path: Path, ground: tuple[int, int, int]) -> None:
    credits_roll = roll(tmp_path / "roll.mp4", 30, ground)
    found = bands(join(tmp_path / "film.mp4", (LIVE, 40), (LIVELY, 30), (LIVE, 30), (credits_roll, 30)))
    assert found["credits"]
    assert abs(min(start for start, _ in found["credits"]) - 100) <= 4
    assert max(end for _, end in found["credits"]) >= 127


def test_a_film_without_credits_has_none(tmp_path: Path) -> None:
    found = bands(join(tmp_path / "film.mp4", (LIVE, 20), (LIVELY, 20), (LIVE, 20)))
    assert {name: rows for name, rows in found.items() if rows} == {}


def test_lettering_is_told_from_other_detail() -> None:
    page = np.repeat(words(2, 8, 320)[:176, :, None], 3, axis=2)
    dots = np.zeros((176, 320, 3), np.uint8)
    dots[::16, ::16] = 255
    noise = np.random.default_rng(0).integers(0, 255, (176, 320, 3), np.uint8)
    assert lettering_share(page) > 0.04
    assert lettering_share(dots) == 0
    assert lettering_share(np.full((176, 320, 3), 200, np.uint8)) == 0
    assert lettering_share(noise) < 0.02


def test_the_credits_of_a_real_film(tmp_path: Path, films: Path) -> None:
    """Big Buck Bunny's start at 490.6 s. Of its last 150 s the part before them stands for the minutes of story."""
    tail = tmp_path / "tail.mp4"
    begin_s = 446.0
    run_ffmpeg("-ss", begin_s, "-i", films / "big_buck_bunny_360p.mp4", "-an", "-c", "copy", tail)
    scan = look(tail)
    begin_s = 596.458 - scan.timeline.duration_s
    story_s, times = 40, 9
    found_in = watched(scan, whole_seconds(scan.timeline.duration_s))
    frames = scan.timeline.frame_at(story_s)

    def repeat(values: np.ndarray, rows: int) -> np.ndarray:
        return np.concatenate([np.tile(values[:rows], (times, *[1] * (values.ndim - 1))), values])

    signals = repeat(scan.signals, frames)
    longer = replace(
        found_in,
        signals=signals,
        fingerprints=repeat(scan.fingerprints, frames),
        frame_s=np.arange(len(signals) + 1) / float(scan.timeline.rate),
        shots=np.concatenate([[[0, times * frames]], scan.shots + times * frames]),
        titles=scan.titles + times * frames,
        lettering=repeat(found_in.lettering, story_s),
    )
    silent = Sound.silence(len(longer.lettering))
    found = find_bands(longer, silent.loudness_db, silent.onsets)
    assert len(found["credits"])
    start_s = found["credits"][:, 0].min() - times * story_s + begin_s
    assert abs(start_s - 490.6) <= 6
    assert found["credits"][:, 1].max() - times * story_s + begin_s > 560


def test_signals_of_one_frame_are_enough() -> None:
    """Tables of the shortest film there is."""
    row = np.zeros((1, len(FRAME_SIGNALS)), np.float32)
    dark = np.zeros((1, 9, 16), np.uint8)
    shortest = Watched(row, dark, np.array([0, 0.04]), np.array([[0, 1]]), np.zeros((0, 2), np.int64), np.zeros(1))
    silent = Sound.silence(1)
    found = find_bands(shortest, silent.loudness_db, silent.onsets)
    assert {rows.shape for rows in found.values()} == {(0, 2)}
