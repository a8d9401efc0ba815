"""ViT-base-patch16-224 (Dosovitskiy et al. 2020; Google, ImageNet-21k then ImageNet): what a picture shows."""

from pathlib import Path
from typing import Any

from backend.features.catalogue.base import Piece, TorchModel
from backend.features.catalogue.origins import Hub
from backend.features.catalogue.pictures import HALF, Preparation
from backend.features.pretrained import open_pretrained, require_config

PREPARATION = Preparation(224, 224, HALF, HALF, squeeze=True)


class Vit(TorchModel):
    """768 figures: the class token after the last layer norm, as the classifier takes it."""

    modality = "image"
    name = "vit"
    published = "ViT-base-patch16-224"
    dimension = 768
    licence = "Apache-2.0"
    origin = Hub("google/vit-base-patch16-224")
    preparation = "squeezed to 224 x 224 (bilinear), mean and deviation 0.5 (transformers' ViTImageProcessor)"
    batch = (4, 64)

    def open(self, path: Path) -> Any:
        expected = {"model_type": "vit", "hidden_size": self.dimension, "image_size": PREPARATION.side}
        require_config(self.name, self.published, path, expected)
        return open_pretrained(self.name, self.published, "ViTModel", path, add_pooling_layer=False)

    def prepare(self, given: Any) -> list[Piece]:
        return [PREPARATION(given)]

    def forward(self, batch: Any) -> Any:
        return self._network(pixel_values=batch).last_hidden_state[:, 0]
