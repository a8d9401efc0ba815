"""/api/lists/import: edits that were made elsewhere become lists."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from sqlmodel import Session

from backend.answers import errors
from backend.dependencies import LARGEST_ID, PrincipalDep, ReadSession, ResourcesDep
from backend.errors import InputError, NotAllowed, NotFound, TooLarge
from backend.library.places import require_ending
from backend.library.service import project_for
from backend.resources import Resources
from labeling.lists.import_shapes import ImportedList
from labeling.lists.importing import Brought, bring_in
from labeling.lists.models import StoredList
from labeling.lists.reading import ENDINGS
from labeling.lists.service import shown
from labeling.references.editlist import MAX_BYTES

LARGEST_BYTES = MAX_BYTES + (1 << 20)
"""The edit, and what a form is beside it."""

router = APIRouter(prefix="/lists", tags=["lists"], responses=errors(NotFound, NotAllowed))


@router.post("/import", status_code=201, responses=errors(InputError, TooLarge))
def import_list(
    file: Annotated[UploadFile, File(description="EDL, FCPXML, FCP7 XML, OTIO, or JSON as `export` writes it.")],
    session: ReadSession,
    who: PrincipalDep,
    resources: ResourcesDep,
    project: Annotated[int | None, Form(ge=1, le=LARGEST_ID, description="Left out, your first.")] = None,
    name: Annotated[str, Form(max_length=200, description="Of the list; left out, the edit's.")] = "",
    approve: Annotated[bool, Form(description="Say that you approve its clips: an edit is a choice.")] = False,
) -> ImportedList:
    """Make a list of an edit. Its films are found among the project's by their names; other sources are left out.

    Clips that nobody approved are in the list and keep it from going out until somebody does.
    """
    project_id = project_for(session, who, project, "curator")
    session.close()
    called = require_ending(Path(file.filename or "").name, ENDINGS, "a list")
    with tempfile.TemporaryDirectory(prefix="selects-list-") as folder:
        path = Path(folder) / called
        path.write_bytes(file.file.read())
        made = bring_in(resources, who, project_id, path, name, approve=approve)
    return _shown(resources, made)


def _shown(resources: Resources, made: Brought) -> ImportedList:
    with Session(resources.reading) as session:
        clip_list = shown(session, [session.get_one(StoredList, made.list_id)])[0]
    return ImportedList(
        clip_list=clip_list,
        read=len(made.clips),
        approved=made.approved,
        waiting=made.waiting,
        clips=made.clips,
        left_out=list(made.left_out),
    )
