"""Rows of people and what they may; secrets are stored hashed."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, ForeignKey, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now

Role = Literal["viewer", "curator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "curator", "admin")


def _moment(*, optional: bool = False) -> Any:
    column = Column(UtcDateTime, nullable=optional)
    return Field(default=None, sa_column=column) if optional else Field(default_factory=utc_now, sa_column=column)


def _of_person() -> Any:
    return Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True))


class Person(SQLModel, table=True):
    """Someone who signs in. A `superuser` is admin of every project and makes new ones."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    superuser: bool = False
    created_at: datetime = _moment()


class Membership(SQLModel, table=True):
    """The role of a person in a project."""

    __table_args__ = (UniqueConstraint("project_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False, index=True))
    person_id: int = _of_person()
    role: str


class ApiToken(SQLModel, table=True):
    """A secret for scripts, shown once. `hashed` is the sha256 of a random 256-bit secret."""

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = _of_person()
    name: str
    hashed: str = Field(unique=True)
    created_at: datetime = _moment()
    expires_at: datetime | None = _moment(optional=True)
    used_at: datetime | None = _moment(optional=True)


class WebSession(SQLModel, table=True):
    """A browser that has signed in."""

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = _of_person()
    hashed: str = Field(unique=True)
    created_at: datetime = _moment()
    expires_at: datetime = _moment()


class Invitation(SQLModel, table=True):
    """A link that makes whoever opens it first the named person, with a role in a project."""

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False, index=True))
    name: str
    role: str
    hashed: str = Field(unique=True)
    created_by: str
    created_at: datetime = _moment()
    expires_at: datetime = _moment()
    used_at: datetime | None = _moment(optional=True)


class LaunchLink(SQLModel, table=True):
    """The link that `selects up` prints: its token signs in the owner of this machine until `selects up` stops."""

    hashed: str = Field(primary_key=True)
    person_id: int = _of_person()
    holder: str
    created_at: datetime = _moment()
