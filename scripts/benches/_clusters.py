"""Truth for clusters: shots by scene of scene_boundaries, faces of two real films; pairwise F1, V-measure, noise.

Shots: of each film the vectors of its shots (VGG19, or the root of the HSV histogram where a film has no VGG19) and the
scene that people put each shot in. A scene is a run of consecutive shots: a setting that comes back later is another
scene, and one scene may have several settings. So no method that looks at pictures alone can come near 1.

Faces: those of `faces_stage` (real people) five times a second and of `sintel_trailer` (drawn ones) four times a
second, each picture taken for a shot of its own. Who is who was said by eye, from a contact sheet, by where the faces
lie in which frames. Left out: two hands that were taken for faces, a blurred face in the background (4 times), one
face in a snowstorm, and a logo (7 times).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from backend.clusters.grouping import NOISE, Floats, Ints
from backend.clusters.reduce import unit
from backend.clusters.tracks import seen_together
from backend.features.base import FaceBox, ShotMaterial
from backend.features.faces import Faces

STAGE, SINTEL = "faces_stage_360p.mp4", "sintel_trailer_204p.mp4"
A_SECOND = {STAGE: 5, SINTEL: 4}
WIDTH = 640
AUDIENCE = (0.2, 0.4, 0.55)
MEASURES = ("f1", "precision", "recall", "v", "noise")


@dataclass(frozen=True)
class Truth:
    """Items with vectors, float32 [N, D], and what each is, int64 [N]."""

    vectors: Floats
    label: Ints
    together: Ints


def shots_of(folder: Path) -> dict[str, Truth]:
    """The films of scene_boundaries, by name."""
    films = {}
    for path in sorted(folder.glob("*.npz")):
        stored = np.load(path)
        looks = stored["vgg19"] if "vgg19" in stored.files else np.sqrt(stored["hsv"].astype(np.float32))
        vectors = unit(np.nan_to_num(looks.astype(np.float32), posinf=float(np.finfo(np.float16).max)))
        films[path.stem] = Truth(vectors, np.cumsum(stored["scene_start"]), np.zeros((0, 2), np.int64))
    return films


def pooled(films: dict[str, Truth]) -> Truth:
    """All films that have VGG19 as one library; a scene is of its film alone."""
    alike = [film for film in films.values() if film.vectors.shape[1] == 512]
    label = np.concatenate([film.label + 10_000 * k for k, film in enumerate(alike)])
    return Truth(np.concatenate([film.vectors for film in alike]), label, np.zeros((0, 2), np.int64))


def faces_of(folder: Path) -> Truth:
    """The faces of both films, of those who could be told."""
    network = Faces()
    network.load()
    vectors, who, picture = [], [], []
    for name in (STAGE, SINTEL):
        for face in _found(network, folder / name):
            person = _stage(face) if name == STAGE else _sintel(face)
            if person and face.embedding is not None:
                vectors.append(face.embedding)
                who.append(person)
                picture.append([face.frame + (10_000 if name == SINTEL else 0)])
    label = np.unique(who, return_inverse=True)[1].astype(np.int64)
    return Truth(np.stack(vectors), label, seen_together([0] * len(picture), picture))


def _found(network: Faces, film: Path) -> list[FaceBox]:
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        step = max(1, round(float(stream.average_rate or 24) / A_SECOND[film.name]))
        shots = [
            ShotMaterial(
                0.0, 0.0, (frame.reformat(WIDTH, WIDTH * frame.height // frame.width, "rgb24").to_ndarray(),), (k,)
            )
            for k, frame in enumerate(container.decode(stream))
            if k % step == 0
        ]
    return [face for found in network.extract(shots).faces for face in found]


def _stage(face: FaceBox) -> str:
    """Who it is: frames 0-20 and 84-210 show who speaks, 24-36 a musician, 216-270 four people side by side."""
    if face.frame < 24:
        return "speaker" if face.x > 0.5 else ""
    if face.frame < 40:
        return "musician"
    if face.frame < 214:
        return "speaker" if face.y < 0.4 else ""
    return f"audience {np.digitize(face.x, AUDIENCE)}"


def _sintel(face: FaceBox) -> str:
    """Who it is: frames 300-330 show an old man, all others the heroine (402: not to be told, 1044 on: a logo)."""
    if face.frame == 402 or face.frame > 1000:
        return ""
    return "old man" if 300 <= face.frame <= 330 else "heroine"


def scores(label: Ints, cluster: Ints) -> NDArray[np.float64]:
    """Of MEASURES, float64 [5]: of pairs in one cluster, V-measure, share of noise. Each item of noise is alone."""
    from sklearn.metrics import v_measure_score

    alone = cluster.astype(np.int64)
    noise = alone == NOISE
    alone[noise] = alone.max(initial=0) + 1 + np.arange(noise.sum())
    truth, found = (np.unique(values, return_inverse=True)[1].ravel() for values in (label, alone))
    counts = np.zeros((truth.max() + 1, found.max() + 1))
    np.add.at(counts, (truth, found), 1)
    both, of_found, of_truth = _pairs(counts), _pairs(counts.sum(axis=0)), _pairs(counts.sum(axis=1))
    precision, recall = both / max(of_found, 1), both / max(of_truth, 1)
    f1 = 2 * both / max(of_found + of_truth, 1)
    return np.array([f1, precision, recall, v_measure_score(truth, found), noise.mean()])


def _pairs(counts: NDArray[np.float64]) -> float:
    return float((counts * (counts - 1) / 2).sum())


def means(per_film: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Means over films with 95 % bootstrap intervals over films, and of the differences from the last method."""
    rng = np.random.default_rng(0)
    ours = list(per_film.values())[-1]
    drawn = rng.integers(0, len(ours), (4000, len(ours)))
    result: dict[str, Any] = {}
    for name, values in per_film.items():
        of = {m: float(values[:, k].mean()) for k, m in enumerate(MEASURES)}
        intervals = {f"{m}_ci95": _interval(values[drawn, k]) for k, m in enumerate(MEASURES)}
        less = {f"{m}_less_ours_ci95": _interval((values - ours)[drawn, k]) for k, m in enumerate(MEASURES)}
        result[name] = {**of, **intervals, **less}
    return result


def _interval(drawn: NDArray[np.float64]) -> list[float]:
    return [float(q) for q in np.quantile(drawn.mean(axis=1), (0.025, 0.975))]


Method = Callable[[Truth], Ints]


def kmeans(truth: Truth) -> Ints:
    """Plain k-means, given the true number of scenes or people."""
    from sklearn.cluster import KMeans

    return KMeans(len(np.unique(truth.label)), n_init=4, random_state=0).fit_predict(truth.vectors).astype(np.int64)


def hdbscan(truth: Truth) -> Ints:
    """Plain HDBSCAN as scikit-learn has it, on all figures."""
    from sklearn.cluster import HDBSCAN

    return HDBSCAN(copy=True).fit_predict(truth.vectors.astype(np.float64)).astype(np.int64)
