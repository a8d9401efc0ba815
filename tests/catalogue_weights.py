"""Weights of the catalogue's models in their published formats, by rule or by a fixed seed, and small on disk."""

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from tests import checkpoints


def overlapping(base: Any, shape: tuple[int, ...]) -> Any:
    """A tensor whose rows share the numbers of `base`: enough to tell layers apart, and next to nothing on disk."""
    return base.as_strided(shape, (1,) * len(shape)) if shape else base[0]


def random_state(network: Any) -> dict[str, Any]:
    """A state dict for `network`, random from fixed seeds; running variances are positive, norms near 1."""
    import torch

    state = {}
    for seed, (name, value) in enumerate(network.state_dict().items()):
        shape = tuple(value.shape)
        base = torch.randn(max(sum(shape), 1), generator=torch.Generator().manual_seed(seed))
        state[name] = filled(name, shape, base) if value.dtype.is_floating_point else value
    return state


def wave_state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """A state dict filled by sines, the same on every machine: what the ports' recorded answers were made with."""
    import torch

    state: dict[str, Any] = {}
    for k, name in enumerate(sorted(shapes)):
        numbers = torch.arange(max(sum(shapes[name]), 1), dtype=torch.float64)
        base = torch.sin(numbers * numbers * 0.7391 + k).float()
        counter = name.endswith("num_batches_tracked")
        state[name] = torch.tensor(0) if counter else filled(name, shapes[name], base)
    return state


def filled(name: str, shape: tuple[int, ...], base: Any) -> Any:
    """One tensor of numbers between -1 and 1 or so, scaled so that layers neither die nor explode."""
    if name.endswith("running_var"):
        return overlapping(1 + 0.5 * base.abs(), shape)
    if len(shape) > 1:
        return overlapping(base * (3 / max(prod(shape[1:]), 1)) ** 0.5, shape)
    return overlapping((1 if name.endswith("weight") else 0) + 0.1 * base, shape)


def torchvision_network(name: str) -> Any:
    """An empty network as torchvision has it, with its classifier."""
    from backend.features import torchvision_ops  # noqa: F401  (before torchvision)

    from torchvision import models  # isort: skip

    makers = {"vgg16": models.vgg16, "mvit": models.video.mvit_v2_s, "r2plus1d": models.video.r2plus1d_18}
    return makers[name](weights=None, **({"init_weights": False} if name == "vgg16" else {})).eval()


def save_torchvision(name: str, file: str) -> Callable[[Path], Path]:
    """A file as torchvision publishes it: a plain state dict, classifier and all."""

    def save(folder: Path) -> Path:
        import torch

        path = folder / file
        torch.save(random_state(torchvision_network(name)), path)
        return path

    return save


def save_transformers(model: str, config: str, **settings: Any) -> Callable[[Path], Path]:
    """A folder as transformers saves it, of one layer."""

    def save(folder: Path) -> Path:
        from backend.features import torchvision_ops  # noqa: F401  (before transformers)

        import torch  # isort: skip
        import transformers  # isort: skip

        torch.manual_seed(5)
        getattr(transformers, model)(getattr(transformers, config)(**settings)).save_pretrained(folder)
        return folder

    return save


WORDS = "a girl in the meadow rabbit wakes up and takes revenge on three rodents".split(" ")  # noqa: SIM905


def save_mpnet(folder: Path) -> Path:
    """all-mpnet-base-v2's files, of one layer and a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    settings = {"vocab_size": 40, "hidden_size": 768, "num_hidden_layers": 1, "intermediate_size": 64}
    save_transformers("MPNetModel", "MPNetConfig", **settings)(folder)
    marks = ("<s>", "<pad>", "</s>", "<unk>")
    words = {word: at for at, word in enumerate((*marks, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    # As published, where padding to 128 tokens is left switched on.
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>", length=128)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def port_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a port's published file, classifier and all, by its own network."""
    if name == "vggish":
        from backend.features.catalogue.vggish import build

        return {key: tuple(value.shape) for key, value in build().state_dict().items()}
    from backend.features.catalogue.slowfast_torch import Network

    shapes = {key: tuple(value.shape) for key, value in Network().state_dict().items()}
    return {**shapes, "blocks.6.proj.weight": (400, 2304), "blocks.6.proj.bias": (400,)}


def save_port(name: str, file: str, wrapped: str = "") -> Callable[[Path], Path]:
    """The file that a port loads, as it is published."""

    def save(folder: Path) -> Path:
        import torch

        state = wave_state(port_shapes(name))
        path = folder / file
        torch.save({wrapped: state} if wrapped else state, path)
        return path

    return save


SAVE: dict[str, Callable[[Path], Path]] = {
    "mpnet": save_mpnet,
    "clip": checkpoints.save_openclip,
    "vgg16": save_torchvision("vgg16", "vgg16-397923af.pth"),
    "vit": save_transformers(
        "ViTForImageClassification", "ViTConfig", num_hidden_layers=1, intermediate_size=64, num_labels=7
    ),
    "dinov2": save_transformers("Dinov2Model", "Dinov2Config", num_hidden_layers=1, mlp_ratio=1, image_size=518),
    "whisper": save_transformers(
        *("WhisperForConditionalGeneration", "WhisperConfig"),
        d_model=512,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        vocab_size=60,
        pad_token_id=1,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=4,
    ),
    "ast": save_transformers(
        "ASTForAudioClassification", "ASTConfig", num_hidden_layers=1, intermediate_size=64, num_labels=7
    ),
    "vggish": save_port("vggish", "vggish-10086976.pth"),
    "slowfast": save_port("slowfast", "SLOWFAST_8x8_R50.pyth", "model_state"),
    "mvit": save_torchvision("mvit", "mvit_v2_s-ae3be167.pth"),
    "r2plus1d": save_torchvision("r2plus1d", "r2plus1d_18-91a641e6.pth"),
    "videomae": checkpoints.save_videomae,
}
"""Name of every model without weights in a wheel → what saves a published kind of checkpoint and gives its place."""
