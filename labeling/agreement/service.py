"""Agreement of a project's curators, from the clips that two were asked about on purpose."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from sqlalchemy import func
from sqlmodel import Session, col, select

from labeling.agreement.measures import Measure, cohen_kappa, krippendorff_alpha
from labeling.agreement.shapes import AgreementPublic, MeasurePublic, PairPublic, SubjectPublic
from labeling.decisions.models import REASONS, Decision
from labeling.decisions.replay import standing
from labeling.queue.models import Question

SEED = 0
"""The same answers have the same interval, always."""

YES, NO = "yes", "no"
Standing = Mapping[int, Mapping[str, Any]]
"""Candidate → curator → the decision by which they stand."""


def agreement(session: Session, project_id: int) -> AgreementPublic:
    """How far a project's curators agree. Who skipped has not answered; undone answers do not count."""
    asked = select(func.count()).select_from(Question)
    asked = asked.where(col(Question.project_id) == project_id, col(Question.overlap), ~col(Question.second))
    stands = _standing(session, project_id)
    given = [{reason for row in by.values() for reason in row.reasons} for by in stands.values()]
    used = {reason for reasons in given for reason in reasons}
    return AgreementPublic(
        project=project_id,
        clips=session.exec(asked).one(),
        answered=sum(len(by) > 1 for by in stands.values()),
        waiting=sum(len(by) == 1 for by in stands.values()),
        curators=len({name for by in stands.values() for name in by}),
        verdict=_subject(stands, lambda row: str(row.verdict)),
        reasons={reason: _reason(stands, reason) for reason in REASONS if reason in used},
    )


def _standing(session: Session, project_id: int) -> Standing:
    columns = (
        *(col(Decision.id), col(Decision.candidate_id), col(Decision.curator), col(Decision.verdict)),
        *(col(Decision.undoes_id), col(Decision.trim_start_frame), col(Decision.reasons)),
    )
    wanted = select(*columns).where(  # type: ignore[call-overload]
        col(Decision.project_id) == project_id, col(Decision.overlap)
    )
    rows = defaultdict[int, list[Any]](list)
    for row in session.connection().execute(wanted.order_by(col(Decision.id))):
        rows[row.candidate_id].append(row)
    stands = {name: standing(of) for name, of in rows.items()}
    answers = {name: {who: row for who, row in by.items() if row.verdict != "skip"} for name, by in stands.items()}
    return {name: by for name, by in answers.items() if by}


def _reason(stands: Standing, reason: str) -> SubjectPublic:
    return _subject(stands, lambda row: YES if reason in row.reasons else NO, counted=YES)


def _subject(stands: Standing, said: Callable[[Any], str], counted: str | None = None) -> SubjectPublic:
    """Agreement about what `said` makes of a decision."""
    rng = np.random.default_rng(SEED)
    units = [{who: said(row) for who, row in by.items()} for by in stands.values()]
    alpha = krippendorff_alpha(units, rng)
    shared = defaultdict[tuple[str, str], list[tuple[str, str]]](list)
    for answers in units:
        for first, second in combinations(sorted(answers), 2):
            shared[first, second].append((answers[first], answers[second]))
    order = sorted(shared, key=lambda names: (-len(shared[names]), names))
    pairs = [
        PairPublic(first=names[0], second=names[1], kappa=_public(cohen_kappa(shared[names], rng))) for names in order
    ]
    all_said = [answer for answers in units for answer in answers.values()]
    used = len(all_said) if counted is None else all_said.count(counted)
    return SubjectPublic(alpha=_public(alpha), pairs=pairs, used=used)


def _public(measure: Measure) -> MeasurePublic:
    return MeasurePublic.model_validate(measure)
