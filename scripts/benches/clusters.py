"""How well places and people are grouped, against k-means and plain HDBSCAN, and how long 20,000 shots take.

    scripts/bench clusters [quality|merges|faces|times|library ...]

The numbers were chosen on every second film of scene_boundaries; what is reported is of the others. `_clusters.py` says
says what the truth is. Times are of shots whose vectors are made from those of real films (`_shots.py`): `times` of the
grouping alone, `library` with all that is read from and written to SQLite and files, as a worker does it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlmodel import Session, col, select

sys.path.insert(0, str(Path(__file__).parent))
from _clusters import MEASURES, Method, Truth, faces_of, hdbscan, kmeans, means, pooled, scores, shots_of
from _shots import SHOTS_A_FILM, base_vectors, derived, enter, facts_of
from scenes import default_folder, interval

from backend.clusters.adding import add_people, add_places
from backend.clusters.grouping import NOISE, UNPLACED, Grouped, Ints, Law
from backend.clusters.law import obey
from backend.clusters.merging import people_that_may_be_one, places_that_may_be_one
from backend.clusters.people import group_people
from backend.clusters.places import group_places
from backend.clusters.placing import add_film, refresh
from backend.clusters.reduce import fit_basis
from backend.clusters.service import counted
from backend.library.models import Movie, Project
from backend.migrations.run import migrate
from backend.resources import Resources
from backend.search.spaces import SPACES
from backend.settings import Settings

SHOTS, ADDED, CORRECTIONS = 20_000, 1_500, 1_000
PEOPLE, FACE_JITTER = 1_000, 0.028


def run(args: list[str]) -> dict[str, Any]:
    """Everything, or the parts named, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench clusters")
    asked.add_argument("parts", nargs="*", choices=list(PARTS))
    shared = default_folder().parent
    result: dict[str, Any] = {"lines": []}
    for name in asked.parse_args(args).parts or list(PARTS):
        result[name] = PARTS[name](shared)
        result["lines"] += result[name].pop("lines")
    return result


def quality(shared: Path) -> dict[str, Any]:
    """Shots by scene: each held-out film by itself, and those with VGG19 together."""
    films = shots_of(shared / "scene_boundaries")
    held_out = dict(list(films.items())[1::2])
    methods: dict[str, Method] = {"k-means, true k": kmeans, "plain HDBSCAN": hdbscan, "ours": places}
    per_film = {
        name: np.array([scores(film.label, method(film)) for film in held_out.values()])
        for name, method in methods.items()
    }
    whole = pooled(held_out)
    together = {
        name: dict(zip(MEASURES, scores(whole.label, m(whole)).tolist(), strict=True)) for name, m in methods.items()
    }
    found = means(per_film)
    lines = [f"shots by scene, {len(held_out)} held-out films, means and 95 % intervals over films"]
    for name, of in found.items():
        lines.append(f"  {name:<16} " + "  ".join(f"{m} {of[m]:.3f} {interval(of[m + '_ci95'])}" for m in MEASURES))
    lines += [
        f"  {name} less ours: F1 {interval(of['f1_less_ours_ci95'])}, V {interval(of['v_less_ours_ci95'])}"
        for name, of in found.items()
        if name != "ours"
    ]
    lines.append(f"{len(whole.label)} shots of those with VGG19 as one library, {len(np.unique(whole.label))} scenes")
    lines += _table(together)
    return {"films": list(held_out), "per_film": found, "together": together, "lines": lines}


def places(truth: Truth) -> Ints:
    """Ours: few figures, HDBSCAN."""
    rows = fit_basis(truth.vectors).apply(truth.vectors)
    return group_places(rows, _free(len(rows)), _new(len(rows))).cluster


