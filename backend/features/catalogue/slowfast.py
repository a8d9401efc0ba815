"""SlowFast 8x8, ResNet-50 (Feichtenhofer et al. 2019, Kinetics-400): what happens."""

from pathlib import Path
from typing import Any

from backend.features.catalogue.base import Clips, Piece, TorchModel
from backend.features.catalogue.clips import KINETICS_DEVIATION, KINETICS_MEAN, ClipPreparation
from backend.features.catalogue.origins import Url
from backend.features.weights import headless

PREPARATION = ClipPreparation(256, 256, KINETICS_MEAN, KINETICS_DEVIATION)
LAST = "blocks.6.proj."


class SlowFast(TorchModel):
    """2304 figures: 2048 of the slow pathway and 256 of the fast one, averaged over time and place."""

    modality = "video"
    name = "slowfast"
    published = "SlowFast 8x8 R50"
    dimension = 2304
    licence = "Apache-2.0"
    origin = Url("https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/SLOWFAST_8x8_R50.pyth")
    preparation = "32 frames at 15 a second, shorter side 256, middle 256 x 256 (pytorchvideo's hub page)"
    clips = Clips(32, 1 / 15)
    batch = (1, 8)

    def open(self, path: Path) -> Any:
        from backend.features.catalogue.slowfast_torch import Network

        return headless(self.name, self.published, Network(), path, LAST)

    def prepare(self, given: Any) -> list[Piece]:
        return [PREPARATION(clip) for clip in given]
