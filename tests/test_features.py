"""Extractors and their registry: one contract for all, and the parts that need no network."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.errors import UnknownName
from backend.features import dynamics, setup
from backend.features.base import ShotMaterial
from backend.features.mel import LogMel
from backend.features.models import list_models
from backend.features.registry import EXTRACTORS, PROFILES, build, profile_named
from backend.media.signals import FRAME_SIGNALS
from tests import checkpoints
from tests.material import made_shots

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", EXTRACTORS)
def test_extractor_keeps_the_contract(name: str, extractor) -> None:
    maker, shots = extractor(name), made_shots()
    assert maker.name == name
    assert maker.reads <= {"keyframes", "keyframe_at", "clip", "log_mel", "frames", "dialogue", "faces"}
    together = maker.extract(shots)
    assert together.vectors.dtype == np.float32
    assert together.vectors.shape == (len(shots), maker.dimension)
    assert np.isfinite(together.vectors).all()
    assert np.array_equal(together.vectors, maker.extract(shots).vectors), "the same shots give the same vectors"
    alone = np.concatenate([maker.extract([shot]).vectors for shot in shots])
    np.testing.assert_allclose(alone, together.vectors, atol=1e-4, rtol=1e-4)
    empty = maker.extract([])
    assert empty.vectors.shape == (0, maker.dimension)
    assert empty.vectors.dtype == np.float32
    assert len(together.faces) in (0, len(shots))


@pytest.mark.parametrize("name", [name for name in EXTRACTORS if name != "dynamics"])
def test_a_shot_of_which_nothing_is_known_is_zero(name: str, extractor) -> None:
    assert not extractor(name).extract([ShotMaterial(1.0, 2.0)]).vectors.any()


@pytest.mark.parametrize("name", [name for name in EXTRACTORS if not EXTRACTORS[name].reads & {"keyframes"}])
def test_extractor_reads_only_what_it_says(name: str, extractor) -> None:
    maker, full = extractor(name), made_shots()[0]
    needed = ShotMaterial(full.start_s, full.end_s, **{part: getattr(full, part) for part in maker.reads})
    assert np.array_equal(maker.extract([needed]).vectors, maker.extract([full]).vectors)


# -- registry and models


def test_profiles_have_the_sizes_of_the_design() -> None:
    embedded, full = PROFILES["embedded"].schema, PROFILES["full"].schema
    assert {b.name: b.dimension for b in embedded.blocks} == {"visual": 1280, "audio": 128, "faces": 1, "dynamics": 64}
    assert {b.name: b.dimension for b in full.blocks} == {"visual": 768, "audio": 128, "faces": 1, "dynamics": 64}
    assert (embedded.dimension, full.dimension) == (1473, 961)
    assert set(build("embedded")) == {"efficientnet", "mel", "faces", "dynamics", "colour", "dialogue"}
    assert set(build("full")) == {"videomae", "mel", "facenet", "dynamics", "openclip", "colour", "dialogue"}


def test_names_that_are_not_listed_are_refused_with_the_list() -> None:
    with pytest.raises(UnknownName, match="embedded, full"):
        profile_named("big")
    with pytest.raises(UnknownName, match="videomae"):
        build("full", paths={"videomea": "/x"})
    known = "ast, clip, dinov2, facenet, mpnet, mvit, openclip, r2plus1d, slowfast, vgg16, vggish, videomae, vit"
    with pytest.raises(UnknownName, match=rf"SELECTS_MODELS__PATHS 'mel'; known: {known}, whisper\.$"):
        build("embedded", paths={"mel": "/x"})


def test_the_registry_imports_nothing_heavy() -> None:
    code = "import sys, backend.features.registry, backend.features.models\n"
    code += "heavy = ('torch', 'cv2', 'onnxruntime', 'dlib', 'pyarrow', 'transformers', 'scipy')\n"
    code += "print([m for m in heavy if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_embedded_profile_runs_without_torch(cache: Path, extractor) -> None:
    setup.warm(cache)
    code = (
        "import sys, pathlib, numpy as np\n"
        "from backend.features.base import ShotMaterial\n"
        "from backend.features.registry import build\n"
        "shot = ShotMaterial(0, 1, (np.zeros((180, 320, 3), np.uint8),), (0,), dialogue='hello')\n"
        "for e in build('embedded', cache=pathlib.Path(sys.argv[1])).values():\n"
        "    e.load(); e.extract([shot])\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(cache)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_the_list_of_models_says_what_is_here(tmp_path: Path) -> None:
    path = checkpoints.save_facenet(tmp_path)
    rows = {row.name: row for row in list_models({"facenet": str(path), "videomae": str(tmp_path / "nowhere")})}
    for name in ("efficientnet", "mtcnn", "dlib-face", "minilm", "silero-vad", "moonshine", "transnet"):
        assert rows[name].here, name
        assert rows[name].path is not None
    assert rows["facenet"].path == path
    assert not rows["videomae"].here
    assert rows["videomae"].dimension == 768
    assert all(row.licence and row.source and row.role and (row.profiles or row.modality) for row in rows.values())


# -- mel and dynamics


def test_mel_is_the_mean_over_seconds() -> None:
    rows = np.stack([np.full(128, 1), np.full(128, 5)]).astype(np.float32)
    assert LogMel().extract([ShotMaterial(0, 2, log_mel=rows)]).vectors.tolist() == [[3.0] * 128]


def test_dynamics_has_a_name_for_every_entry() -> None:
    assert dynamics.COLUMNS == FRAME_SIGNALS
    assert len(dynamics.NAMES) == len(set(dynamics.NAMES)) == dynamics.Dynamics.dimension


def entries(**signals: NDArray[np.float64]) -> dict[str, float]:
    """Dynamics of one shot at 24 frames a second, by name; signals not given are zero."""
    length = len(next(iter(signals.values())))
    table = np.zeros((length, len(FRAME_SIGNALS)), np.float32)
    for name, values in signals.items():
        table[:, FRAME_SIGNALS.index(name)] = values
    row = dynamics.Dynamics().extract([ShotMaterial(0, length / 24, frames=table)]).vectors[0]
    return dict(zip(dynamics.NAMES, row.tolist(), strict=True))


def test_dynamics_measures_what_it_names() -> None:
    motion = np.full(48, 0.1)
    motion[[0, 12, 36]] = (0.9, 0.5, 0.7)
    found = entries(motion=motion, light=np.linspace(0.2, 0.8, 48))
    assert found["duration_s"] == pytest.approx(2)
    assert found["motion_max"] == pytest.approx(0.7), "the cut before the first frame is no motion"
    assert found["motion_peaks_per_s"] == pytest.approx(1)
    assert found["motion_peak_at"] == pytest.approx(35 / 46)
    assert found["motion_p50"] == pytest.approx(0.1)
    assert found["light_trend"] == pytest.approx(0.6 * 24 / 47)
    assert found["flicker"] == pytest.approx(0.6 / 47, rel=1e-4)
    assert found["light_min"] == pytest.approx(0.2)
    assert found["still_share"] == 0
    assert found["light_curve_0"] < found["light_curve_3"] < found["light_curve_7"]
    assert entries(motion=np.zeros(10))["still_share"] == 1


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_dynamics_is_finite_for_any_shot(length: int, seed: int) -> None:
    table = np.random.default_rng(seed).random((length, 6), dtype=np.float32)
    row = dynamics.Dynamics().extract([ShotMaterial(0, length / 24, frames=table)]).vectors[0]
    assert np.isfinite(row).all()
    named = dict(zip(dynamics.NAMES, row.tolist(), strict=True))
    curve = [named[f"light_curve_{k}"] for k in range(8)]
    assert np.mean(curve) == pytest.approx(named["light_mean"], abs=1e-5)