def merges(shared: Path) -> dict[str, Any]:
    """Which share of the places that are suggested to be one is mostly of one scene; of people, of one person."""
    films = list(shots_of(shared / "scene_boundaries").values())
    result: dict[str, Any] = {"lines": []}
    for half, some in (("development half", films[::2]), ("held-out films", films[1::2])):
        found = [_suggested(film) for film in some]
        right, all_ = (np.array([sum(of) if k == 0 else len(of) for of in found]) for k in (0, 1))
        drawn = np.random.default_rng(0).integers(0, len(some), (4000, len(some)))
        shares = right[drawn].sum(axis=1) / np.maximum(all_[drawn].sum(axis=1), 1)
        ci95 = [float(q) for q in np.quantile(shares, (0.025, 0.975))]
        result[half] = {"right": int(right.sum()), "suggested": int(all_.sum()), "share_ci95": ci95}
        result["lines"].append(f"{half}: {right.sum()} of {all_.sum()} pairs of places are right {interval(ci95)}")
    truth = faces_of(shared / "films")
    cluster = _known(people(truth))
    pairs = people_that_may_be_one(truth.vectors, cluster, _free(len(cluster)).with_pairs(truth.together), 1.0, 100)
    same = [_mostly(truth, cluster, one) == _mostly(truth, cluster, other) for one, other, _ in pairs]
    result["people"] = {"right": sum(same), "suggested": len(same)}
    result["lines"].append(f"{sum(same)} of {len(same)} pairs of people are right")
    return result


def _suggested(film: Truth) -> list[bool]:
    """Of each pair that is suggested in a film, whether it is right."""
    rows, cluster, count = fit_basis(film.vectors).apply(film.vectors), _known(places(film)), len(film.label)
    in_film, shot = np.zeros(count, np.int64), np.arange(count)
    pairs = places_that_may_be_one(rows, cluster, _free(count), in_film, shot, 100)
    return [_mostly(film, cluster, one) == _mostly(film, cluster, other) for one, other, _ in pairs]


def _mostly(truth: Truth, cluster: Ints, number: int) -> int:
    return int(np.bincount(truth.label[cluster == number]).argmax())


def _known(cluster: Ints) -> Ints:
    """New clusters as if they had ids."""
    return np.where(cluster < UNPLACED, -cluster, cluster)


def people(truth: Truth) -> Ints:
    """Ours, all in no place: faces that one picture shows are kept apart."""
    count = len(truth.vectors)
    return group_people(truth.vectors, _new(count), truth.together, _free(count), _new(count)).cluster


def faces(shared: Path) -> dict[str, Any]:
    """Faces of two films by who they are; in no place, then in one."""
    truth = faces_of(shared / "films")
    known = (
        f"{len(truth.label)} faces of {len(np.unique(truth.label))} people, {len(truth.together)} pairs in one picture"
    )
    methods: dict[str, Method] = {
        "k-means, true k": kmeans,
        "plain HDBSCAN": hdbscan,
        "ours": people,
        "ours, one place": lambda of: _in_one_place(of, of.together),
        "ours, pairs not known": lambda of: _in_one_place(of, of.together[:0]),
    }
    measured = {}
    for name, method in methods.items():
        cluster = method(truth)
        measured[name] = dict(zip(MEASURES, scores(truth.label, cluster).tolist(), strict=True))
        measured[name]["clusters"] = len(np.unique(cluster[cluster != NOISE]))
    return {"faces": len(truth.label), "methods": measured, "lines": [known, *_table(measured)]}


def _in_one_place(truth: Truth, together: Ints) -> Ints:
    count = len(truth.vectors)
    return group_people(truth.vectors, np.ones(count, np.int64), together, _free(count), _new(count)).cluster


def times(shared: Path) -> dict[str, Any]:
    """20,000 shots anew, 1,500 beside them, the law of 1,000 corrections; the same of people."""
    with tempfile.TemporaryDirectory() as kept:
        vectors = derived(base_vectors(shared, 1280, Path(kept, "base.npy")), SHOTS + ADDED)
    rng = np.random.default_rng(0)
    spent: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        return _timed(spent, name, work)

    basis = timed("directions of 20,000 shots", lambda: fit_basis(vectors[:SHOTS]))
    old, new = (timed(f"  {len(v):,} in them", lambda v=v: basis.apply(v)) for v in (vectors[:SHOTS], vectors[SHOTS:]))
    grouped = timed("20,000 shots anew", lambda: group_places(old, _free(SHOTS), _new(SHOTS)))
    lies = _known(grouped.cluster)
    added = timed("1,500 shots added", lambda: add_places(new, old, lies, _free(SHOTS + ADDED)))
    law = _corrected(rng, lies)
    timed("law of 1,000 corrections", lambda: obey(Grouped(lies, grouped.confidence), old, law))
    timed("20,000 shots anew under it", lambda: group_places(old, law, lies))
    faces = (rng.normal(0, 0.06, (PEOPLE, 128))[rng.integers(0, PEOPLE, SHOTS + ADDED)]).astype(np.float32)
    faces += rng.normal(0, FACE_JITTER, faces.shape).astype(np.float32)
    place = np.concatenate([lies, np.full(ADDED, NOISE)])
    pairs = np.stack([np.arange(0, SHOTS, 4), np.arange(1, SHOTS, 4)], axis=1)
    seen = timed("20,000 people anew", lambda: group_people(faces[:SHOTS], lies, pairs, _free(SHOTS), _new(SHOTS)))
    known = _known(seen.cluster)
    free = _free(SHOTS + ADDED)
    timed("1,500 people added", lambda: add_people(faces[SHOTS:], faces[:SHOTS], known, place[SHOTS:], pairs, free))
    clusters = len(np.unique(lies[lies != NOISE]))
    joined = float(np.mean(added.cluster >= 0))
    lines = [f"{clusters} places, {np.mean(lies == NOISE):.0%} noise; {joined:.0%} of the new ones joined"]
    lines += [f"  {name:<28} {wall:6.2f} s, {cpu:6.2f} s of CPU" for name, (wall, cpu) in spent.items()]
    return {"seconds": spent, "lines": lines}


