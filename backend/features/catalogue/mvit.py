"""MViTv2-S (Li et al. 2021, Kinetics-400): what happens."""

from pathlib import Path
from typing import Any

from backend.features.catalogue.base import Clips, Piece, TorchModel
from backend.features.catalogue.clips import KINETICS_DEVIATION, KINETICS_MEAN, ClipPreparation
from backend.features.catalogue.origins import Url
from backend.features.weights import headless

PREPARATION = ClipPreparation(256, 224, KINETICS_MEAN, KINETICS_DEVIATION)
LAST = "head.1."


class Mvit(TorchModel):
    """768 figures: the class token after the last layer norm."""

    modality = "video"
    name = "mvit"
    published = "MViTv2-S"
    dimension = 768
    licence = "BSD-3-Clause"
    origin = Url("https://download.pytorch.org/models/mvit_v2_s-ae3be167.pth")
    preparation = "16 frames at 7.5 a second, shorter side 256, middle 224 x 224 (torchvision's MViT_V2_S_Weights)"
    clips = Clips(16, 1 / 7.5)
    batch = (1, 16)

    def open(self, path: Path) -> Any:
        from backend.features import torchvision_ops  # noqa: F401  (before torchvision)

        import torch  # isort: skip
        from torchvision.models.video import mvit_v2_s  # isort: skip

        network = mvit_v2_s(weights=None)
        network.head = torch.nn.Identity()
        return headless(self.name, self.published, network, path, LAST)

    def prepare(self, given: Any) -> list[Piece]:
        return [PREPARATION(clip) for clip in given]
