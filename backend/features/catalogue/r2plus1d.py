"""R(2+1)D-18 (Tran et al. 2018, Kinetics-400): what happens."""

from pathlib import Path
from typing import Any

from backend.features.catalogue.base import Clips, Piece, TorchModel
from backend.features.catalogue.clips import ClipPreparation
from backend.features.catalogue.origins import Url
from backend.features.weights import headless

PREPARATION = ClipPreparation((128, 171), 112, (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
LAST = "fc."


class R2Plus1d(TorchModel):
    """512 figures: the last block, averaged over time and place."""

    modality = "video"
    name = "r2plus1d"
    published = "R(2+1)D-18"
    dimension = 512
    licence = "BSD-3-Clause"
    origin = Url("https://download.pytorch.org/models/r2plus1d_18-91a641e6.pth")
    preparation = "16 frames at 15 a second, 128 x 171, middle 112 x 112 (torchvision's R2Plus1D_18_Weights)"
    clips = Clips(16, 1 / 15)
    batch = (1, 32)

    def open(self, path: Path) -> Any:
        from backend.features import torchvision_ops  # noqa: F401  (before torchvision)

        import torch  # isort: skip
        from torchvision.models.video import r2plus1d_18  # isort: skip

        network = r2plus1d_18(weights=None)
        network.fc = torch.nn.Identity()
        return headless(self.name, self.published, network, path, LAST)

    def prepare(self, given: Any) -> list[Piece]:
        return [PREPARATION(clip) for clip in given]
