"""A metric head as a folder that appears whole: model.safetensors, card.json, metrics.json, golden.safetensors."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backend.clusters.head import AXES, Head, load_head, save_head
from backend.clusters.reduce import unit
from backend.errors import InputError
from backend.scoring.stored import packed
from trainer.fit import Asked
from trainer.gate import Verdict
from trainer.heads.data import NOTHING, Corrections, Floats, Rows, read_corrections
from trainer.heads.gate import MetricEvidence, judge_head
from trainer.heads.proof import (
    CHALLENGER,
    CHAMPION,
    CHANCE,
    CORRECTED,
    FROZEN,
    STANDING,
    Proof,
    nothing_of,
    prove,
    spread_of,
)
from trainer.metric import EPOCHS, MARGIN, NEAR_START, RATE, Task, make_task
from trainer.progress import Progress
from trainer.versions.making import GOLDEN_ROWS, METRICS, as_json, replacing, require_place


def fit_metric(
    folder: Path, out: Path, asked: Asked, champion: Path | None, emit: Callable[[str], None] | None
) -> dict[str, Any]:
    """Learn from the corrections in `folder` and write `out`; gives the card. Raises InputError, OutputError."""
    progress = Progress(emit)
    progress.stage("read")
    require_place(out)
    rival = None if champion is None else load_head(champion)
    found = read_corrections(folder)
    task = _task(found, asked)
    progress.stage("fold", 5)
    comparable = rival if rival is not None and rival.schema == found.schema else None
    proof = prove(task, None if comparable is None else comparable.axes, progress.part)
    progress.stage("evaluate")
    verdict, said, remarks = examine_head(task, proof, comparable)
    if rival is not None and comparable is None:
        remarks.append(f"The champion {rival.version} is for other vectors and could not be compared.")
    progress.stage("gate")
    axes = proof.fitted.axes
    mapped = unit(task.vectors @ axes)
    metrics = {
        "slot": asked.slot, "kind": "metric", "snapshot": found.id, "seed": asked.seed,
        "nothing": round(nothing_of(mapped, found.film, found.cluster, asked.seed), 6),
        "summary": _summary(proof), "remarks": remarks, **said,
        "labels": _counts(task, proof), "settings": _settings(proof), "gate": verdict.to_json(),
        "split": _split(found, proof), "version": _version(asked, found, axes),
    }  # fmt: skip
    card = {**metrics, "schema": found.schema.to_json(), "device": "cpu", "seconds": round(progress.seconds, 1)}
    there = np.flatnonzero(task.vectors.any(axis=1))
    golden = found.vectors[there[np.linspace(0, len(there) - 1, GOLDEN_ROWS).round().astype(int)]]
    with replacing(out) as part:
        save_head(part, axes, card, golden)
        (part / METRICS).write_bytes(as_json(metrics))
    progress.end()
    return card


def examine_head(task: Task, proof: Proof, champion: Head | None) -> tuple[Verdict, dict[str, Any], list[str]]:
    """The gate's verdict, all figures as plain values, and what else there is to say."""
    judged, _ = proof.judged[CORRECTED]
    films = np.unique(task.found.film[judged[:, 0]])
    mapped = unit(task.vectors @ proof.fitted.axes)
    evidence = MetricEvidence(
        pairs=len(judged),
        corrections=len(np.unique(proof.judged[CORRECTED][1])),
        films=len(films),
        standing_count=len(proof.judged[STANDING][0]),
        finite=bool(np.isfinite(mapped).all()),
        spread=spread_of(mapped),
        frozen=proof.figure(CORRECTED, CHALLENGER, FROZEN),
        chance=proof.figure(CORRECTED, CHALLENGER, CHANCE),
        standing=proof.figure(STANDING, CHALLENGER, FROZEN),
        champion=proof.figure(CORRECTED, CHALLENGER, CHAMPION) if champion else None,
        has_champion=champion is not None,
    )
    names = [name for name in (CHALLENGER, FROZEN, CHANCE, CHAMPION) if name in proof.found[CORRECTED]]
    figures = {
        name: {what: one.to_json() for what in (CORRECTED, STANDING) if (one := proof.figure(what, name))}
        for name in names
    }
    differences = {
        name: {what: one.to_json() for what in (CORRECTED, STANDING) if (one := proof.figure(what, CHALLENGER, name))}
        for name in names
        if name != CHALLENGER
    }
    remarks = []
    if champion is not None:
        remarks.append("The champion has learnt from some of the films on which both are compared here.")
    return judge_head(evidence), {"figures": figures, "differences": differences}, remarks


def _task(found: Corrections, asked: Asked) -> Task:
    """The task; raises InputError where nothing can be learnt from it."""
    if found.slot != asked.slot:
        raise InputError(f"These are corrections for {found.slot!r}, not for {asked.slot!r}.")
    task = make_task(found, asked.seed, threading.Event())
    if not len(task.corrected):
        raise InputError("There are no corrections to learn from yet.")
    learnt = np.unique(found.anchor_film[~found.held[found.anchor_film]])
    if len(learnt) < 2:
        raise InputError(
            "All corrections are of one film; films are never split between learning and proof. Correct another film."
        )
    return task


def _summary(proof: Proof) -> str:
    """The first line: whether it is better than nothing comes before everything else."""
    own, apart = proof.figure(CORRECTED, CHALLENGER), proof.figure(CORRECTED, CHALLENGER, FROZEN)
    if own is None or apart is None:
        return "No correction of a film that it had not seen tells how good it is."
    word = "puts more" if apart.low > 0 else "does not surely put more"
    return (
        f"It {word} corrections right than the plain embedding "
        f"({apart.value:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]): {own.value:.3f} "
        f"[{own.low:.3f}, {own.high:.3f}] of {own.n} in {own.films} films that it had not seen."
    )


def _counts(task: Task, proof: Proof) -> dict[str, Any]:
    return {
        "total": len(task.corrected),
        "with_negative": int(np.sum(task.corrected[:, 2] != NOTHING)),
        "corrections": len(np.unique(task.found.correction)),
        "films": len(np.unique(task.found.anchor_film)),
        "standing": len(proof.judged[STANDING][0]),
        "items": len(task.vectors),
    }


def _settings(proof: Proof) -> dict[str, Any]:
    return {
        "kind": "metric", "dims": proof.fitted.axes.shape[1], "margin": MARGIN, "learning_rate": RATE,
        "near_start": NEAR_START, "most_epochs": EPOCHS, "epochs": proof.fitted.epochs,
        "epochs_in_folds": list(proof.epochs),
        "losses": [[round(loss, 6) for loss in losses] for losses in proof.curve],
    }  # fmt: skip


def _split(found: Corrections, proof: Proof) -> dict[str, Any]:
    def listed(rows: Rows) -> list[str]:
        return [found.films[film] for film in rows.tolist()]

    return {
        "method": "films apart: each is judged by heads that learnt from others",
        "train_films": listed(np.flatnonzero(proof.folds >= 0)),
        "holdout_films": listed(np.flatnonzero(proof.folds == -1)),
        "folds": {found.films[film]: int(fold) for film, fold in enumerate(proof.folds.tolist()) if fold >= 0},
    }


def _version(asked: Asked, found: Corrections, axes: Floats) -> str:
    sha256 = hashlib.sha256(packed({AXES: axes})).hexdigest()
    return asked.version or f"{asked.slot.replace('/', '-')}-{found.id[:8]}-{asked.seed}-{sha256[:6]}"
