"""Whether a metric head that learns from corrections puts those of other films right, on scene_boundaries.

    scripts/bench metric [DIR] [--seed N] [--look vgg19|hsv]

Truth: shots of one human scene belong together. Each film's shots are grouped by k-means on VGG19's vectors, or on the
root of their colour histogram, a poorer embedding from which there is more to learn (as many groups as scenes); a
curator is simulated who puts every shot of a group right that is not of the scene most of it shows: moved from there to
a group of its own scene. So corrections arise where the embedding erred, as they do in use. Besides, every shot is
compared with one of its scene and one of another, both by lot: what no error has chosen. What a map could learn at most
is told by one that knows all human scenes of all other films and scales down what differs within them.
Figures are of films that the head has not seen, each film once; intervals resample films.
"""

import argparse
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from scenes import default_folder

from backend.clusters.head import schema_of
from backend.clusters.reduce import MOST_DIMS, fit_basis
from trainer.heads.data import Corrections
from trainer.heads.making import examine_head
from trainer.heads.proof import CHALLENGER, CHANCE, CORRECTED, FROZEN, Proof, prove
from trainer.metric import make_task, right, start_of

UNIFORM, BASIS, BLIND, SCENES = "uniform", "basis", "blind", "scenes"
RIDGE = 0.3
"""Of the mean spread within scenes, added to each direction, before what differs within scenes is scaled down."""

SAID = {
    CORRECTED: "corrections (where the embedding erred)",
    "standing": "what stands in corrected groups",
    UNIFORM: "any shot against any (drawn by lot, unbiased)",
}
WHO = {
    FROZEN: "plain embedding",
    BASIS: "its 64 main directions",
    BLIND: "64 directions by lot",
    CHANCE: "sides by lot",
    SCENES: "all scenes of the others",
    CHALLENGER: "head",
}


