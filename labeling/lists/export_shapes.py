"""What the API takes and gives of exports: how they leave a project, what each format says, what was made."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from labeling.lists.shapes import RateName


class Mapping(BaseModel):
    """A folder of the server, and where the editor's machine has it, in the words of Windows or of others."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"server": "/films", "editor": "/Volumes/Films"}]}
    )

    server: str = Field(min_length=1, max_length=1000, pattern=r"^/[^\x00]*$")
    editor: str = Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")


class ExportFacts(BaseModel):
    """How a project's lists leave it: where the editor has the films, handles in frames, and the edit's rate."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"mappings": [{"server": "/films", "editor": "Z:\\Films"}], "handles": 12}]},
    )

    mappings: list[Mapping] = Field(default=[], max_length=100)
    handles: int = Field(default=0, ge=0, le=10_000)
    rate: RateName = Field(default="", description="Left out, that of the first clip's film.")


class ExportFactsPublic(ExportFacts):
    """The same with who changed it last."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "mappings": [{"server": "/films", "editor": "Z:\\Films"}],
                    "handles": 12,
                    "rate": "",
                    "project_id": 1,
                    "changed_by": "Ada Lovelace",
                    "changed_at": "2026-11-20T12:00:00Z",
                }
            ]
        }
    )

    project_id: int
    changed_by: str
    changed_at: datetime | None


class ConcernPublic(BaseModel):
    """What a format cannot carry, or why there is no file. `entry`: the clip that it is about, null for the list."""

    words: str
    stops: bool
    entry: int | None


class FormatPublic(BaseModel):
    """A format, and what it says of the list. `ready`: there is a file to be had now.

    rendered  of clips: whether all of the list, as it is now, is rendered; null for other formats
    """

    name: str
    title: str
    suffix: str
    media_type: str
    opens_in: str
    ready: bool
    rendered: bool | None
    concerns: list[ConcernPublic]


class Preflight(BaseModel):
    """What each format says of a list before it is downloaded."""

    list_id: int
    version: int
    formats: list[FormatPublic]


class ExportPublic(BaseModel):
    """Something that was exported: what it was made of is kept with it.

    current   whether the list is still what it was then
    clips     how many; `sha256` and `size_bytes` of the file, "" and 0 while it is being rendered
    """

    model_config = ConfigDict(from_attributes=True)

    id: int
    list_id: int
    list_version: int
    format: str
    format_version: int
    options: dict[str, str | int | float | bool | None]
    name: str
    clips: int
    sha256: str
    size_bytes: int
    current: bool
    made_by: str
    made_at: datetime
