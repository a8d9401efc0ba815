"""all-mpnet-base-v2 (Song et al. 2020; sentence-transformers): a text's meaning."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.features.base import Vectors
from backend.features.catalogue.base import Piece, TorchModel
from backend.features.catalogue.origins import Hub
from backend.features.catalogue.words import pooled, require_words
from backend.features.pretrained import open_pretrained, require_config
from backend.features.weights import missing

MAX_TOKENS = 384
TOKENIZER = "tokenizer.json"


class MpNet(TorchModel):
    """768 figures of length 1."""

    modality = "text"
    name = "mpnet"
    published = "all-mpnet-base-v2"
    dimension = 768
    licence = "Apache-2.0"
    origin = Hub("sentence-transformers/all-mpnet-base-v2", (TOKENIZER,))
    preparation = "384 tokens; mean over tokens, length 1 (sentence-transformers)"

    def open(self, path: Path) -> Any:
        from tokenizers import Tokenizer

        require_config(self.name, self.published, path, {"model_type": "mpnet", "hidden_size": self.dimension})
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(path / TOKENIZER))
        except Exception as broken:
            raise missing(self.name, self.published, f"{str(path / TOKENIZER)!r} is no tokenizer") from broken
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        return open_pretrained(self.name, self.published, "MPNetModel", path, add_pooling_layer=False)

    def prepare(self, given: Any) -> list[Piece]:
        return [np.array(self._tokenizer.encode(require_words(given)).ids, np.int64)]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        return pooled(self._network, pieces, padding=self._network.config.pad_token_id, device=self._device)
