"""What happens in a shot: VideoMAE-base (Tong et al. 2022), mean of the last hidden states. Full profile."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Extracted, Extractor, ShotMaterial
from backend.features.weights import from_hub, given_file, missing

WHAT = "VideoMAE-base"
REPOSITORY = "MCG-NJU/videomae-base"
NAMES = ("model.safetensors", "pytorch_model.bin")
HUB_NAMES = ("config.json", NAMES[0])
PREPARATION = "preprocessor_config.json"
FRAMES = 16
# ImageNet's, as published with the checkpoint; the default of transformers' own processor is 0.5, which is not.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Scale = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Mean and deviation of the pixels (0 … 1), float32 [3] each."""


class VideoMae(Extractor):
    """768 figures; `weights` is a folder as transformers saves it (config.json and model.safetensors).

    A preprocessor_config.json beside them says mean and deviation of the pixels; without one they are ImageNet's.
    """

    name = "videomae"
    takes_path = True
    block = "visual"
    dimension = 768
    reads = frozenset({"clip"})
    _network: Any = None

    def load(self) -> None:
        """Find, then load the weights (none may be missing); raises MissingWeights."""
        folder = self._folder()
        config = self._read(folder / "config.json")
        if config.get("hidden_size", 768) != self.dimension or config.get("num_frames", FRAMES) != FRAMES:
            found = f"hidden_size {config.get('hidden_size')} and num_frames {config.get('num_frames')}"
            raise missing(self.name, WHAT, f"{str(folder)!r} has {found}; {self.dimension} and {FRAMES} are needed")
        self._scale = self._pixel_scale(folder / PREPARATION)
        self._network = self._open(folder)
        self._side = int(config.get("image_size", 224))

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return dict(json.loads(path.read_text()))
        except (ValueError, TypeError) as broken:
            raise missing(self.name, WHAT, f"{str(path)!r} is not JSON") from broken

    def _pixel_scale(self, path: Path) -> Scale:
        """Mean and deviation that the checkpoint was trained with."""
        said = self._read(path) if path.is_file() else {}
        try:
            mean, deviation = (
                np.array(said.get(name, default), np.float32).reshape(3)
                for name, default in (("image_mean", MEAN), ("image_std", DEVIATION))
            )
        except (ValueError, TypeError) as broken:
            raise missing(self.name, WHAT, f"{str(path)!r} has no image_mean and image_std of three") from broken
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all() and (deviation > 0).all()):
            raise missing(self.name, WHAT, f"{str(path)!r} has an impossible image_mean or image_std")
        return mean, deviation

    def _folder(self) -> Path:
        """The folder with config.json and the weights."""
        if self.weights is None:
            return from_hub(
                *(self.name, WHAT, REPOSITORY, HUB_NAMES),
                optional=(PREPARATION,),
                cache=self.cache,
                offline=self.offline,
            )
        folder = self.weights.parent if self.weights.is_file() else self.weights
        given_file(self.name, WHAT, folder / "config.json", ("config.json",))
        given_file(self.name, WHAT, folder, NAMES)
        return folder

    def _open(self, folder: Path) -> Any:
        import pickle

        import torch
        from safetensors import SafetensorError

        from backend.features import torchvision_ops  # noqa: F401  (transformers imports torchvision)

        from transformers import VideoMAEModel  # isort: skip

        try:
            with _silence():
                loaded: Any = VideoMAEModel.from_pretrained(
                    folder, local_files_only=True, weights_only=True, output_loading_info=True
                )
        except (SafetensorError, pickle.UnpicklingError, OSError, ValueError, RuntimeError) as broken:
            raise missing(self.name, WHAT, f"{str(folder)!r} cannot be read: {type(broken).__name__}") from broken
        network, report = loaded
        lacking = sorted(report["missing_keys"])
        if lacking:
            raise missing(self.name, WHAT, f"{str(folder)!r} lacks {len(lacking)} tensors, the first is {lacking[0]!r}")
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        return network.eval().to(self._device)

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 768]; zeros for a shot without a clip."""
        import torch

        if self._network is None:
            self.load()
        vectors = np.zeros((len(shots), self.dimension), np.float32)
        with torch.inference_mode():
            for row, shot in zip(vectors, shots, strict=True):
                if shot.clip is not None and len(shot.clip):
                    pixels = torch.from_numpy(prepared(shot.clip, self._side, self._scale))[None].to(self._device)
                    row[:] = self._network(pixel_values=pixels).last_hidden_state.mean(dim=1)[0].float().cpu().numpy()
        return Extracted(vectors)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep transformers' bars and its table of tensors from the terminal: the checkpoint's decoder is surplus, and what
    is wrong becomes one error of ours.
    """
    from transformers.utils import logging as typed

    theirs: Any = typed
    level, bars = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity(logging.CRITICAL)
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        theirs.set_verbosity(level)
        if bars:
            theirs.enable_progress_bar()


def prepared(clip: NDArray[np.uint8], side: int, scale: Scale) -> NDArray[np.float32]:
    """RGB [16, height, width, 3] → [16, 3, side, side]: shorter side scaled, middle cut out, mean and deviation."""
    import cv2

    height, width = clip.shape[1:3]
    grow = side / min(height, width)
    size = (max(side, int(width * grow)), max(side, int(height * grow)))
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    frames = [cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR) for frame in clip]
    cut = np.stack(frames)[:, top : top + side, left : left + side].astype(np.float32) / 255
    return np.ascontiguousarray(((cut - scale[0]) / scale[1]).transpose(0, 3, 1, 2), dtype=np.float32)
