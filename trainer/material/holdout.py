"""Which films are never trained on: by a hash of their checksum, so that it is the same for ever and everywhere."""

import hashlib
from collections.abc import Collection

SHARE = 0.2
LEAST_FILMS = 5
"""With fewer films each is needed for training; held-out figures then come from folds alone."""


def holdout(films: Collection[str]) -> frozenset[str]:
    """The checksums that are held out: about a fifth, at least one, never all; none where there are too few.

    Where the hash chooses none, the film nearest to being chosen is; a film that the hash chooses is always held out.
    """
    if len(films) < LEAST_FILMS:
        return frozenset()
    places = {film: place_of(film) for film in films}
    nearest = sorted(films, key=lambda film: (places[film], film))
    chosen = [film for film in nearest if places[film] < SHARE]
    return frozenset((chosen or nearest[:1])[: len(films) - 1])


def place_of(film: str) -> float:
    """A number in [0, 1) that stands for this film always."""
    return int.from_bytes(hashlib.sha256(f"holdout:{film}".encode()).digest()[:8]) / 2**64
