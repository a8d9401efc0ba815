"""The sample film is a film: black at both ends, calm and fast scenes, sound, small, the same each time."""

from pathlib import Path

import av
import numpy as np
import pytest

from backend.errors import OutputError
from backend.media.sample import RATE, Scene, graph, make_sample, plan_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample") / "sample.mp4")


def test_the_plan_has_pace_and_rest() -> None:
    scenes = plan_sample()
    seconds = [scene.frames / RATE for scene in scenes]
    assert 240 <= sum(seconds) <= 330
    assert len(scenes) >= 8
    pace = [len(scene.shots) / s for scene, s in zip(scenes, seconds, strict=True)]
    assert max(pace) > 0.9
    assert min(pace[2:-1]) < 0.2
    assert graph(scenes) == graph(plan_sample())


def test_it_plays_from_black_to_black(sample: Path) -> None:
    with av.open(str(sample)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        light = [float(f.to_ndarray(format="gray").mean()) for f in container.decode(stream)]
        assert (stream.width, stream.height) == (640, 360)
        assert stream.average_rate == RATE
        assert stream.frames == sum(scene.frames for scene in plan_sample())
        assert stream.codec_context.pix_fmt == "yuv420p"
    assert light[0] < 17
    assert light[-1] < 17
    assert max(light) > 120
    assert sample.stat().st_size < 20_000_000


def test_its_sound_is_loud_and_quiet(sample: Path) -> None:
    with av.open(str(sample)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=8000)
        parts = [r.to_ndarray()[0] for frame in container.decode(audio=0) for r in resampler.resample(frame)]
    sound = np.concatenate(parts)
    loudness = np.array([np.sqrt(np.mean(second**2)) for second in np.array_split(sound, len(sound) // 8000)])
    assert loudness[0] < 0.001
    assert loudness[-1] < 0.001
    assert np.percentile(loudness, 90) > 4 * np.percentile(loudness, 10)
    assert np.abs(sound).max() <= 1.05


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"):
        make_sample(tmp_path / "file" / "sample.mp4")


def test_frames_of_a_scene_are_those_of_its_shots() -> None:
    assert all(
        isinstance(scene, Scene) and scene.frames == sum(shot.frames for shot in scene.shots) for scene in plan_sample()
    )
