"""Whisper's encoder (Radford et al. 2022, base): what is heard, as a model of speech hears it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.features.base import Vectors
from backend.features.catalogue.base import Piece, TorchModel, mixed
from backend.features.catalogue.origins import Hub
from backend.features.catalogue.sound import RATE_HZ, windows
from backend.features.pretrained import open_pretrained, require_config

WINDOW_S = 30
SAMPLES_PER_STATE = 320


class Whisper(TorchModel):
    """512 figures: mean of the encoder's states over the time that holds sound (the rest of 30 s is padding)."""

    modality = "audio"
    name = "whisper"
    published = "Whisper-base encoder"
    dimension = 512
    licence = "Apache-2.0"
    origin = Hub("openai/whisper-base")
    preparation = "windows of 30 s, 80 log-mel bands (transformers' WhisperFeatureExtractor)"
    batch = (1, 16)

    def open(self, path: Path) -> Any:
        expected = {"model_type": "whisper", "d_model": self.dimension, "num_mel_bins": 80}
        require_config(self.name, self.published, path, expected)
        network = open_pretrained(self.name, self.published, "WhisperModel", path).encoder
        import transformers

        untyped: Any = transformers
        self._listen = untyped.WhisperFeatureExtractor()
        return network

    def prepare(self, given: Any) -> list[Piece]:
        return [self._heard(window) for window in windows(given, WINDOW_S * RATE_HZ)]

    def _heard(self, window: Any) -> tuple[Any, int]:
        """Log-mel float32 [80, 3000] and how many of the encoder's 1,500 states lie in sound."""
        mel = self._listen(window, sampling_rate=RATE_HZ, return_tensors="np")["input_features"][0]
        return np.asarray(mel, np.float32), -(-len(window) // SAMPLES_PER_STATE)

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        import torch

        mels = torch.from_numpy(np.stack([mel for mel, _ in pieces])).to(self._device)
        with torch.inference_mode(), mixed(self._device):
            states = self._network(mels).last_hidden_state.float()
        means = [row[:count].mean(dim=0) for row, (_, count) in zip(states, pieces, strict=True)]
        return np.asarray(torch.stack(means).cpu().numpy(), np.float32)
