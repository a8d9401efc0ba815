"""The catalogue's models: listed whole, published formats loaded strictly, vectors equal to their libraries' own."""

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import InputError, MissingWeights, UnknownName
from backend.features.catalogue import registry
from backend.features.catalogue.base import MODALITIES, Model
from backend.features.catalogue.efficientnet import EfficientNet
from backend.features.catalogue.minilm import MiniLm
from backend.features.catalogue.registry import MODELS
from tests import catalogue_weights
from tests.catalogue_weights import SAVE
from tests.material import smooth_picture

Load = Callable[[str, str], Model]
IDS = [f"{model.modality}-{model.name}" for model in MODELS]
TEXTS = ("the rabbit wakes up", "a girl in the meadow and takes revenge on three rodents")


@pytest.fixture(scope="module")
def load(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Modality and name → the model, loaded on the CPU with weights that were saved once."""
    places: dict[str, Path | None] = {}
    made: dict[tuple[str, str], Model] = {}

    def get(modality: str, name: str) -> Model:
        if name not in places:
            places[name] = SAVE[name](tmp_path_factory.mktemp(name)) if name in SAVE else None
        if (modality, name) not in made:
            model = registry.model_named(modality, name)(weights=places[name], cache=cache, offline=True)
            model.load("cpu")
            made[modality, name] = model
        return made[modality, name]

    return get


def picture() -> Any:
    return smooth_picture(3, 300, 200)


def sound(seconds: float) -> Any:
    return (np.random.default_rng(3).standard_normal(round(16_000 * seconds)) * 0.1).astype(np.float32)


def clip(frames: int, count: int = 1) -> Any:
    one = np.stack([smooth_picture(seed, 256, 340) for seed in range(frames)])
    return np.stack([one] * count)


GIVEN: dict[str, Callable[[Model], Any]] = {
    "text": lambda model: TEXTS[0],
    "image": lambda model: picture(),
    "audio": lambda model: np.ones((3, 128), np.float32) if model.per_second else sound(1),
    "video": lambda model: clip(model.clips.frames if model.clips else 0),
}


# -- all


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_a_model_says_all_that_is_asked_of_it(model: type[Model]) -> None:
    assert model.modality in MODALITIES
    for said in (model.name, model.published, model.licence, model.preparation, str(model.origin)):
        assert said
    assert model.dimension > 0
    assert (model.clips is not None) == (model.modality == "video")
    assert registry.model_named(model.modality, model.published.upper()) is model


def test_a_name_stands_once_in_a_modality() -> None:
    assert len(set(IDS)) == len(IDS)
    assert set(SAVE) == {model.name for model in MODELS if model.origin.takes_path} == set(registry.path_takers())
    with pytest.raises(UnknownName, match="mvit"):
        registry.model_named("video", "vgg16")


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_what_goes_in_comes_out_as_one_vector_a_piece(model: type[Model], load: Load) -> None:
    loaded = load(model.modality, model.name)
    pieces = loaded.prepare(GIVEN[model.modality](loaded))
    found = loaded.vectors(pieces)
    assert found.shape == (len(pieces), model.dimension)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.any()


@pytest.mark.parametrize("model", [m for m in MODELS if m.origin.takes_path], ids=lambda m: f"{m.modality}-{m.name}")
def test_missing_weights_are_named_with_the_way_out(model: type[Model], tmp_path: Path) -> None:
    with pytest.raises(MissingWeights) as nowhere:
        model(cache=tmp_path / "cache", offline=True).load("cpu")
    published = str(model.origin).removesuffix(", or a path").removeprefix("hub ")
    assert published.rsplit("/", 1)[-1] in nowhere.value.detail
    for given in (tmp_path / "no where", tmp_path):
        with pytest.raises(MissingWeights) as caught:
            model(weights=given).load("cpu")
        assert str(tmp_path) in caught.value.detail
        assert f'SELECTS_MODELS__PATHS=\'{{"{model.name}": "/path/to/weights"}}\'' in caught.value.detail


@pytest.mark.parametrize("name", ["vggish", "slowfast", "r2plus1d"])
def test_a_file_that_lacks_a_tensor_is_refused(name: str, tmp_path: Path) -> None:
    import torch

    path = SAVE[name](tmp_path)
    saved = torch.load(path, weights_only=True)
    state = saved.get("model_state", saved)
    lost = next(iter(state))
    del state[lost]
    torch.save(saved, path)
    model = next(model for model in MODELS if model.name == name)
    with pytest.raises(MissingWeights, match=lost.replace(".", r"\.")):
        model(weights=path).load("cpu")


@pytest.mark.parametrize("name", ["mpnet", "vit", "dinov2", "whisper", "ast"])
def test_a_folder_of_another_model_is_refused(name: str, tmp_path: Path) -> None:
    other = SAVE["vit" if name == "ast" else "ast"](tmp_path)
    if name == "mpnet":
        (other / "tokenizer.json").write_text("{}")
    model = next(model for model in MODELS if model.name == name)
    with pytest.raises(MissingWeights, match="model_type"):
        model(weights=other).load("cpu")


# -- text


def test_minilm_is_the_text_encoder_and_equals_it_on_torch(load: Load, cache: Path) -> None:
    from backend.features.catalogue.words import pooled
    from backend.features.minilm import TextEncoder
    from backend.features.networks import weights_file
    from backend.features.networks_torch import load_minilm

    model = load("text", "minilm")
    pieces = [piece for text in TEXTS for piece in model.prepare(text)]
    found = model.vectors(pieces)
    np.testing.assert_array_equal(found, TextEncoder(cache).vectors(TEXTS))
    on_torch = pooled(load_minilm(weights_file("minilm")), pieces, padding=0, device="cpu")
    np.testing.assert_allclose(on_torch, found, atol=1e-5)


def test_mpnet_equals_transformers_text_by_text(load: Load) -> None:
    import torch
    from transformers import MPNetModel

    model = load("text", "mpnet")
    pieces = [piece for text in TEXTS for piece in model.prepare(text)]
    assert [len(piece) for piece in pieces] == [len(text.split()) + 2 for text in TEXTS]
    found = model.vectors(pieces)
    assert model.weights is not None
    network = MPNetModel.from_pretrained(model.weights).eval()
    for row, piece in zip(found, pieces, strict=True):
        with torch.inference_mode():
            mean = network(input_ids=torch.from_numpy(piece)[None]).last_hidden_state[0].mean(dim=0)
        np.testing.assert_allclose(row, (mean / mean.norm()).numpy(), atol=1e-5)


def test_clip_equals_open_clip_and_is_raw(load: Load) -> None:
    import open_clip
    import torch
    from PIL import Image

    from tests.checkpoints import openclip_network

    network = openclip_network()
    text, image = load("text", "clip"), load("image", "clip")
    with torch.inference_mode():
        words = network.encode_text(open_clip.SimpleTokenizer()([TEXTS[0]]))
        pixels = open_clip.image_transform(224, is_train=False)(Image.fromarray(picture()))
        looks = network.encode_image(pixels[None])
    np.testing.assert_allclose(text.vectors(text.prepare(TEXTS[0])), words.numpy(), atol=1e-5)
    np.testing.assert_allclose(image.vectors(image.prepare(picture())), looks.numpy(), atol=1e-5)
    assert abs(float(looks.norm()) - 1) > 0.01, "else nothing tells raw from normalised"


def test_clips_activation_is_openais() -> None:
    import open_clip

    from backend.features.catalogue.clip import OpenAiClip

    assert open_clip.get_model_config(OpenAiClip.architecture)["quick_gelu"] is True


@pytest.mark.parametrize("name", ["minilm", "mpnet", "clip"])
def test_an_empty_text_is_refused(name: str, load: Load) -> None:
    with pytest.raises(InputError, match="empty"):
        load("text", name).prepare(" \n ")


# -- image


def test_efficientnet_equals_timm(load: Load) -> None:
    import torch
    from PIL import Image
    from timm.data import create_transform
    from timm.models.efficientnet import default_cfgs

    from backend.features.networks import weights_file
    from backend.features.networks_torch import load_efficientnet

    model = load("image", "efficientnet")
    pieces = model.prepare(picture())
    published = default_cfgs["tf_efficientnet_lite0"].default.to_dict()
    prepare = create_transform(
        input_size=(3, 224, 224),
        interpolation=published["interpolation"],
        mean=published["mean"],
        std=published["std"],
        crop_pct=published["crop_pct"],
    )
    np.testing.assert_allclose(pieces[0], prepare(Image.fromarray(picture())).numpy(), atol=0.02)
    network = load_efficientnet(weights_file("efficientnet-lite0"))
    with torch.inference_mode():
        expected = network(torch.from_numpy(pieces[0])[None]).numpy()
    np.testing.assert_allclose(model.vectors(pieces), expected, atol=1e-3)


def test_models_of_wheels_give_the_same_where_torch_runs_them(load: Load, cache: Path) -> None:
    """As on a GPU, but on this machine's processor."""
    on_torch = EfficientNet(cache=cache)
    super(EfficientNet, on_torch).load("cpu")
    pieces = on_torch.prepare(picture())
    np.testing.assert_allclose(on_torch.vectors(pieces), load("image", "efficientnet").vectors(pieces), atol=1e-3)
    assert isinstance(load("text", "minilm"), MiniLm)


def test_vgg16_equals_torchvision_up_to_its_last_layer(load: Load) -> None:
    import torch
    from PIL import Image
    from torchvision.models import VGG16_Weights

    model = load("image", "vgg16")
    assert model.weights is not None
    pieces = model.prepare(picture())
    theirs = VGG16_Weights.IMAGENET1K_V1.transforms()(Image.fromarray(picture()))
    np.testing.assert_allclose(pieces[0], theirs.numpy(), atol=1e-5)
    network = catalogue_weights.torchvision_network("vgg16")
    network.load_state_dict(torch.load(model.weights, weights_only=True))
    with torch.inference_mode():
        flat = network.avgpool(network.features(theirs[None])).flatten(1)
        expected = network.classifier[:6](flat).numpy()
    np.testing.assert_allclose(model.vectors(pieces), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "whole", "inner", "processor"),
    [
        ("vit", "ViTForImageClassification", "vit", ("ViTImageProcessor", {})),
        (
            "dinov2",
            "Dinov2Model",
            "",
            (
                "BitImageProcessor",
                {
                    "size": {"shortest_edge": 256},
                    "crop_size": {"height": 224, "width": 224},
                    "image_mean": [0.485, 0.456, 0.406],
                    "image_std": [0.229, 0.224, 0.225],
                    "resample": 3,
                },
            ),
        ),
    ],
)
def test_transformers_pictures_equal_transformers(
    name: str, whole: str, inner: str, processor: tuple[str, dict[str, Any]], load: Load
) -> None:
    import torch
    import transformers
    from PIL import Image

    model = load("image", name)
    pieces = model.prepare(picture())
    theirs = getattr(transformers, processor[0])(**processor[1])(Image.fromarray(picture()), return_tensors="np")
    difference = np.abs(np.asarray(theirs["pixel_values"][0]) - pieces[0])
    # One level of 255, where their scaling rounds otherwise.
    assert difference.max() < 0.025
    assert difference.mean() < 0.005
    network = getattr(transformers, whole).from_pretrained(model.weights).eval()
    network = getattr(network, inner) if inner else network
    with torch.inference_mode():
        expected = network(pixel_values=torch.from_numpy(pieces[0])[None]).last_hidden_state[:, 0].numpy()
    np.testing.assert_allclose(model.vectors(pieces), expected, atol=1e-5)


