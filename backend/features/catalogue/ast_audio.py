"""Audio Spectrogram Transformer (Gong et al. 2021, AudioSet): what is heard."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from backend.features.catalogue.base import Piece, TorchModel
from backend.features.catalogue.origins import Hub
from backend.features.catalogue.sound import RATE_HZ, windows
from backend.features.pretrained import open_pretrained, require_config

WINDOW = round(10.24 * RATE_HZ)


class Ast(TorchModel):
    """768 figures: the mean of its class and distillation tokens, as the classifier takes it."""

    modality = "audio"
    name = "ast"
    published = "Audio Spectrogram Transformer"
    dimension = 768
    licence = "BSD-3-Clause"
    origin = Hub("MIT/ast-finetuned-audioset-10-10-0.4593")
    preparation = "windows of 10.24 s, 128 Kaldi mel bands (transformers' ASTFeatureExtractor)"
    batch = (1, 32)

    def open(self, path: Path) -> Any:
        expected = {"model_type": "audio-spectrogram-transformer", "hidden_size": self.dimension}
        require_config(self.name, self.published, path, expected)
        network = open_pretrained(self.name, self.published, "ASTModel", path)
        import transformers

        untyped: Any = transformers
        with warnings.catch_warnings():
            # That the lowest of Kaldi's bands hold nothing is so by its rule, and nothing that a user can change.
            warnings.filterwarnings("ignore", "At least one mel filter", UserWarning)
            self._listen = untyped.ASTFeatureExtractor()
        return network

    def prepare(self, given: Any) -> list[Piece]:
        heard = self._listen(windows(given, WINDOW), sampling_rate=RATE_HZ, return_tensors="np")
        return list(np.asarray(heard["input_values"], np.float32))

    def forward(self, batch: Any) -> Any:
        return self._network(input_values=batch).pooler_output
