"""What the API takes and gives about people, roles, tokens and sessions."""

import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from backend.members.models import Role

LONGEST_NAME = 100
LONGEST_SECRET = 500
MOST_DAYS = 3650


# Nothing that cannot be stored or seen: controls, soft hyphens, zero-width and direction marks.
UNSEEN = r"\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
NAME_PATTERN = rf"^[^{UNSEEN}]*[^\s{UNSEEN}][^{UNSEEN}]*$"


def one_spelling(name: str) -> str:
    """Composed, with single spaces."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=NAME_PATTERN),
    AfterValidator(one_spelling),
]
"""A name in one spelling: composed, with single spaces, without characters that nobody sees."""


class SignIn(BaseModel):
    """An API token, or the token of the link that `selects up` printed."""

    model_config = ConfigDict(extra="forbid")

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

    model_config = ConfigDict(extra="forbid")

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

    model_config = ConfigDict(extra="forbid")

    role: Role = Field(examples=["curator"])


class InvitationCreate(BaseModel):
    """Whom to invite into a project, and as what."""

    model_config = ConfigDict(extra="forbid")

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
