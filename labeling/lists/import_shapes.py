"""What the API gives of edits that are brought back as lists."""

from pydantic import BaseModel

from labeling.lists.shapes import ListPublic


class ImportedClip(BaseModel):
    """What became of a clip of an edit; `problem` says why it is not in the list."""

    number: int
    name: str
    entry: int | None
    problem: str


class ImportedList(BaseModel):
    """The list that was made of an edit, and what became of each of its clips.

    approved   how many were approved by this import; `waiting`: how many nobody has approved yet, which blocks them
    left_out   names of sources that are none of the project's films
    """

    clip_list: ListPublic
    read: int
    approved: int
    waiting: int
    clips: list[ImportedClip]
    left_out: list[str]
