"""From titles to vectors: batches, pieces, and the parts of films that are read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from backend.analysis.catalogue import pipeline
from backend.analysis.catalogue.state import Row
from backend.analysis.catalogue.titles import Title
from backend.errors import InputError
from backend.features.base import Vectors
from backend.features.catalogue.base import Model
from backend.features.catalogue.origins import Nothing
from backend.media.excerpts import clip_starts, read_clips, read_start_of_sound

# -- the pipeline


class Counting(Model):
    """Gives the length of what it gets, and runs out of memory above four at a time."""

    modality, name, published, dimension, licence = "text", "counting", "counting", 1, "none"
    origin, preparation, batch = Nothing(), "none", (16, 16)

    def load(self, device: str) -> None:
        self.seen: list[int] = []

    def prepare(self, given: str) -> list[str]:
        if given == "bad":
            raise InputError("it is bad.")
        return given.split(" ")

    def vectors(self, pieces: Sequence[str]) -> Vectors:
        if len(pieces) > 4:
            raise RuntimeError("CUDA out of memory")
        self.seen.append(len(pieces))
        return np.array([[float(piece)] for piece in pieces], np.float32)


def test_batches_shrink_to_the_memory_and_pieces_are_averaged() -> None:
    model, kept = Counting(), list[Row]()
    model.load("cpu")
    texts = ["1 2 3", "bad", *map(str, range(40)), "nan"]
    titles = [Title(str(k), text=text) for k, text in enumerate(texts)]
    timing = pipeline.run(titles, model, lambda title: [title.text], kept.extend)
    assert [row.id for row in kept] == [title.id for title in titles]
    found = [None if row.vector is None else float(row.vector[0]) for row in kept]
    assert found == [2.0, None, *map(float, range(40)), None]
    assert kept[1].reason == "it is bad"
    assert "no finite" in kept[-1].reason
    assert max(model.seen) <= 4
    assert (timing.titles, timing.skipped) == (43, 2)
    assert 0 < timing.model_s <= timing.wall_s


def test_what_cannot_be_kept_stops_the_run() -> None:
    model = Counting()
    model.load("cpu")

    def full(rows: Sequence[Row]) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        pipeline.run([Title(str(k), text="1") for k in range(200)], model, lambda title: [title.text], full)


# -- excerpts of films


def test_clips_are_spread_over_the_film(films: Path) -> None:
    found = read_clips(films / "big_buck_bunny_360p.mp4", clips=3, frames=4, step_s=0.5, side=128)
    assert found.shape == (3, 4, 128, 228, 3)
    assert found.dtype == np.uint8
    whole = read_clips(films / "big_buck_bunny_360p.mp4", clips=1, frames=5, step_s=2.0, side=128)
    early = read_clips(films / "big_buck_bunny_360p.mp4", clips=1, frames=3, step_s=4.0, side=128)
    np.testing.assert_array_equal(whole[0, ::2], early[0])
    assert np.abs(found[0, 0].astype(int) - found[1, 0]).mean() > 10


def test_a_frame_is_the_one_shown_at_its_time(films: Path) -> None:
    import cv2

    capture = cv2.VideoCapture(str(films / "sintel_trailer_204p.mp4"))
    rate = capture.get(cv2.CAP_PROP_FPS)
    found = read_clips(films / "sintel_trailer_204p.mp4", clips=4, frames=2, step_s=1.0, side=204)
    starts = clip_starts(52.2, 2.0, 4)
    assert len(starts) == 4
    for clip, start_s in zip(found[1:3], starts[1:3], strict=True):
        differences = []
        for frame in range(int((start_s - 0.5) * rate), int((start_s + 0.5) * rate)):
            capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
            _, picture = capture.read()
            small = cv2.cvtColor(cv2.resize(picture, clip[0].shape[1::-1]), cv2.COLOR_BGR2RGB)
            differences.append((float(np.abs(small.astype(int) - clip[0]).mean()), frame / rate))
        best, at_s = min(differences)
        assert best < 6
        assert abs(at_s - start_s) <= 2 / rate


@pytest.mark.parametrize(
    ("length_s", "expected"), [(0.0, [0.0]), (1.0, [0.0]), (3.9, [0.0]), (4.0, [0.0, 2.0]), (20.0, [0.0, 9.0, 18.0])]
)
def test_clips_do_not_overlap(length_s: float, expected: list[float]) -> None:
    assert clip_starts(length_s, 2.0, 3) == pytest.approx(expected)


def test_a_short_film_gives_one_clip(films: Path) -> None:
    found = read_clips(films / "faces_stage_360p.mp4", clips=5, frames=16, step_s=1.0, side=64)
    assert len(found) == 1
    np.testing.assert_array_equal(found[0, -1], found[0, -2])


def test_sound_of_a_film_and_of_a_file_of_sound(films: Path, tmp_path: Path) -> None:
    import soundfile

    heard = read_start_of_sound(films / "sintel_trailer_204p.mp4", 2.5)
    assert heard.shape == (40_000,)
    soundfile.write(tmp_path / "plain.wav", heard, 16_000)
    again = read_start_of_sound(tmp_path / "plain.wav", None)
    assert len(again) == pytest.approx(40_000, abs=32)
    np.testing.assert_allclose(again[:39_000], heard[:39_000], atol=1e-3)
    with pytest.raises(InputError, match="no sound"):
        read_start_of_sound(films / "people_walking_432p.mp4", None)
