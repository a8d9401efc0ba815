"""Our own audio block (features.mel): the mean of the seconds' log-mel spectra."""

from collections.abc import Sequence
from typing import Any

from backend.errors import InputError
from backend.features.base import ShotMaterial, Vectors
from backend.features.catalogue.base import Model, Piece
from backend.features.catalogue.origins import Nothing
from backend.features.mel import LogMel


class Mel(Model):
    """128 mel bands, natural log of power, as every shot has them."""

    modality = "audio"
    name = "mel"
    published = "log-mel-128"
    dimension = 128
    licence = "part of Selects"
    origin = Nothing()
    preparation = "16 kHz mono, log-mel per second (backend.media.audio)"
    per_second = True

    def load(self, device: str) -> None:
        self._block = LogMel()

    def prepare(self, given: Any) -> list[Piece]:
        if not len(given):
            raise InputError("there is no sound in it")
        return [given]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        return self._block.extract([ShotMaterial(0, len(rows), log_mel=rows) for rows in pieces]).vectors
