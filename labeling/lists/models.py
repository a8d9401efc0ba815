"""Rows of clip lists, of what was exported of them, and of who is told when one is approved."""

from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Column, Date, ForeignKey, Index, LargeBinary
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now

ListState = Literal["draft", "approved"]
DeliveryState = Literal["waiting", "delivered", "failed"]
MOST_ENTRIES = 2000


def _of(table: str, *, gone: str = "CASCADE", **more: Any) -> Any:
    key = ForeignKey(f"{table}.id", ondelete=gone)
    if gone == "CASCADE":
        return Field(sa_column=Column(key, nullable=False, index=True, **more))
    return Field(default=None, sa_column=Column(key, nullable=True, index=True, **more))


def _moment() -> Any:
    return Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


def _no_moment() -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime))


class StoredList(SQLModel, table=True):
    """A clip list. Its row is the lock of whoever changes its entries.

    version     grows with each change of the list or of its entries: what its ETag says
    target_s    how long it is meant to be, None where nobody said
    rate        of the edit, by name (see `rates.RATES`); "" for what the project says
    rule        what fills it, as `RuleNew` says it; None for a list made by hand
    """

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = _of("project")
    name: str
    note: str = ""
    version: int = 1
    state: str = "draft"
    approved_by: str = ""
    approved_at: datetime | None = _no_moment()
    target_s: float | None = None
    rate: str = ""
    rule: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    created_by: str = ""
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class ListEntry(SQLModel, table=True):
    """A clip in a list: frames `[start_frame, end_frame)` of the film with this checksum, which may be gone by now.

    position      0, 1, … within the list, without gaps
    candidate_id  what was approved; None where that row is gone
    start_frame   the candidate's own, unless somebody trimmed it here; seconds stand beside frames, derived
    name          of the clip, "" for the film's title and its place in it
    rights        of this clip: "" (nothing said), "cleared" or "blocked"; `rights_note` says why
    admitted_by   the admin who let it in although it was not approved, else ""
    by_rule       the list's rule put it here, and may take it out
    """

    __table_args__ = (Index("listentry_in_order", "list_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    list_id: int = Field(sa_column=Column(ForeignKey("storedlist.id", ondelete="CASCADE"), nullable=False))
    position: int
    candidate_id: int | None = _of("candidate", gone="SET NULL")
    movie_sha256: str = Field(index=True)
    movie_title: str
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    name: str = ""
    note: str = ""
    rights: str = ""
    rights_note: str = ""
    embargo_until: date | None = Field(default=None, sa_column=Column(Date))
    admitted_by: str = ""
    by_rule: bool = False
    added_by: str = ""
    added_at: datetime = _moment()


class ListExport(SQLModel, table=True):
    """What left the house: the bytes, and exactly what they were made of, whatever has become of that since.

    list_key  of the frozen list, but for the moment: equal lists have equal keys
    made_of   the frozen list (see `frozen.pack`): clips with decisions, model versions, checksums of films
    format    its exporter's name; `format_version`: of the exporter that wrote it; `options`: what else it was told
    content   the bytes, packed; None for rendered clips, which lie in files
    files     of rendered clips, in the list's order: `[name, first frame, end frame]`, and what it lacks, if anything;
              none any more where there was no room for them
    sha256    of the bytes, "" while they are not made yet; `size_bytes` likewise
    job_id    the job that renders, "" for other formats
    made_at   when it was made; of rendered clips, when they were asked for last
    """

    __table_args__ = (Index("listexport_by_key", "list_id", "format", "list_key"),)

    id: int | None = Field(default=None, primary_key=True)
    list_id: int = Field(sa_column=Column(ForeignKey("storedlist.id", ondelete="CASCADE"), nullable=False))
    list_version: int
    list_key: str
    format: str
    format_version: int = 1
    options: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    name: str
    made_of: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    files: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    sha256: str = ""
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    clips: int = 0
    job_id: str = Field(default="", index=True)
    made_by: str = ""
    made_at: datetime = _moment()


class ExportSettings(SQLModel, table=True):
    """How a project's lists leave it.

    mappings  server folder → the editor's, as `[{"server": "/films", "editor": "/Volumes/Films"}]`; the longest wins
    handles   frames that are added at both ends of each clip
    rate      of edits, by name; "" for that of the first clip's film
    """

    project_id: int = Field(
        sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    )
    mappings: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    handles: int = 0
    rate: str = ""
    changed_by: str = ""
    changed_at: datetime = _moment()


class Webhook(SQLModel, table=True):
    """An address that is told when a list is approved. `secret` signs what is sent: it cannot be stored as a hash."""

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = _of("project")
    url: str
    secret: str
    active: bool = True
    created_by: str = ""
    created_at: datetime = _moment()


class WebhookDelivery(SQLModel, table=True):
    """One thing that an address is told, and how far that is. The body stays the same, however often it is sent.

    attempts     how often it was begun; the next one is due at `due_at` as long as `state` is "waiting"
    last_status  of the last answer, None where there was none; `last_answer`: its beginning, or what went wrong
    """

    __table_args__ = (Index("webhookdelivery_due", "state", "due_at"),)

    id: str = Field(primary_key=True)
    webhook_id: int = _of("webhook")
    list_id: int | None = _of("storedlist", gone="SET NULL")
    event: str
    body: str
    state: str = "waiting"
    attempts: int = 0
    last_status: int | None = None
    last_answer: str = ""
    created_at: datetime = _moment()
    due_at: datetime = _moment()
    tried_at: datetime | None = _no_moment()
