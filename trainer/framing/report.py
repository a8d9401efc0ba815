"""What a training of framing says of itself: figures as JSON, and the folders of its judges."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import OutputError
from backend.features.framing.judge import packed
from backend.features.framing.scale import NOBODY, SCALES
from backend.files import cannot_write, folder_atomically, require_writable, write_atomically
from trainer.framing.material import Material
from trainer.framing.search import TRIED
from trainer.framing.splits import MIXED_FOLDS
from trainer.framing.train import CNN, HEAD, RULE, TUNED, Asked, Trained
from trainer.versions.making import replacing
from trainer.versions.making import require_place as require_model_place

METRICS, PAGE = "metrics.json", "report.html"
JUDGES = (CNN, TUNED, HEAD)
OTHER = ("other frame", "false positive rate")


def figures(material: Material, asked: Asked, trained: Trained) -> dict[str, Any]:
    """All figures as plain values, without times: equal trainings give equal figures."""
    films = {
        title: {
            "labelled": int(np.sum(material.film == k)),
            "medium_close_ups": int(material.yes[material.film == k].sum()),
        }
        for k, title in enumerate(material.titles)
    }
    splits = {
        split: {kind: found.counts(material.yes).to_json() for kind, found in by_kind.items()}
        for split, by_kind in trained.tested.items()
    }
    return {
        "films": films,
        "labelled": len(material),
        "medium_close_ups": int(material.yes.sum()),
        "labels_without_a_still": material.missing,
        "asked": {"drop_negatives": asked.drop, "tune": asked.tune, "augment": asked.augment, "seed": asked.seed},
        "splits": splits,
        "mixed_folds": MIXED_FOLDS,
        "by_film": _by_film(material, trained),
        "remarks": remarks(material, trained),
        "scales": scales(material),
        "search": {**trained.search, "tried": [each.to_json() for each in TRIED]} if asked.tune else {},
    }


def remarks(material: Material, trained: Trained) -> list[str]:
    """Sentences on what the unwatched split cannot tell: films that could not be tested on."""
    tested = np.isfinite(trained.tested["unwatched"][RULE].said)
    said = []
    for k, title in enumerate(material.titles):
        own = material.film == k
        if tested[own].any():
            continue
        lacking, unknown = ("medium close-up", "recall") if not material.yes[~own].any() else OTHER
        said.append(
            f"Not tested on {title}: without it no {lacking} is left to learn from, so nothing is known of the "
            f"{unknown} on films that were not watched. Label {lacking}s in another film, too."
        )
    return said


def scales(material: Material) -> dict[str, Any]:
    """How often the rule's scale is the label's: the same, one step off, and the table (label → rule → count)."""
    pairs = Counter(zip(material.scale, material.guessed, strict=True))
    table = {said: {ruled: pairs[said, ruled] for ruled in (*SCALES, NOBODY)} for said in (*SCALES, NOBODY)}
    seen = [(SCALES.index(a), SCALES.index(b)) for a, b in pairs.elements() if NOBODY not in (a, b)]
    return {
        "same": sum(count for (a, b), count in pairs.items() if a == b),
        "of": len(material),
        "with_a_face": len(seen),
        "same_with_a_face": sum(a == b for a, b in seen),
        "one_step_off": sum(abs(a - b) == 1 for a, b in seen),
        "table": table,
    }


def require_place(out: Path) -> None:
    """Raise OutputError unless a training can be written to `out`: asked before any of the work, and nothing made."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"Cannot write {str(out)!r}: it is not a folder.")
    for kind in JUDGES:
        require_model_place(out / kind)
    if out.exists():
        for name in (METRICS, PAGE):
            require_writable(out / name, out)


def write(out: Path, trained: Trained, metrics: bytes, page: str) -> None:
    """A folder for each judge, the figures and the page, in place of all those of before. Raises OutputError.

    A new folder appears whole. In one that is there, what is not of a training stays; the figures go first and come
    last, so that they never stand beside models of another training.
    """
    if not out.exists():
        with folder_atomically(out) as part:
            _fill(part, trained, metrics, page)
        return
    try:
        for name in (METRICS, PAGE):
            (out / name).unlink(missing_ok=True)
        for kind in JUDGES:
            if kind not in trained.judges and (out / kind).is_dir():
                shutil.rmtree(out / kind)
    except OSError as problem:
        raise cannot_write(out, problem) from None
    _fill(out, trained, metrics, page)


def _fill(out: Path, trained: Trained, metrics: bytes, page: str) -> None:
    for kind, judge in trained.judges.items():
        with replacing(out / kind) as folder:
            for name, content in packed(judge.card, judge.tensors).items():
                (folder / name).write_bytes(content)
    write_atomically(out / METRICS, metrics)
    write_atomically(out / PAGE, page.encode())


def _by_film(material: Material, trained: Trained) -> dict[str, Any]:
    """Of the unwatched split, film by film: counts only, since a film has few."""
    shown: dict[str, Any] = {}
    for k, title in enumerate(material.titles):
        rows = np.flatnonzero(material.film == k)
        counts = {kind: found.counts(material.yes, rows) for kind, found in trained.tested["unwatched"].items()}
        shown[title] = {kind: {"tp": c.tp, "fp": c.fp, "fn": c.fn, "tn": c.tn} for kind, c in counts.items()}
    return shown
