"""The page of a training: figures, galleries of right and wrong answers on films not seen, where the CNN looked."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from backend.analysis.stills import read_picture
from backend.clock import clock
from backend.features.base import Image, Vectors
from trainer.framing.learning import THRESHOLD
from trainer.framing.material import Material
from trainer.framing.train import CNN, HEAD, RULE, TUNED, Tested, Trained

WIDE = 200
SHOWN = 24
"""So many stills of a gallery; the most certain answers first, since a wrong one says most."""

NAMES = {RULE: "Face-size rule", CNN: "CNN, baseline", TUNED: "CNN, tuned", HEAD: "Linear head on embeddings"}
UNKNOWN = {
    "recall": "– (no medium close-up among them)",
    "precision": "– (yes to none)",
    "false_positive_rate": "– (no other frame among them)",
}
"""Why a figure cannot be given."""

GROUPS = {
    "True positives": (True, True),
    "False positives": (False, True),
    "False negatives": (True, False),
    "True negatives": (False, False),
}
TEMPLATE = Path(__file__).with_name("page.html.j2")


def render(material: Material, trained: Trained, figures: Mapping[str, Any]) -> str:
    """One HTML page without anything beside it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["figure"] = figure
    parts = [
        {"name": NAMES[kind], "kind": kind, "groups": galleries(material, found)}
        for kind, found in trained.tested["unwatched"].items()
    ]
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(figures=figures, parts=parts, names=NAMES)


def figure(counted: Mapping[str, Any], name: str) -> str:
    """A figure with its interval and what it was counted on; why there is none where nothing was counted."""
    shown = counted[name]
    if shown["value"] is None:
        return UNKNOWN[name]
    return f"{shown['value']:.2f} ({shown['low']:.2f} – {shown['high']:.2f}) of {shown['of']}"


def galleries(material: Material, found: Tested) -> list[dict[str, Any]]:
    """The four groups of stills, each with its size and what is shown of it."""
    tested, said = np.isfinite(found.said), found.said >= THRESHOLD
    groups = []
    for name, (yes, answer) in GROUPS.items():
        rows = np.flatnonzero(tested & (material.yes == yes) & (said == answer))
        rows = rows[np.argsort(-np.abs(found.said[rows] - THRESHOLD), kind="stable")]
        shown = [_tile(material, found, int(row)) for row in rows[:SHOWN]]
        groups.append({"name": name, "count": len(rows), "tiles": shown})
    return groups


def _tile(material: Material, found: Tested, row: int) -> dict[str, Any]:
    still = material.stills[row]
    picture = read_picture(material.folder, still)
    height = max(2, round(picture.shape[0] * WIDE / picture.shape[1]))
    small = np.asarray(cv2.resize(picture, (WIDE, height), interpolation=cv2.INTER_AREA), np.uint8)
    return {
        "picture": _data(small),
        "map": _data(_heated(small, found.maps[row])) if len(found.maps) else "",
        "title": still.title,
        "at": clock(still.second),
        "frame": still.frame,
        "scale": material.scale[row],
        "probability": f"{found.said[row]:.2f}",
    }


def _heated(picture: Image, looked: Vectors) -> Image:
    """The picture, brightest where the CNN looked."""
    size = (picture.shape[1], picture.shape[0])
    heat = np.clip(cv2.resize(looked, size, interpolation=cv2.INTER_LINEAR), 0, 1)[..., None]
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    warm = np.array([224, 164, 88], np.float32)
    return np.asarray(np.clip(grey * 0.55 * (1 - heat) + warm * heat, 0, 255), np.uint8)


def _data(picture: Image) -> str:
    content = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()
