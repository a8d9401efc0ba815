"""What a shot shows, in a space shared with words: OpenCLIP ViT-B/32 (Ilharco et al. 2021, LAION-2B). Full profile."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.features.base import Extracted, Extractor, ShotMaterial, Vectors
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
    _network: Any = None

    def load(self) -> None:
        """Find, then load the weights strictly; raises MissingWeights."""
        if self.weights is not None:
            path = given_file(self.name, WHAT, self.weights, NAMES)
        else:
            folder = from_hub(self.name, WHAT, REPOSITORY, NAMES[:1], cache=self.cache, offline=self.offline)
            path = folder / NAMES[0]
        import torch

        network = fill(self.name, WHAT, self._build(path), read_state(self.name, WHAT, path), path)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._side = int(network.visual.image_size[0])
        self._network = network.to(self._device)

    def _build(self, path: Path) -> Any:
        """The empty network: ViT-B-32, or what open_clip_config.json says."""
        from backend.features import torchvision_ops  # noqa: F401  (before open_clip)

        import open_clip  # isort: skip

        config = path.parent / "open_clip_config.json"
        if not config.is_file():
            # Not create_model, which warns on the root logger that it has no weights.
            return open_clip.CLIP(**open_clip.get_model_config("ViT-B-32"))
        settings = json.loads(config.read_text())["model_cfg"]
        if settings.get("embed_dim") != self.dimension:
            raise missing(
                self.name, WHAT, f"{str(config)!r} has embed_dim {settings.get('embed_dim')}, not {self.dimension}"
            )
        if settings.get("text_cfg", {}).get("hf_tokenizer_name"):
            raise missing(self.name, WHAT, f"{str(config)!r} wants another tokenizer than CLIP's own")
        return open_clip.CLIP(**settings)

    def text_vectors(self, texts: Sequence[str]) -> Vectors:
        """Float32 [texts, 512], rows of length 1: near the vectors of shots that show what the text says."""
        import torch
        from open_clip import SimpleTokenizer

        self._load_once()
        tokenizer = SimpleTokenizer(context_length=self._network.context_length)
        parts = [np.zeros((0, self.dimension), np.float32)]
        with torch.inference_mode():
            for at in range(0, len(texts), BATCH):
                tokens = tokenizer(list(texts[at : at + BATCH])).to(self._device)
                parts.append(self._network.encode_text(tokens, normalize=True).float().cpu().numpy())
        return np.concatenate(parts)

    def _load_once(self) -> None:
        with _LOADING:
            if self._network is None:
                self.load()

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 512], rows of length 1; zeros for a shot without keyframes."""
        import torch
        from open_clip import image_transform
        from PIL import Image

        self._load_once()
        images, owner = flatten(shots)
        prepare = image_transform(self._side, is_train=False)
        parts = [np.zeros((0, self.dimension), np.float32)]
        with torch.inference_mode():
            for at in range(0, len(images), BATCH):
                batch = torch.stack([prepare(Image.fromarray(image)) for image in images[at : at + BATCH]])
                parts.append(self._network.encode_image(batch.to(self._device), normalize=True).float().cpu().numpy())
        mean = mean_by_shot(np.concatenate(parts), owner, len(shots))
        length = np.linalg.norm(mean, axis=1, keepdims=True)
        return Extracted(np.asarray(mean / np.maximum(length, 1e-12), np.float32))
