"""What a correction says of other items: those that are more like the ones that were moved than like what stayed."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sqlalchemy import select as rows_of
from sqlmodel import Session, col

from backend.clusters.changing import went
from backend.clusters.grouping import NOISE
from backend.clusters.keys import items_named
from backend.clusters.likeness import more
from backend.clusters.links import homes, law_of, stands
from backend.clusters.models import Correction
from backend.clusters.placing import rows_by_id

if TYPE_CHECKING:
    from backend.resources import Resources

SPOKEN = ("move", "remove", "new", "split", "more")
"""Corrections that say something of items like those which they name."""


class Reached(NamedTuple):
    """An item that a correction would move besides; to None: out of where it is."""

    item: int
    to: int | None
    confidence: float


def reach(session: Session, resources: "Resources", correction: Correction) -> list[Reached]:
    """What a correction that stands would move besides, the surest first. Raises OutputError."""
    if correction.what not in SPOKEN or not is_standing(session, correction):
        return []
    project_id, kind = correction.project_id, correction.kind
    near = resources.likenesses.get(session, project_id, kind)
    if not near.rows.any():
        return []
    rows = rows_by_id(session, project_id, kind, near)
    lies = np.array([NOISE if row.cluster_id is None else row.cluster_id for row in rows], np.int64)
    law = law_of(session, project_id, kind, rows).with_pairs(near.together)
    home = homes(session, project_id, kind)
    named = items_named(session, project_id, kind, correction.before)
    place = {row.id: at for at, row in enumerate(rows)}
    ways: dict[tuple[int, int], list[int]] = {}
    to = went(correction)
    for key, (was, *_) in correction.before.items():
        at = place.get(named.get(key, 0))
        source, target = (NOISE if c is None else c for c in (home.today(was), home.today(to[key])))
        # Those that somebody has moved on since, and those that only stand for a cluster, say nothing.
        if at is not None and source != target and lies[at] == target:
            ways.setdefault((source, target), []).append(at)
    best: dict[int, Reached] = {}
    for (source, target), moved in ways.items():
        found = more(near.rows, lies, law, np.array(sorted(moved), np.int64), source, target)
        for at, cluster, sure in zip(*(values.tolist() for values in found), strict=True):
            known = best.get(at)
            if known is None or known.confidence < sure:
                best[at] = Reached(rows[at].id, None if cluster == NOISE else cluster, sure)
    return sorted(best.values(), key=lambda each: (-each.confidence, each.item))


def is_standing(session: Session, correction: Correction) -> bool:
    """Whether nobody took it back."""
    own = rows_of(col(Correction.id)).where(col(Correction.id) == correction.id, stands(col(Correction.id)))
    return session.execute(own).first() is not None
