"""What a shot shows, in a space shared with words: OpenCLIP ViT-B/32 (Ilharco et al. 2021, LAION-2B). Full profile."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Extracted, Extractor, Image, ShotMaterial, Vectors
from backend.features.keyframes import flatten, mean_by_shot
from backend.features.weights import fill, from_hub, given_file, missing, read_state

WHAT = "OpenCLIP ViT-B/32"
REPOSITORY = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
BATCH = 16
_LOADING = threading.Lock()
"""Words are asked for by many threads at a time; weights are loaded by one."""


class OpenClip(Extractor):
    """512 figures: unit image embeddings, mean over keyframes, scaled to length 1.

    `weights` is a state dict (.pt, .bin, .safetensors) or a folder with one; an open_clip_config.json beside it says
    another architecture than ViT-B-32.
    """

    name = "openclip"
    takes_path = True
    block = "clip"
    dimension = 512
    reads = frozenset({"keyframes"})
    batch_shots = 16
    what: ClassVar[str] = WHAT
    repository: ClassVar[str] = REPOSITORY
    hub_names: ClassVar[tuple[str, ...]] = NAMES[:1]
    architecture: ClassVar[str] = "ViT-B-32"
    _network: Any = None
    _tokenizer: Any = None
    _prepare: Any = None

    def load(self, device: str | None = None) -> None:
        """Find, then load the weights strictly, onto the GPU if there is one and no `device` is named.

        Raises MissingWeights.
        """
        if self.weights is not None:
            path = given_file(self.name, self.what, self.weights, NAMES)
        else:
            wanted = (self.name, self.what, self.repository, self.hub_names)
            path = from_hub(*wanted, cache=self.cache, offline=self.offline) / NAMES[0]
        import torch

        network = fill(self.name, self.what, self._build(path), read_state(self.name, self.what, path), path)
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._side = int(network.visual.image_size[0])
        self._network = network.to(self._device)

    def _build(self, path: Path) -> Any:
        """The empty network: `architecture`, or what open_clip_config.json says."""
        from backend.features import torchvision_ops  # noqa: F401  (before open_clip)

        import open_clip  # isort: skip

        config = path.parent / "open_clip_config.json"
        if not config.is_file():
            # Not create_model, which warns on the root logger that it has no weights.
            return open_clip.CLIP(**open_clip.get_model_config(self.architecture))
        settings = json.loads(config.read_text())["model_cfg"]
        if settings.get("embed_dim") != self.dimension:
            raise missing(
                self.name, self.what, f"{str(config)!r} has embed_dim {settings.get('embed_dim')}, not {self.dimension}"
            )
        if settings.get("text_cfg", {}).get("hf_tokenizer_name"):
            raise missing(self.name, self.what, f"{str(config)!r} wants another tokenizer than CLIP's own")
        return open_clip.CLIP(**settings)

    def text_vectors(self, texts: Sequence[str]) -> Vectors:
        """Float32 [texts, 512], rows of length 1: near the vectors of shots that show what the text says."""
        self._load_once()
        batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
        empty = np.zeros((0, self.dimension), np.float32)
        return np.concatenate([empty, *(self.encoded_texts(self.tokens(part), normalize=True) for part in batches)])

    def tokens(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """CLIP's tokens, int64 [texts, 77]; what is longer is cut."""
        from open_clip import SimpleTokenizer

        if self._tokenizer is None:
            self._tokenizer = SimpleTokenizer(context_length=self._network.context_length)
        return np.asarray(self._tokenizer(list(texts)).numpy(), np.int64)

    def encoded_texts(self, tokens: NDArray[np.int64], *, normalize: bool) -> Vectors:
        """Float32 [texts, 512] of `tokens`, int64 [texts, 77]."""
        import torch

        with torch.inference_mode():
            found = self._network.encode_text(torch.from_numpy(tokens).to(self._device), normalize=normalize)
        return np.asarray(found.float().cpu().numpy(), np.float32)

    def pixels(self, image: Image) -> NDArray[np.float32]:
        """What the network takes of a picture, RGB uint8 [height, width, 3] → float32 [3, side, side]: as published."""
        from open_clip import image_transform
        from PIL import Image as Pillow

        if self._prepare is None:
            self._prepare = image_transform(self._side, is_train=False)
        return np.asarray(self._prepare(Pillow.fromarray(image)).numpy(), np.float32)

    def encoded_images(self, pixels: NDArray[np.float32], *, normalize: bool) -> Vectors:
        """Float32 [pictures, 512] of `pixels`, float32 [pictures, 3, side, side]."""
        import torch

        with torch.inference_mode():
            found = self._network.encode_image(torch.from_numpy(pixels).to(self._device), normalize=normalize)
        return np.asarray(found.float().cpu().numpy(), np.float32)

    def _load_once(self) -> None:
        with _LOADING:
            if self._network is None:
                self.load()

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 512], rows of length 1; zeros for a shot without keyframes."""
        self._load_once()
        images, owner = flatten(shots)
        parts = [np.zeros((0, self.dimension), np.float32)]
        for at in range(0, len(images), BATCH):
            batch = np.stack([self.pixels(image) for image in images[at : at + BATCH]])
            parts.append(self.encoded_images(batch, normalize=True))
        mean = mean_by_shot(np.concatenate(parts), owner, len(shots))
        length = np.linalg.norm(mean, axis=1, keepdims=True)
        return Extracted(np.asarray(mean / np.maximum(length, 1e-12), np.float32))
