"""/api/lists: clip lists and their clips, by hand and by rule."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlmodel import Session

from backend.answers import errors
from backend.dependencies import (
    LARGEST_ID,
    Id,
    MaybeProjectQuery,
    PageDep,
    PrincipalDep,
    ReadSession,
    ResourcesDep,
    WriteSession,
)
from backend.errors import Conflict, InputError, NotAllowed, NotFound
from backend.library.service import project_for
from backend.paging import Paged, paged
from labeling.lists import entries, ruling, service, showing
from labeling.lists.approving import approve
from labeling.lists.dependencies import VersionDep, tag
from labeling.lists.models import ListState, StoredList
from labeling.lists.removing import remove
from labeling.lists.rule_shapes import RulePreview, RuleRun
from labeling.lists.shapes import (
    MOST_AT_ONCE,
    Changed,
    EntriesNew,
    EntryChange,
    EntryPublic,
    ListByRule,
    ListChange,
    ListNew,
    ListPublic,
    Move,
    RuleTried,
)

EntryId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]
EntriesQuery = Annotated[
    list[Annotated[int, Query(ge=1, le=LARGEST_ID)]],
    Query(alias="entries", min_length=1, max_length=MOST_AT_ONCE, description="Ids of entries."),
]
CHANGING = errors(NotFound, NotAllowed, Conflict)

router = APIRouter(prefix="/lists", tags=["lists"], responses=errors(NotFound))


@router.post("", status_code=201, responses=errors(NotAllowed))
def create_list(new: ListNew, session: WriteSession, who: PrincipalDep) -> ListPublic:
    """Make a list without clips."""
    made = service.create(session, project_for(session, who, new.project, "curator"), new, who.name)
    session.commit()
    return _shown(session, made)


@router.get("")
def list_lists(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    project: MaybeProjectQuery = None,
    q: Annotated[str, Query(max_length=200, description="Part of the name.")] = "",
    state: ListState | None = None,
) -> Paged[ListPublic]:
    """Lists of a project, the one changed last first."""
    project_id = project_for(session, who, project, "viewer")
    found, total = service.list_lists(session, project_id, q, state or "", page.limit, page.offset)
    return paged(found, total, page.offset)


@router.post("/by-rule", status_code=201, responses=errors(NotAllowed, InputError))
def create_by_rule(new: ListByRule, session: WriteSession, who: PrincipalDep) -> Changed:
    """Make a list out of the best approved clips that fit a rule; the rule is kept with it."""
    project_id = project_for(session, who, new.project, "curator")
    made = service.create(session, project_id, new, who.name)
    added = ruling.run(session, made, new.rule, who.name, reorder=True)
    return showing.answer(session, made, added)


@router.post("/by-rule/preview", responses=errors(InputError))
def preview_by_rule(tried: RuleTried, session: ReadSession, who: PrincipalDep) -> RulePreview:
    """What a rule would pick for a new list. Nothing is made."""
    return ruling.preview(session, project_for(session, who, tried.project, "viewer"), None, tried.rule)


@router.get("/{list_id}")
def get_list(list_id: Id, response: Response, session: ReadSession, who: PrincipalDep) -> ListPublic:
    """One list. Its version is the ETag, for `If-Match`."""
    found = service.list_named(session, who, list_id)
    tag(response, found)
    return _shown(session, found)


@router.patch("/{list_id}", responses=CHANGING)
def change_list(
    list_id: Id, wanted: ListChange, session: WriteSession, who: PrincipalDep, version: VersionDep
) -> ListPublic:
    """Change name, note, target time, rate or rule. A rule is kept, not run."""
    found = service.list_named(session, who, list_id, "curator")
    service.change(session, found, wanted, version)
    return _shown(session, found)


@router.delete("/{list_id}", status_code=204, responses=CHANGING)
def delete_list(
    list_id: Id, session: WriteSession, who: PrincipalDep, resources: ResourcesDep, version: VersionDep
) -> None:
    """Remove a list with all that was exported and rendered of it. Candidates and decisions stay."""
    remove(session, resources, service.list_named(session, who, list_id, "curator"), version)


@router.post("/{list_id}/approve", responses=CHANGING)
def approve_list(
    list_id: Id, session: WriteSession, who: PrincipalDep, resources: ResourcesDep, version: VersionDep
) -> ListPublic:
    """Say that it may go out as it is; the project's webhooks are told. Any change makes it a draft again.

    A list with a clip that may not go out cannot be approved; the answer says which and why.
    """
    found = service.list_named(session, who, list_id, "curator")
    approve(session, resources, found, who.name, version)
    return _shown(session, found)


@router.post("/{list_id}/reopen", responses=CHANGING)
def reopen_list(list_id: Id, session: WriteSession, who: PrincipalDep, version: VersionDep) -> ListPublic:
    """Make an approved list a draft again."""
    found = service.list_named(session, who, list_id, "curator")
    service.reopen(session, found, version)
    return _shown(session, found)


@router.get("/{list_id}/entries")
def list_entries(
    list_id: Id, response: Response, session: ReadSession, who: PrincipalDep, page: PageDep
) -> Paged[EntryPublic]:
    """The clips of a list in order; each says why it may not go out, where that is so."""
    found = service.list_named(session, who, list_id)
    tag(response, found)
    shown, total = showing.entries(session, found, page.limit, page.offset)
    return paged(shown, total, page.offset)


@router.post("/{list_id}/entries", status_code=201, responses=CHANGING)
def add_entries(
    list_id: Id,
    wanted: EntriesNew,
    session: WriteSession,
    resources: ResourcesDep,
    who: PrincipalDep,
    version: VersionDep,
) -> Changed:
    """Put clips into a list, all or none. A candidate that is in it already stays where it is.

    Only approved candidates enter. Frames that you set by hand become a candidate which you approve by that.
    """
    with Session(resources.reading) as reading:
        service.list_named(reading, who, list_id, "curator")
        cuts = entries.cuts_of(reading, resources, who, wanted.entries)
    found = service.list_named(session, who, list_id, "curator")
    return showing.answer(session, found, entries.add(session, who, found, wanted, cuts, version))


@router.post("/{list_id}/entries/move", responses=CHANGING)
def move_entries(list_id: Id, wanted: Move, session: WriteSession, who: PrincipalDep, version: VersionDep) -> Changed:
    """Put one or several before another one. Two people who move at once both get what they asked for."""
    found = service.list_named(session, who, list_id, "curator")
    entries.move(session, found, wanted, version)
    return showing.answer(session, found, wanted.entries)


@router.patch("/{list_id}/entries/{entry_id}", responses=CHANGING)
def change_entry(
    list_id: Id,
    entry_id: EntryId,
    wanted: EntryChange,
    session: WriteSession,
    resources: ResourcesDep,
    who: PrincipalDep,
    version: VersionDep,
) -> Changed:
    """Name, note, trim (frames within the film), rights and embargo of a clip, in this list alone."""
    found = service.list_named(session, who, list_id, "curator")
    entries.change(session, resources, found, entry_id, wanted, version)
    return showing.answer(session, found, [entry_id])


@router.delete("/{list_id}/entries", responses=CHANGING)
def remove_entries(
    list_id: Id, session: WriteSession, who: PrincipalDep, version: VersionDep, entries_: EntriesQuery
) -> Changed:
    """Take clips out of a list; what is out already is no error."""
    found = service.list_named(session, who, list_id, "curator")
    entries.remove(session, found, entries_, version)
    return showing.answer(session, found, ())


@router.post("/{list_id}/rule/preview", responses=errors(InputError))
def preview_rule(list_id: Id, wanted: RuleRun, session: ReadSession, who: PrincipalDep) -> RulePreview:
    """What running the list's rule again, or another rule, would change. Nothing is changed."""
    found = service.list_named(session, who, list_id)
    return ruling.preview(session, found.project_id, found, wanted.rule or ruling.rule_of(found))


@router.post("/{list_id}/rule/run", responses=CHANGING | errors(InputError))
def run_rule(list_id: Id, wanted: RuleRun, session: WriteSession, who: PrincipalDep, version: VersionDep) -> Changed:
    """Fill the list by its rule again, or by another one, which it keeps. Clips that were put in by hand stay.

    With `If-Match` of a preview's `version` nothing else happens than what that showed of this list.
    """
    found = service.list_named(session, who, list_id, "curator")
    added = ruling.run(session, found, wanted.rule, who.name, reorder=wanted.reorder, version=version)
    return showing.answer(session, found, added)


def _shown(session: Session, clip_list: StoredList) -> ListPublic:
    session.refresh(clip_list)
    return service.shown(session, [clip_list])[0]
