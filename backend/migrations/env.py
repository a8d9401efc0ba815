"""Alembic's way in: it is handed a connection, and never reads a settings file of its own."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString, SQLModel

import backend.clusters.models
import backend.scoring.models  # noqa: F401  imported for their tables, as those below
import labeling.decisions.models
import labeling.engagement.models
import labeling.lists.models
import labeling.queue.models
import labeling.references.models  # noqa: F401
import trainer.runs.models  # noqa: F401
from backend.database import UtcDateTime


def _ours(name: str | None, kind: str, _parents: Any) -> bool:
    # DBOS and APScheduler may keep their tables in the same database.
    return kind != "table" or name in SQLModel.metadata.tables


def _plain(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Types of SQLAlchemy alone, so that old versions do not depend on today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_name=_ours,
    render_item=_plain,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
