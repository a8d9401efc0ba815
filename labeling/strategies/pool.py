"""What a strategy chooses from, read from whatever holds it."""

import operator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Draw = tuple[Indices, Floats]
"""Chosen rows of the pool, all different, and the chance of each that a draw like this one includes it, in (0, 1]."""

Wide = NDArray[np.floating[Any]]
"""float32 stays float32: twenty thousand windows of a large profile are many."""


@dataclass(frozen=True)
class Pool:
    """What nobody was asked about yet, [N], beside what is labelled already, [L]. Fields are attributes and keys.

    embeddings, labelled_embeddings   [N, D], [L, D]; NaN where not known
    probabilities                     [N], that a curator would approve; NaN where no model said
    groups, labelled_groups           [N], [L]: the film of each, by number
    round                             how often a draw was made before
    scenes                            [N], the scene of each by number, different in all films; None where not known
    rivals                            [N], probabilities by a model that shares the draw with the first; None without
    """

    embeddings: Wide
    probabilities: Floats
    groups: Indices
    labelled_embeddings: Wide
    labelled_groups: Indices
    round: int = 0
    scenes: Indices | None = None
    rivals: Floats | None = None

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitem__(self, name: str) -> Any:
        if name not in NAMES:
            raise KeyError(name)
        return getattr(self, name)

    @property
    def labels(self) -> int:
        """How many are labelled."""
        return max(len(self.labelled_embeddings), len(self.labelled_groups))


NAMES = tuple(field.name for field in fields(Pool))


def read(source: Any) -> Pool:
    """The pool in anything with these keys or attributes. All but `embeddings` may be missing or None.

    Raises InputError where shapes disagree.
    """
    found = {name: _field(source, name) for name in NAMES}
    embeddings = _matrix(found["embeddings"], None)
    count = len(embeddings)
    films, labelled_films = found["groups"], found["labelled_groups"]
    codes = _codes([*_listed(films, count), *_listed(labelled_films, 0)])
    pool = Pool(
        embeddings,
        _probabilities(found["probabilities"], count),
        codes[: len(_listed(films, count))],
        _matrix(found["labelled_embeddings"], embeddings.shape[1]),
        codes[len(_listed(films, count)) :],
        int(found["round"] or 0),
        None if found["scenes"] is None else _codes(_listed(found["scenes"], count)),
        None if found["rivals"] is None else _probabilities(found["rivals"], count),
    )
    more = [count if values is None else len(values) for values in (pool.scenes, pool.rivals)]
    if {len(pool.probabilities), len(pool.groups), *more} != {count}:
        raise InputError(f"A pool of {count} embeddings needs as many probabilities, groups and scenes.")
    return pool


def asked_for(pool: Pool, k: int) -> int:
    """How many can be drawn: k, none below zero, and no more than there are."""
    return min(max(int(k), 0), len(pool))


def _field(source: Any, name: str) -> Any:
    """By key, else as attribute, else None. Keys first: `round` of a data frame is a method."""
    for get in (operator.getitem, getattr):
        try:
            return get(source, name)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            continue  # a dictionary with `__getattr__` answers with KeyError, a list with TypeError
    return None


def _matrix(values: Any, width: int | None) -> Wide:
    """[rows, width] as floats; nothing at all is no rows."""
    array = np.asarray([] if values is None else values)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    if array.size == 0 and array.ndim < 2:
        return np.zeros((0, width or 0), array.dtype)
    array = (
        array.reshape(len(array), -1) if array.size else np.zeros((len(array), width or array.shape[1]), array.dtype)
    )
    if width is not None and len(array) and array.shape[1] != width:
        raise InputError(f"Labelled embeddings have {array.shape[1]} numbers, those of the pool {width}.")
    return array


def _probabilities(values: Any, count: int) -> Floats:
    array = np.full(count, np.nan) if values is None else np.asarray(values, np.float64).reshape(-1)
    return np.where(np.isfinite(array), np.clip(array, 0.0, 1.0), np.nan)


def _listed(values: Any, count: int) -> list[Any]:
    """As a list; without any, all are of one film."""
    return [0] * count if values is None else list(np.asarray(values).reshape(-1).tolist())


def _codes(values: list[Any]) -> Indices:
    """Names or numbers of any kind as numbers from 0."""
    known: dict[Any, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)
