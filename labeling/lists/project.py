"""How the lists of a project leave it."""

from sqlmodel import Session

from backend.database import utc_now
from labeling.lists.export_shapes import ExportFacts, ExportFactsPublic
from labeling.lists.models import ExportSettings


def settings_of(session: Session, project_id: int) -> ExportSettings:
    """What is set, or what holds where nobody set anything."""
    return session.get(ExportSettings, project_id) or ExportSettings(project_id=project_id)


def shown(session: Session, project_id: int) -> ExportFactsPublic:
    """The same as the API shows it."""
    found = session.get(ExportSettings, project_id)
    values = found.model_dump() if found else {"project_id": project_id, "changed_by": "", "changed_at": None}
    return ExportFactsPublic.model_validate(values)


def put(session: Session, project_id: int, wanted: ExportFacts, by: str) -> ExportFactsPublic:
    """Set all of it. Commits."""
    values = wanted.model_dump(mode="json") | {"changed_by": by, "changed_at": utc_now()}
    row = session.get(ExportSettings, project_id, with_for_update=True) or ExportSettings(project_id=project_id)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.commit()
    return shown(session, project_id)
