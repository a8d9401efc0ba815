"""What the API takes and gives about people, roles, tokens and sessions."""

import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from backend.members.models import Role

LONGEST_NAME = 100
LONGEST_SECRET = 500
MOST_DAYS = 3650


def clean_name(name: str) -> str:
    """A name in one spelling: composed, single spaces, no invisible characters; raises ValueError."""
    composed = unicodedata.normalize("NFC", " ".join(name.split()))
    if not composed or any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") for letter in composed):
        raise ValueError("a name has at least one letter, and no control characters")
    return composed


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(clean_name)]


class SignIn(BaseModel):
    """An API token, or the token of the link that `selects up` printed."""

    token: str = Field(min_length=1, max_length=LONGEST_SECRET, examples=["slc_…"])


class PersonPublic(BaseModel):
    """Someone who signs in. A superuser is admin of every project."""

    id: int = Field(examples=[1])
    name: str = Field(examples=["Ada Lovelace"])
    superuser: bool = Field(examples=[False])


class OwnRole(BaseModel):
    """A project and the role in it of who asks."""

    project_id: int = Field(examples=[1])
    project: str = Field(examples=["Trailers 2026"])
    role: Role


class SessionPublic(BaseModel):
    """Who asks, and what they may where."""

    person: PersonPublic
    roles: list[OwnRole]


class TokenCreate(BaseModel):
    """What a token is for, and for how long it works; without `days` until it is revoked."""

    name: Name = Field(examples=["nightly export"])
    days: float | None = Field(default=None, gt=0, le=MOST_DAYS, examples=[90])


class TokenPublic(BaseModel):
    """A token without its secret. `used_at` is right to a minute."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["nightly export"])
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class TokenCreated(TokenPublic):
    """A new token. `secret` is shown this once."""

    secret: str = Field(examples=["slc_…"])


class MemberPublic(BaseModel):
    """A person with a role in a project. `id` is that of the membership."""

    id: int = Field(examples=[7])
    project_id: int = Field(examples=[1])
    person_id: int = Field(examples=[2])
    name: str = Field(examples=["Ada Lovelace"])
    role: Role


class RoleChange(BaseModel):
    """The role that a member shall have."""

    role: Role = Field(examples=["curator"])


class InvitationCreate(BaseModel):
    """Whom to invite into a project, and as what."""

    project_id: int = Field(ge=1, le=2**31 - 1, examples=[1])
    name: Name = Field(examples=["Ada Lovelace"])
    role: Role = Field(examples=["curator"])


class InvitationPublic(BaseModel):
    """An invitation without its link."""

    id: int = Field(examples=[4])
    project_id: int = Field(examples=[1])
    name: str = Field(examples=["Ada Lovelace"])
    role: Role
    created_by: str = Field(examples=["owner"])
    created_at: datetime
    expires_at: datetime


class InvitationCreated(InvitationPublic):
    """A new invitation. `link` is shown this once and works once."""

    link: str = Field(examples=["http://127.0.0.1:8600/join?token=slc_…"])
