"""VGG16 (Simonyan & Zisserman 2014, ImageNet): the classic of picture features."""

from pathlib import Path
from typing import Any

from backend.features.catalogue.base import Piece, TorchModel
from backend.features.catalogue.origins import Url
from backend.features.catalogue.pictures import IMAGENET_DEVIATION, IMAGENET_MEAN, Preparation
from backend.features.weights import headless

PREPARATION = Preparation(256, 224, IMAGENET_MEAN, IMAGENET_DEVIATION)
LAST = "classifier.6."


class Vgg16(TorchModel):
    """4096 figures: the last layer but one (fc7), after its ReLU."""

    modality = "image"
    name = "vgg16"
    published = "VGG16"
    dimension = 4096
    licence = "BSD-3-Clause"
    origin = Url("https://download.pytorch.org/models/vgg16-397923af.pth")
    preparation = "shorter side 256 (bilinear), middle 224 x 224, ImageNet's mean and deviation (torchvision)"
    batch = (4, 64)

    def open(self, path: Path) -> Any:
        from backend.features import torchvision_ops  # noqa: F401  (before torchvision)

        import torch  # isort: skip
        from torchvision.models import vgg16  # isort: skip

        network = vgg16(weights=None, init_weights=False)
        network.classifier[6] = torch.nn.Identity()
        return headless(self.name, self.published, network, path, LAST)

    def prepare(self, given: Any) -> list[Piece]:
        return [PREPARATION(given)]