def run(args: list[str]) -> dict[str, Any]:
    """Shares put right by head and rivals, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench metric")
    asked.add_argument("folder", nargs="?", type=Path, default=default_folder())
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--look", choices=("vgg19", "hsv"), default="vgg19")
    options = asked.parse_args(args)
    found, uniform, scenes = corrected(options.folder, options.seed, options.look)
    task = make_task(found, options.seed, threading.Event())
    proof = with_rivals(prove_quietly(task), task, uniform, scenes)
    verdict, _, _ = examine_head(task, proof, None)
    result: dict[str, Any] = {"films": len(found.films), "corrections": len(found.triplets), "epochs": proof.epochs}
    lines = [f"{len(found.vectors)} shots of {len(found.films)} films, {len(found.triplets)} corrections"]
    lines.append(f"epochs of the folds: {', '.join(map(str, proof.epochs))}")
    for what, title in SAID.items():
        lines.append(f"{title}: {len(proof.judged[what][0])}")
        for name, who in WHO.items():
            own, apart = proof.figure(what, name), proof.figure(what, CHALLENGER, name)
            result[f"{what} {name}"] = own.to_json() if own else None
            less = "" if name == CHALLENGER or apart is None else f"   head less this {said(apart, '+')}"
            lines.append(f"  {who:<24} {said(own)}{less}")
    result["gate"] = verdict.to_json()
    lines.append("the gate lets it pass" if verdict.passed else "the gate refuses it: " + " ".join(verdict.reasons))
    return {**result, "lines": lines}


def said(figure: Any, sign: str = "") -> str:
    """A figure with its interval."""
    return f"{figure.value:{sign}.3f} [{figure.low:{sign}.3f}, {figure.high:{sign}.3f}]" if figure else "–"


def prove_quietly(task: Any) -> Proof:
    """The folds, told to nobody."""
    return prove(task, None, lambda *_: None)


def corrected(folder: Path, seed: int, look: str) -> tuple[Corrections, np.ndarray, np.ndarray]:
    """The corrections of a simulated curator, triplets drawn by lot from the truth, int64 [U, 3], and scenes [N]."""
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(seed)
    vectors, films, clusters, scenes, triplets, uniform, names = [], [], [], [], [], [], []
    at = 0
    for path in sorted(folder.glob("*.npz")):
        stored = np.load(path)
        if look not in stored.files:
            continue
        rows = stored[look].astype(np.float32)
        rows = np.sqrt(rows) if look == "hsv" else rows
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        scene = np.cumsum(stored["scene_start"]) - 1
        group = KMeans(int(scene.max()) + 1, n_init=2, random_state=seed).fit(rows).labels_
        shows = {int(g): int(np.bincount(scene[group == g]).argmax()) for g in np.unique(group)}
        after = group.copy()
        for shot in range(len(scene)):
            mates = np.flatnonzero((scene == scene[shot]) & (np.arange(len(scene)) != shot))
            others = np.flatnonzero(scene != scene[shot])
            if len(mates):
                uniform.append((at + shot, at + rng.choice(mates), at + rng.choice(others)))
            home = mates[[shows[int(g)] == scene[shot] for g in group[mates]]]
            wrong = np.flatnonzero((group == group[shot]) & (scene == shows[int(group[shot])]))
            if shows[int(group[shot])] != scene[shot] and len(home) and len(wrong):
                mate = rng.choice(home)
                triplets.append((at + shot, at + mate, at + rng.choice(wrong)))
                after[shot] = group[mate]
        vectors.append(rows)
        films.append(np.full(len(rows), len(names)))
        clusters.append(after + 10_000 * len(names))
        scenes.append(scene + 10_000 * len(names))
        names.append(path.stem)
        at += len(rows)
    count, schema = len(triplets), schema_of("scene", look, 1, vectors[0].shape[1])
    made = Corrections(
        "bench", "metric/scene", schema, tuple(names), np.zeros(len(names), bool),
        np.concatenate(vectors), np.concatenate(films).astype(np.int64), np.concatenate(clusters).astype(np.int64),
        np.ones(at, bool), np.array(triplets, np.int64), np.arange(count),
    )  # fmt: skip
    return made, np.array(uniform, np.int64), np.concatenate(scenes)


def with_rivals(proof: Proof, task: Any, uniform: np.ndarray, scenes: np.ndarray) -> Proof:
    """The same proof with triplets drawn by lot, and more contenders: the basis, lots, who knows more."""
    where, basis = proof.folds[task.found.film[uniform[:, 0]]], fit_basis(task.vectors).apply(task.vectors)
    lots = np.random.default_rng(0).standard_normal((task.vectors.shape[1], MOST_DIMS)).astype(np.float32)
    answers = {name: np.zeros(len(uniform), np.float32) for name in (CHALLENGER, CHANCE)}
    for k, (head, lot) in enumerate(proof.heads):
        answers[CHALLENGER][where == k] = right(head, task.vectors, uniform[where == k])
        answers[CHANCE][where == k] = right(lot, task.vectors, uniform[where == k])
    answers[FROZEN] = right(None, task.vectors, uniform)
    found = {**proof.found, UNIFORM: answers}
    judged = {**proof.judged, UNIFORM: (uniform, np.arange(len(uniform)))}
    for what, (triplets, _) in judged.items():
        known = all_known(task.vectors, task.found.film, scenes, triplets)
        rivals = {BASIS: right(None, basis, triplets), BLIND: right(lots, task.vectors, triplets), SCENES: known}
        found[what] = {**found[what], **rivals}
    return Proof(**{**vars(proof), "judged": judged, "found": found})


def all_known(vectors: np.ndarray, film: np.ndarray, scenes: np.ndarray, triplets: np.ndarray) -> np.ndarray:
    """Whether a map puts each triplet right that knows the scenes of all films but the anchor's."""
    found, where = np.zeros(len(triplets), np.float32), film[triplets[:, 0]]
    for number in np.unique(where):
        others = film != number
        axes = start_of(vectors[others])
        rows, scene = vectors[others] @ axes, np.unique(scenes[others], return_inverse=True)[1]
        middle = np.zeros((scene.max() + 1, rows.shape[1]))
        np.add.at(middle, scene, rows)
        within = np.cov((rows - (middle / np.bincount(scene)[:, None])[scene]).T)
        value, turned = np.linalg.eigh(within + RIDGE * np.trace(within) / len(within) * np.eye(len(within)))
        mine = where == number
        found[mine] = right((axes @ turned / np.sqrt(value)).astype(np.float32), vectors, triplets[mine])
    return found
