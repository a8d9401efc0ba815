"""Titles through a model: loaded by threads ahead of it, batched for it, kept by a thread behind it."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from backend.analysis.catalogue.reading import Reader
from backend.analysis.catalogue.state import Row
from backend.analysis.catalogue.titles import Title
from backend.errors import InputError
from backend.features.base import Vectors
from backend.features.catalogue.base import Model, Piece

Progress = Callable[[int, int], None]
"""Is told how many titles are done and how many of them were skipped."""

DEVICE_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""Of NVIDIA's driver, of Windows' subsystem for Linux, of AMD's driver."""

UNWRITTEN = 4
HEAVY_AHEAD = 1


@dataclass
class Timing:
    """How long it took, seconds: all of it, and inside the model; titles that went through."""

    titles: int = 0
    skipped: int = 0
    wall_s: float = 0.0
    model_s: float = 0.0

    @property
    def share(self) -> float:
        """Share of the time that was spent inside the model."""
        return self.model_s / self.wall_s if self.wall_s else 0.0


@dataclass(frozen=True)
class _Loaded:
    id: str
    stamp: str
    pieces: list[Piece]
    reason: str = ""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_here() -> str:
    """`cuda` where there is such a device, else `cpu`; without a device file torch need not be asked."""
    if not any(Path(file).exists() for file in DEVICE_FILES):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def run(
    titles: Sequence[Title],
    model: Model,
    read: Reader,
    keep: Callable[[Sequence[Row]], None],
    progress: Progress = lambda done, skipped: None,
    *,
    device: str = "cpu",
) -> Timing:
    """Every title's vector, or why not, handed to `keep` in order, batch by batch; the model is loaded already."""
    timing, began = Timing(), time.perf_counter()
    machine = _Machine(model, model.batch[device != "cpu"], timing)
    loaders = ThreadPoolExecutor(min(8, max(2, cores())), thread_name_prefix="load")
    keeper = ThreadPoolExecutor(1, thread_name_prefix="keep")
    waiting: deque[Future[None]] = deque()
    try:
        for batch in _batches(_loaded(titles, model, read, loaders, machine), machine):
            rows = machine.rows(batch)
            waiting.append(keeper.submit(keep, rows))
            while len(waiting) > UNWRITTEN or (waiting and waiting[0].done()):
                waiting.popleft().result()
            timing.titles += len(rows)
            timing.skipped += sum(row.vector is None for row in rows)
            progress(timing.titles, timing.skipped)
    finally:
        loaders.shutdown(wait=False, cancel_futures=True)
        keeper.shutdown(wait=True)
    for future in waiting:
        future.result()
    timing.wall_s = time.perf_counter() - began
    return timing


def _loaded(
    titles: Sequence[Title], model: Model, read: Reader, loaders: ThreadPoolExecutor, machine: "_Machine"
) -> Iterator[_Loaded]:
    """The titles in order, read and prepared ahead of time: as many as two batches, of films and sound a few."""

    def load(title: Title) -> _Loaded:
        stamp = title.stamp
        try:
            return _Loaded(title.id, stamp, [piece for part in read(title) for piece in model.prepare(part)])
        except InputError as skipped:
            return _Loaded(title.id, stamp, [], skipped.detail.rstrip("."))
        except (OSError, ValueError, MemoryError) as broken:
            return _Loaded(title.id, stamp, [], f"it cannot be read: {type(broken).__name__}: {broken}"[:300])

    heavy = model.modality in ("audio", "video")
    ahead = min(8, max(2, cores())) + (HEAVY_AHEAD if heavy else 2 * machine.size)
    coming = iter(titles)
    queue = deque(loaders.submit(load, title) for title in islice(coming, ahead))
    while queue:
        found = queue.popleft().result()
        queue.extend(loaders.submit(load, title) for title in islice(coming, 1))
        yield found


def _batches(loaded: Iterator[_Loaded], machine: "_Machine") -> Iterator[list[_Loaded]]:
    """Titles together until their pieces fill a batch."""
    batch: list[_Loaded] = []
    for one in loaded:
        batch.append(one)
        if sum(len(each.pieces) for each in batch) >= machine.size or len(batch) >= 4 * machine.size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Machine:
    """The model with a batch size that fits into the device."""

    def __init__(self, model: Model, size: int, timing: Timing) -> None:
        self._model, self.size, self._timing = model, size, timing

    def rows(self, batch: Sequence[_Loaded]) -> list[Row]:
        """One row a title: the mean of its pieces' vectors, or the reason why there is none."""
        pieces = [piece for one in batch for piece in one.pieces]
        vectors = np.zeros((len(pieces), self._model.dimension), np.float32)
        at = 0
        while at < len(pieces):
            size = min(self.size, len(pieces) - at)
            vectors[at : at + size] = self._vectors(pieces[at : at + size])
            at += size
        rows, at = [], 0
        for one in batch:
            rows.append(_row(one, vectors[at : at + len(one.pieces)]))
            at += len(one.pieces)
        return rows

    def _vectors(self, pieces: Sequence[Piece]) -> Vectors:
        began = time.perf_counter()
        try:
            return self._model.vectors(pieces)
        except RuntimeError as failed:
            if len(pieces) == 1 or "out of memory" not in str(failed):
                raise
        finally:
            self._timing.model_s += time.perf_counter() - began
        half = len(pieces) // 2
        self.size = half
        return np.concatenate([self._vectors(pieces[:half]), self._vectors(pieces[half:])])


def _row(one: _Loaded, vectors: Vectors) -> Row:
    if one.reason:
        return Row(one.id, one.stamp, reason=one.reason)
    vector = vectors.mean(axis=0, dtype=np.float64).astype(np.float32) if len(vectors) > 1 else vectors[0]
    if not np.isfinite(vector).all():
        return Row(one.id, one.stamp, reason="the model made no finite numbers of it")
    return Row(one.id, one.stamp, vector)