# -- audio


def test_whisper_equals_transformers_where_there_is_sound(load: Load) -> None:
    import torch
    from transformers import WhisperFeatureExtractor, WhisperModel

    model = load("audio", "whisper")
    found = model.vectors(model.prepare(sound(31)))
    assert len(found) == 1, "a rest of a second counts as much as half a minute: it is left out"
    heard = WhisperFeatureExtractor()(sound(31)[: 30 * 16_000], sampling_rate=16_000, return_tensors="pt")
    encoder = WhisperModel.from_pretrained(model.weights).eval().encoder
    with torch.inference_mode():
        states = encoder(heard["input_features"]).last_hidden_state
    np.testing.assert_allclose(found[0], states[0].mean(dim=0).numpy(), atol=1e-4)
    short = WhisperFeatureExtractor()(sound(2), sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        states = encoder(short["input_features"]).last_hidden_state
    np.testing.assert_allclose(
        model.vectors(model.prepare(sound(2)))[0], states[0, :100].mean(dim=0).numpy(), atol=1e-4
    )


def test_ast_equals_transformers(load: Load) -> None:
    import torch
    from transformers import ASTFeatureExtractor, ASTForAudioClassification

    model = load("audio", "ast")
    pieces = model.prepare(sound(16))
    assert len(pieces) == 2
    heard = ASTFeatureExtractor()(sound(16)[:163_840], sampling_rate=16_000, return_tensors="pt")["input_values"]
    np.testing.assert_allclose(pieces[0], heard[0].numpy(), atol=1e-5)
    network = ASTForAudioClassification.from_pretrained(model.weights).eval().audio_spectrogram_transformer
    with torch.inference_mode():
        expected = network(input_values=heard).pooler_output.numpy()
    np.testing.assert_allclose(model.vectors(pieces)[:1], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["whisper", "ast", "vggish"])
def test_a_model_that_is_loaded_warns_of_nothing(name: str, load: Load) -> None:
    """Warnings of its library would stand in the user's terminal, with paths of the installation."""
    weights = load("audio", name).weights
    again = registry.model_named("audio", name)(weights=weights, offline=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again.load("cpu")


@pytest.mark.parametrize("name", ["whisper", "ast", "vggish"])
def test_no_sound_is_refused(name: str, load: Load) -> None:
    with pytest.raises(InputError, match="no sound"):
        load("audio", name).prepare(np.zeros(100, np.float32))


def test_mel_is_the_shots_audio_block(load: Load) -> None:
    rows = np.stack([np.full(128, 1), np.full(128, 5)]).astype(np.float32)
    model = load("audio", "mel")
    assert model.vectors(model.prepare(rows)).tolist() == [[3.0] * 128]


# -- ports: names, shapes and answers of the published implementations (docs/decisions/0033-feature-catalogue.md)


def published(shapes: dict[str, tuple[int, ...]]) -> tuple[int, str]:
    rows = "".join(f"{name} {shape}\n" for name, shape in sorted(shapes.items()))
    return len(shapes), hashlib.sha256(rows.encode()).hexdigest()[:16]


def test_vggish_answers_as_torchvggish_does(load: Load) -> None:
    import torch

    assert published(catalogue_weights.port_shapes("vggish")) == (18, "2a9736c73c3ebd41")
    mel = torch.sin(torch.arange(96 * 64).float().reshape(1, 1, 96, 64) * 0.01)
    found = load("audio", "vggish").vectors([mel[0].numpy()])[0]
    np.testing.assert_allclose(found[:6], [35.356323, 38.702724, 36.154369, 31.458872, 33.557034, 36.896305], rtol=1e-4)
    assert found.sum() == pytest.approx(7483.1211, rel=1e-4)


def test_slowfast_answers_as_pytorchvideo_does(load: Load) -> None:
    import torch

    assert published(catalogue_weights.port_shapes("slowfast")) == (662, "1406155346a6bca9")
    clips = torch.sin(torch.arange(3 * 32 * 256 * 256).float().reshape(3, 32, 256, 256) * 0.001)
    found = load("video", "slowfast").vectors([clips.numpy()])[0]
    expected = {18: 14.66752, 500: 94592.727, 890: 126979.477, 1310: 515489.344, 1685: 893218.0, 1985: 279412.719}
    np.testing.assert_allclose(found[list(expected)], list(expected.values()), rtol=1e-3)
    assert np.count_nonzero(found) == 1740
    assert found.sum() == pytest.approx(5.2100e08, rel=1e-3)


# -- video


@pytest.mark.parametrize(
    ("name", "last", "weights"), [("mvit", "head.1", "MViT_V2_S"), ("r2plus1d", "fc", "R2Plus1D_18")]
)
def test_torchvisions_films_equal_torchvision_up_to_the_last_layer(
    name: str, last: str, weights: str, load: Load
) -> None:
    import torch
    from torchvision.models import video

    model = load("video", name)
    assert model.weights is not None
    given = clip(16)
    pieces = model.prepare(given)
    prepare = getattr(video, f"{weights}_Weights").KINETICS400_V1.transforms()
    theirs = prepare(torch.from_numpy(given[0]).permute(0, 3, 1, 2))
    np.testing.assert_allclose(pieces[0], theirs.numpy(), atol=1e-5)
    network = catalogue_weights.torchvision_network(name)
    network.load_state_dict(torch.load(model.weights, weights_only=True))
    seen: list[Any] = []
    network.get_submodule(last).register_forward_hook(lambda module, given, made: seen.append(given[0]))
    with torch.inference_mode():
        network(theirs[None])
    np.testing.assert_allclose(model.vectors(pieces), seen[0].flatten(1).numpy(), atol=1e-4, rtol=1e-4)


def test_videomae_equals_the_profiles_extractor(load: Load) -> None:
    from backend.features.base import ShotMaterial
    from backend.features.videomae import VideoMae

    model, given = load("video", "videomae"), clip(16)
    extractor = VideoMae(weights=model.weights)
    extractor.load("cpu")
    expected = extractor.extract([ShotMaterial(0, 1, clip=given[0])]).vectors
    np.testing.assert_allclose(model.vectors(model.prepare(given)), expected, atol=1e-6)
