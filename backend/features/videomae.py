"""What happens in a shot: VideoMAE-base (Tong et al. 2022), mean of the last hidden states. Full profile."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Extracted, Extractor, ShotMaterial
from backend.features.pretrained import CONFIG, NAMES, given_folder, open_pretrained, read_config
from backend.features.weights import from_hub, missing

WHAT = "VideoMAE-base"
REPOSITORY = "MCG-NJU/videomae-base"
HUB_NAMES = (CONFIG, NAMES[0])
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

    def load(self, device: str | None = None) -> None:
        """Find, then load the weights (none may be missing), onto the GPU if there is one and no `device` is named.

        Raises MissingWeights.
        """
        folder = self.folder()
        config = read_config(self.name, WHAT, folder / CONFIG)
        if config.get("hidden_size", 768) != self.dimension or config.get("num_frames", FRAMES) != FRAMES:
            found = f"hidden_size {config.get('hidden_size')} and num_frames {config.get('num_frames')}"
            raise missing(self.name, WHAT, f"{str(folder)!r} has {found}; {self.dimension} and {FRAMES} are needed")
        self._scale = self._pixel_scale(folder / PREPARATION)
        import torch

        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._network = open_pretrained(self.name, WHAT, "VideoMAEModel", folder).to(self._device)
        self._side = int(config.get("image_size", 224))

    def _pixel_scale(self, path: Path) -> Scale:
        """Mean and deviation that the checkpoint was trained with."""
        said = read_config(self.name, WHAT, path) if path.is_file() else {}
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

    def folder(self) -> Path:
        """The folder with config.json and the weights, downloaded if it is not here; raises MissingWeights."""
        if self.weights is None:
            return from_hub(
                *(self.name, WHAT, REPOSITORY, HUB_NAMES),
                optional=(PREPARATION,),
                cache=self.cache,
                offline=self.offline,
            )
        return given_folder(self.name, WHAT, self.weights)

    def pixels(self, clip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network takes of a clip, RGB uint8 [16, height, width, 3] → float32 [16, 3, side, side]."""
        return prepared(clip, self._side, self._scale)

    def clip_vectors(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32 [clips, 768] of `pixels`, float32 [clips, 16, 3, side, side]."""
        import torch

        given = torch.from_numpy(pixels).to(self._device)
        with torch.inference_mode():
            states = self._network(pixel_values=given).last_hidden_state
        return np.asarray(states.mean(dim=1).float().cpu().numpy(), np.float32)

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 768]; zeros for a shot without a clip."""
        if self._network is None:
            self.load()
        vectors = np.zeros((len(shots), self.dimension), np.float32)
        for row, shot in zip(vectors, shots, strict=True):
            if shot.clip is not None and len(shot.clip):
                row[:] = self.clip_vectors(self.pixels(shot.clip)[None])[0]
        return Extracted(vectors)


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
