"""The row that says how a project's items lie: whoever changes what lies where holds it until that is committed."""

from sqlmodel import Session, col, select

from backend.clusters.models import Clustering
from backend.database import insert_ignoring, utc_now


def locked(session: Session, project_id: int, kind: str) -> Clustering:
    """The row, locked until this transaction ends; it is made where there is none."""
    fresh = {"generation": 0, "space": "", "version": None, "full": 0, "made_at": utc_now()}
    key = {"project_id": project_id, "kind": kind}
    session.execute(insert_ignoring(session, Clustering, list(key)).values(**key, **fresh))
    wanted = select(Clustering).where(col(Clustering.project_id) == project_id, col(Clustering.kind) == kind)
    return session.exec(wanted.with_for_update().execution_options(populate_existing=True)).one()


def changed(session: Session, clustering: Clustering) -> None:
    """Say that something lies elsewhere now: who computes with what was before begins again."""
    clustering.generation += 1
    session.add(clustering)