def library(shared: Path) -> dict[str, Any]:
    """20,000 shots of 20 films clustered anew as rows, and a film of 1,500 shots added to them."""
    spent: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as kept:
        vectors = derived(base_vectors(shared, 1280, Path(kept, "base.npy")), SHOTS + ADDED)
        resources = Resources(Settings(home=Path(kept, "home")))
        migrate(resources.engine)
        space, facts = SPACES["efficientnet"], facts_of(SHOTS // SHOTS_A_FILM + 2)
        with Session(resources.engine) as session:
            session.add(Project(name="Bench"))
            session.flush()
            for film in range(SHOTS // SHOTS_A_FILM):
                part = vectors[film * SHOTS_A_FILM : (film + 1) * SHOTS_A_FILM]
                enter(session, resources, space, film, part, facts)
            session.commit()
        _timed(spent, "20,000 shots anew, the first time", lambda: refresh(resources, 1, "scene"))
        _timed(spent, "20,000 shots anew, again", lambda: refresh(resources, 1, "scene"))
        with Session(resources.engine) as session:
            key = enter(session, resources, space, SHOTS // SHOTS_A_FILM, vectors[SHOTS:], facts)
            movie = session.exec(select(Movie.id).where(col(Movie.sha256) == key.sha256)).one()
            session.commit()
        _timed(spent, "a film of 1,500 shots added", lambda: add_film(resources, movie or 0, 1))
        with Session(resources.engine) as session:
            found = counted(session, 1, "scene")
        resources.close()
    lines = [f"{found.items:,} shots as rows in {found.clusters} places, {found.noise:,} in none"]
    lines += [f"  {name:<34} {wall:6.2f} s, {cpu:6.2f} s of CPU" for name, (wall, cpu) in spent.items()]
    return {"seconds": spent, "lines": lines}


def _timed(spent: dict[str, list[float]], name: str, work: Callable[[], Any]) -> Any:
    """What the work gives; its wall and CPU seconds go to `spent`."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    spent[name] = [round(time.perf_counter() - wall, 2), round(time.process_time() - cpu, 2)]
    return found


def _corrected(rng: np.random.Generator, lies: Ints) -> Law:
    """1,000 corrections: an item each put somewhere, and kept from one of the cluster that it was in."""
    held = np.full(len(lies), NOISE, np.int64)
    moved = rng.choice(np.flatnonzero(lies != NOISE), CORRECTIONS, replace=False)
    held[moved] = rng.choice(lies[lies != NOISE], CORRECTIONS)
    other = [rng.choice(np.flatnonzero(lies == lies[k])) for k in moved]
    return Law(held, np.stack([moved, other], axis=1), frozenset(held[moved].tolist()))


def _free(count: int) -> Law:
    return Law(np.full(count, NOISE, np.int64))


def _new(count: int) -> Ints:
    return np.full(count, UNPLACED, np.int64)


def _table(measured: dict[str, dict[str, float]]) -> list[str]:
    return [f"  {n:<22} " + "  ".join(f"{m} {v:.3f}" for m, v in of.items()) for n, of in measured.items()]


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "quality": quality,
    "merges": merges,
    "faces": faces,
    "times": times,
    "library": library,
}
