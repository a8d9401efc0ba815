"""A trained version as a folder that appears whole: model.safetensors, card.json, metrics.json, golden.safetensors."""

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import OutputError
from backend.files import PREFIX, SUFFIX, cannot_write, folder_atomically
from backend.scoring.golden import save_golden
from backend.scoring.mlp import Model, load_model, make_model, save_model
from backend.scoring.stored import CARD, GOLDEN, WEIGHTS
from trainer.evidence.card import card_of, examine, metrics_of
from trainer.fit import Asked, Trained, train
from trainer.learners.network import filled
from trainer.progress import Progress
from trainer.snapshot import read_snapshot

METRICS = "metrics.json"
GOLDEN_ROWS = 16


def fit(
    folder: Path, out: Path, asked: Asked, champion: Path | None, emit: Callable[[str], None] | None
) -> dict[str, Any]:
    """Train on the snapshot in `folder` and write `out`; gives the card. Raises InputError, OutputError, Stopped."""
    progress = Progress(emit)
    progress.stage("read")
    require_place(out)
    rival = None if champion is None else load_model(champion)
    snapshot = read_snapshot(folder)
    trained = train(snapshot, asked, progress, threading.Event())
    progress.stage("evaluate")
    model = _as_model(trained, asked)
    vectors = filled(trained.snapshot.features)[0][np.flatnonzero(trained.labelled)]
    served = model.probabilities(vectors)
    findings = examine(trained, asked, rival, served)
    progress.stage("gate")
    card = card_of(trained, asked, findings, progress.seconds)
    metrics = metrics_of(trained, asked, findings)
    with replacing(out) as part:
        golden = save_golden(part, model, _golden(vectors, served))
        save_model(part, trained.tensors, snapshot.schema, model.version, {**card, "golden_sha256": golden})
        (part / METRICS).write_bytes(as_json({**metrics, "version": model.version}))
    progress.end()
    return {**card, "version": model.version}


def require_place(out: Path) -> None:
    """Raise OutputError unless a version can be written to `out`: a new folder, or one with a version in it."""
    try:
        if out.is_dir():
            others = sorted({path.name for path in out.iterdir()} - {WEIGHTS, CARD, METRICS, GOLDEN})
            if others:
                raise OutputError(f"Cannot write {str(out)!r}: it holds {others[0]!r}, which is no part of a model.")
        elif out.exists():
            raise OutputError(f"Cannot write {str(out)!r}: it is not a folder.")
        nearest = next(path for path in (out, *out.absolute().parents) if path.exists())
        if not os.access(nearest, os.W_OK):
            raise OutputError(f"Cannot write {str(out)!r}: {str(nearest)!r} is not writable.")
    except OSError as problem:
        raise cannot_write(out, problem) from None


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A folder to fill that becomes `out`; a version of before is there until then."""
    before = out.parent / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
    with folder_atomically(out) as part:
        yield part
        if out.is_dir():
            out.rename(before)
    shutil.rmtree(before, ignore_errors=True)


def _as_model(trained: Trained, asked: Asked) -> Model:
    """The proposed model as scoring loads it, under its name: slot, snapshot, seed and weights."""
    from safetensors.numpy import save

    data = save({name: np.ascontiguousarray(trained.tensors[name]) for name in sorted(trained.tensors)})
    slot = re.sub(r"[^A-Za-z0-9._]+", "-", asked.slot).strip("-")
    sha256 = hashlib.sha256(data).hexdigest()
    card = {
        "version": asked.version or f"{slot}-{trained.snapshot.id[:8]}-{asked.seed}-{sha256[:6]}",
        "schema": trained.snapshot.schema.to_json(),
        "temperature": trained.temperature,
        "replaces": asked.slot.partition("/")[0],
        "sha256": sha256,
    }
    return make_model(trained.tensors, card, "training")


def _golden(vectors: NDArray[np.float32], served: NDArray[np.float64]) -> NDArray[np.float32]:
    """Sixteen of the rows, from the least to the most probable; some of them twice where there are fewer."""
    order = np.argsort(served, kind="stable")
    places = np.linspace(0, len(order) - 1, GOLDEN_ROWS).round().astype(int)
    return np.asarray(vectors[order[places]], np.float32)


def as_json(values: Any) -> bytes:
    """Plain values as a file: equal ones give equal bytes."""
    return (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
