"""What models of texts have in common."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.features.base import Vectors
from backend.features.catalogue.base import mixed


def require_words(text: str) -> str:
    """The text without blanks around it; raises InputError where nothing is left."""
    if not (stripped := text.strip()):
        raise InputError("the text is empty")
    return stripped


def pooled(network: Any, pieces: Sequence[NDArray[np.int64]], *, padding: int, device: str) -> Vectors:
    """Mean of the last hidden states over each text's tokens, length 1, float32 [texts, dimension].

    sentence-transformers' pooling and normalisation; shorter texts are filled up with the token `padding`, unseen.
    """
    import torch

    tokens = np.full((len(pieces), max(map(len, pieces))), padding, np.int64)
    for row, piece in zip(tokens, pieces, strict=True):
        row[: len(piece)] = piece
    lengths = torch.tensor([len(piece) for piece in pieces], device=device)
    seen = torch.arange(tokens.shape[1], device=device)[None] < lengths[:, None]
    with torch.inference_mode(), mixed(device):
        states = network(input_ids=torch.from_numpy(tokens).to(device), attention_mask=seen.long()).last_hidden_state
    states = states.float() * seen[..., None]
    mean = states.sum(dim=1) / lengths[:, None]
    return np.asarray(torch.nn.functional.normalize(mean).cpu().numpy(), np.float32)
