"""VGGish (Hershey et al. 2017, AudioSet): what is heard. Ported from torchvggish 0.2 (Apache-2.0).

Source: github.com/harritaylor/torchvggish, itself a port of tensorflow/models/research/audioset/vggish. The network
bears the names of the published file; the spectrogram is mel_features.py in fewer lines.
"""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.catalogue.base import Piece, TorchModel
from backend.features.catalogue.origins import Url
from backend.features.catalogue.sound import RATE_HZ, Samples, require_sound
from backend.features.weights import fill, read_state

FRAME, HOP, FFT, BANDS = 400, 160, 512, 64
LOWEST_HZ, HIGHEST_HZ, OFFSET = 125.0, 7500.0, 0.01
ROWS = 96
LEAST = FRAME + (ROWS - 1) * HOP
LAYERS = (64, 0, 128, 0, 256, 256, 0, 512, 512, 0)
"""Channels of each 3 x 3 convolution; 0 halves the picture."""


class Vggish(TorchModel):
    """128 figures of 0.96 s each, before PCA and quantisation, averaged."""

    modality = "audio"
    name = "vggish"
    published = "VGGish"
    dimension = 128
    licence = "Apache-2.0"
    origin = Url("https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth")
    preparation = "windows of 0.96 s, 64 log-mel bands of 125 to 7,500 Hz (mel_features.py)"
    batch = (16, 256)

    def open(self, path: Path) -> Any:
        return fill(self.name, self.published, build(), read_state(self.name, self.published, path), path)

    def prepare(self, given: Any) -> list[Piece]:
        return list(log_mel(require_sound(given))[:, None])


def build() -> Any:
    """The empty network: float32 [n, 1, 96, 64] → [n, 128]."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    channels = 1
    for out in LAYERS:
        if not out:
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
        channels = out

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(*layers)
            sizes = (512 * 4 * 6, 4096, 4096, 128)
            pairs = pairwise(sizes)
            self.embeddings = nn.Sequential(*(part for pair in pairs for part in (nn.Linear(*pair), nn.ReLU())))

        def forward(self, mel: torch.Tensor) -> torch.Tensor:
            # TensorFlow's order, channels last, in which the weights were learned.
            found: torch.Tensor = self.embeddings(self.features(mel).permute(0, 2, 3, 1).flatten(1))
            return found

    return Network()


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Log-mel of whole windows, float32 [windows, 96, 64]; sound of less than one is filled up with silence."""
    sound = np.pad(samples.astype(np.float64), (0, max(LEAST - len(samples), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi / FRAME * np.arange(FRAME))
    count = len(frames) // ROWS
    made = np.zeros((count, ROWS, BANDS), np.float32)
    for row, at in zip(made, range(0, count * ROWS, ROWS), strict=True):
        magnitude = np.abs(np.fft.rfft(frames[at : at + ROWS] * hann, FFT))
        row[:] = np.log(magnitude @ _filters() + OFFSET)
    return made


@cache
def _filters() -> NDArray[np.float64]:
    """Triangles over the HTK mel scale, [257, 64]; the bin of 0 Hz counts nowhere."""
    bins = _to_mel(np.linspace(0, RATE_HZ / 2, FFT // 2 + 1))[:, None]
    edges = np.linspace(_to_mel(LOWEST_HZ), _to_mel(HIGHEST_HZ), BANDS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    made = np.maximum(0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))
    made[0] = 0
    return np.asarray(made, np.float64)


def _to_mel(hertz: Any) -> Any:
    return 1127.0 * np.log(1.0 + hertz / 700.0)
