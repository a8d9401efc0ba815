"""What the API takes and gives of webhooks."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from labeling.lists.models import DeliveryState
from labeling.lists.shapes import RowId

Address = Field(min_length=8, max_length=2000, pattern=r"^https?://[^\s\x00]+$", examples=["https://example.com/hook"])


class WebhookNew(BaseModel):
    """An address that is told when a list of the project is approved. Without a `secret` one is made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"url": "https://example.com/hook"}]})

    url: str = Address
    project: RowId | None = Field(default=None, description="The project's id; left out, your first.")
    secret: str = Field(default="", max_length=200, pattern=r"^[\x21-\x7e]*$", description="At least 16 characters.")


class WebhookChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"active": False}]})

    url: str | None = Field(default=None, min_length=8, max_length=2000, pattern=r"^https?://[^\s\x00]+$")
    active: bool | None = None


class WebhookPublic(BaseModel):
    """A webhook. Its secret is shown once, when it is made. `waiting`, `failed`: how many deliveries are so."""

    id: int
    project_id: int
    url: str
    active: bool
    waiting: int
    failed: int
    created_by: str
    created_at: datetime


class WebhookMade(BaseModel):
    """The webhook, and the secret that signs what it is sent: keep it, it is not shown again."""

    webhook: WebhookPublic
    secret: str


class DeliveryPublic(BaseModel):
    """One thing that a webhook is told.

    attempts     how often it was tried; `due_at`: when it will be next, null where it is over
    last_status  of the last answer, null where there was none; `last_answer`: its beginning, or what went wrong
    """

    id: str
    webhook_id: int
    list_id: int | None
    event: Literal["list.approved", "test"]
    state: DeliveryState
    attempts: int
    last_status: int | None
    last_answer: str
    created_at: datetime
    tried_at: datetime | None
    due_at: datetime | None
