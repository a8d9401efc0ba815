"""Shots ranked by words through their labels: how near a query is to each class, times how probable the class is."""

import importlib.metadata
import io
from contextlib import suppress
from pathlib import Path

import numpy as np

from backend.errors import OutputError
from backend.features.base import Vectors
from backend.features.labels import CLASSES, classes
from backend.features.minilm import TextEncoder
from backend.features.networks import INSTALLED, NETWORKS
from backend.files import write_atomically

VERSION = 1


def label_scores(probabilities: Vectors, labels: Vectors, queries: Vectors) -> Vectors:
    """How well each shot fits each query: float32 [queries, shots], 0 … 1, to be compared within a query.

    The sum over the classes of probability times the square of the likeness (cosine, none below 0).
    probabilities  float32 [shots, 1000] of `Labels`
    labels         float32 [1000, 384] of `label_vectors`
    queries        float32 [queries, 384] of `TextEncoder.vectors`
    """
    return np.asarray(_likeness(labels, queries) @ probabilities.T, np.float32)


def best_label(probabilities: Vectors, labels: Vectors, query: Vectors) -> str:
    """The class that speaks most for a shot (float32 [1000]) under a query (float32 [384]): the reason to give."""
    return classes()[int((_likeness(labels, query[None])[0] * probabilities).argmax())][0]


def _likeness(labels: Vectors, queries: Vectors) -> Vectors:
    return np.asarray(np.square(np.maximum(queries @ labels.T, 0)), np.float32)


def label_texts() -> list[str]:
    """What is encoded of each class: its name and definition, which rank better than the name alone or "a photo of"."""
    return [f"{name}: {definition}" for name, definition in classes()]


def file_name() -> str:
    """The name of the file of vectors, another one for other releases of the wheels."""
    wheels = ("timm", NETWORKS[TextEncoder.name].package)
    return "-".join(["labels", str(VERSION), *map(importlib.metadata.version, wheels)]) + ".npy"


def label_vectors(encoder: TextEncoder, cache: Path | None, installed: Path = INSTALLED) -> Vectors:
    """The classes as vectors, float32 [1000, 384], from `installed`, else from `cache`, else made there (seconds).

    Raises MissingWeights.
    """
    for folder in (installed, cache):
        if folder:
            with suppress(OSError, ValueError, EOFError):
                found = np.load(folder / file_name(), allow_pickle=False)
                if found.shape == (CLASSES, encoder.dimension):
                    return np.asarray(found, np.float32)
    with suppress(OutputError):
        if cache:
            return keep(encoder, cache)
    return encoder.vectors(label_texts())


def keep(encoder: TextEncoder, folder: Path) -> Vectors:
    """Make the vectors and their file in `folder`; raises MissingWeights, OutputError."""
    made, data = encoder.vectors(label_texts()), io.BytesIO()
    np.save(data, made)
    write_atomically(folder / file_name(), data.getvalue())
    return made
