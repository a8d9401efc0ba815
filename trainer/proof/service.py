"""The live proof of a project, from the decisions that a draw asked for by chance."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel import Session, col, select

from labeling.decisions.models import Decision
from labeling.decisions.replay import standing
from trainer.proof import measures
from trainer.proof.measures import Clip, points_of
from trainer.proof.shapes import ModelProof, PointPublic, ProofPublic

RANDOM = "random"
SAID = {"approve": True, "reject": False}
NEWEST = 20_000
"""Decisions that are looked at."""


def proof(session: Session, project_id: int) -> ProofPublic:
    """Model by model how well its scores foretold what curators said of clips that chance had chosen."""
    clips = defaultdict[str, list[Clip]](list)
    for model, clip in _clips(_decisions(session, project_id)):
        clips[model].append(clip)
    return ProofPublic(
        project=project_id,
        least=measures.LEAST,
        least_each=measures.LEAST_EACH,
        window=measures.WINDOW,
        models=[_of_model(model, own) for model, own in clips.items()],
    )


def _of_model(model: str, clips: Sequence[Clip]) -> ModelProof:
    points = [PointPublic.model_validate(point) for point in points_of(clips)]
    return ModelProof(model=model, clips=len(clips), approved=sum(clip.approved for clip in clips), points=points)


def _decisions(session: Session, project_id: int) -> Sequence[Any]:
    columns = (
        *(col(Decision.id), col(Decision.candidate_id), col(Decision.curator), col(Decision.verdict)),
        *(col(Decision.undoes_id), col(Decision.trim_start_frame), col(Decision.movie_sha256)),
        *(col(Decision.model), col(Decision.score), col(Decision.decided_at)),
    )
    wanted = select(*columns).where(  # type: ignore[call-overload]
        col(Decision.project_id) == project_id, col(Decision.strategy) == RANDOM
    )
    newest = wanted.order_by(col(Decision.id).desc()).limit(NEWEST)
    return list(reversed(session.connection().execute(newest).all()))


def _clips(rows: Iterable[Any]) -> list[tuple[str, Clip]]:
    """Each clip once, in the order in which they were first judged: as what was said of it last and stands.

    Model and score are those of the first answer: of a clip that somebody judges again, a model may have learnt since.
    """
    by_clip = defaultdict[int, list[Any]](list)
    for row in rows:
        by_clip[row.candidate_id].append(row)
    found = []
    for own in by_clip.values():
        said = [row for row in standing(own).values() if row.verdict != "skip"]
        first = own[0]
        if said and said[-1].verdict in SAID and first.model and first.score is not None:
            approved = SAID[said[-1].verdict]
            found.append((first.model, Clip(first.movie_sha256, first.score, approved, first.decided_at)))
    return found
