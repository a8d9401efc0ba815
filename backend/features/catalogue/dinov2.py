"""DINOv2 ViT-B/14 (Oquab et al. 2023): what a picture shows, learned without labels."""

from pathlib import Path
from typing import Any

from backend.features.catalogue.base import Piece, TorchModel
from backend.features.catalogue.origins import Hub
from backend.features.catalogue.pictures import IMAGENET_DEVIATION, IMAGENET_MEAN, Preparation
from backend.features.pretrained import open_pretrained, require_config

PREPARATION = Preparation(256, 224, IMAGENET_MEAN, IMAGENET_DEVIATION, "bicubic")


class Dinov2(TorchModel):
    """768 figures: the class token after the last layer norm."""

    modality = "image"
    name = "dinov2"
    published = "DINOv2-base"
    dimension = 768
    licence = "Apache-2.0"
    origin = Hub("facebook/dinov2-base")
    preparation = "shorter side 256 (bicubic), middle 224 x 224, ImageNet's mean and deviation (BitImageProcessor)"
    batch = (4, 64)

    def open(self, path: Path) -> Any:
        require_config(self.name, self.published, path, {"model_type": "dinov2", "hidden_size": self.dimension})
        return open_pretrained(self.name, self.published, "Dinov2Model", path)

    def prepare(self, given: Any) -> list[Piece]:
        return [PREPARATION(given)]

    def forward(self, batch: Any) -> Any:
        return self._network(pixel_values=batch).last_hidden_state[:, 0]
