"""Clips come into a list, are moved, changed and taken out: each under the lock of the list's row.

A move says which entries go before which other one, not what the whole order is: two people who move at once both get
what they asked for, one after the other. What cannot be done any more, since an entry is gone, is a Conflict.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from backend.errors import Conflict, NotAllowed, NotFound
from backend.library.models import Candidate, Movie
from backend.library.service import movie_named
from backend.members.service import Principal, role_in
from backend.resources import Resources
from labeling.decisions.trims import Cut
from labeling.lists.models import MOST_ENTRIES, ListEntry, StoredList
from labeling.lists.service import changed, locked
from labeling.lists.shapes import EntriesNew, EntryChange, EntryNew, Move
from labeling.lists.standing import SAID
from labeling.lists.windows import approve_by_hand, cut_in, lock, windows_by_hand

GONE = "There is no entry {} in this list any more; look at it again."


def cuts_of(session: Session, resources: Resources, who: Principal, wanted: Sequence[EntryNew]) -> list[Cut | None]:
    """Of each clip set by hand its window; before the list is locked: a film's time table is read from its file."""
    return [
        None if new.movie is None else cut_in(resources, movie_named(session, who, new.movie), *_frames(new))
        for new in wanted
    ]


def add(
    session: Session,
    who: Principal,
    clip_list: StoredList,
    wanted: EntriesNew,
    cuts: Sequence[Cut | None],
    version: int | None = None,
) -> list[int]:
    """Ids of the entries, in the order asked for; of a candidate that is in the list already, that one, where it is.

    All or none. Raises NotFound, NotAllowed, Conflict. Commits.
    """
    now = locked(session, clip_list, version)
    rows = _rows(session, now)
    at = _place(rows, wanted.before)
    known: dict[int | None, ListEntry] = {row.candidate_id: row for row in rows if row.candidate_id is not None}
    added, fresh = [], []
    candidates = _locked_candidates(session, who, now, wanted.entries, cuts)
    for new, named in zip(wanted.entries, candidates, strict=True):
        row = known.get(named) if new.candidate else None
        if row is None:
            candidate = _candidate(session, who, now, new, named)
            row = known.get(named)
        if row is None:
            row = entry_of(now, candidate, who.name)
            row.name, row.note = new.name.strip(), new.note
            row.admitted_by = who.name if candidate.verdict != "approve" else ""
            known[candidate.id] = row
            fresh.append(row)
        added.append(row)
    if fresh:
        put(session, [*rows[:at], *fresh, *rows[at:]])
        changed(session, now)
    session.flush()
    ids = [row.id or 0 for row in added]
    session.commit()
    return ids


def move(session: Session, clip_list: StoredList, wanted: Move, version: int | None = None) -> None:
    """Put entries before another one, in the order given. Raises Conflict where one of them is gone. Commits."""
    now = locked(session, clip_list, version)
    rows = _rows(session, now)
    moved = _named(rows, wanted.entries)
    if wanted.before in wanted.entries:
        raise Conflict("An entry cannot stand before itself; name one that is not moved.")
    rest = [row for row in rows if row not in moved]
    at = _place(rest, wanted.before)
    ordered = [*rest[:at], *moved, *rest[at:]]
    if ordered != rows:
        put(session, ordered)
        changed(session, now)
    session.commit()


def remove(session: Session, clip_list: StoredList, entries: Sequence[int], version: int | None = None) -> None:
    """Take entries out; what is out already is. Commits."""
    now = locked(session, clip_list, version)
    rows = _rows(session, now)
    gone = [row for row in rows if row.id in set(entries)]
    if gone:
        take_out(session, rows, gone)
        changed(session, now)
    session.commit()


def change(
    session: Session,
    resources: Resources,
    clip_list: StoredList,
    entry_id: int,
    wanted: EntryChange,
    version: int | None = None,
) -> None:
    """Set what people say of a clip in this list, trim it. Raises NotFound, InputError, Conflict. Commits."""
    entry = session.get(ListEntry, entry_id)
    if entry is None or entry.list_id != clip_list.id:
        raise NotFound(GONE.format(entry_id))
    values: dict[str, Any] = wanted.model_dump(exclude_unset=True)
    cut = _trim(session, resources, clip_list, entry, wanted)
    values |= vars(cut) if cut else {}
    now = locked(session, clip_list, version)
    kept = session.get(ListEntry, entry_id, populate_existing=True)
    if kept is None:
        raise NotFound(GONE.format(entry_id))
    free = {name: value for name, value in values.items() if value is not None or name == "embargo_until"}
    fresh = {name: value for name, value in free.items() if getattr(kept, name) != value}
    for name, value in fresh.items():
        setattr(kept, name, value)
    if fresh:
        session.add(kept)
        changed(session, now)
    session.commit()


def entry_of(clip_list: StoredList, candidate: Candidate, by: str) -> ListEntry:
    """A new entry with the candidate's own frames; it has no place yet."""
    window = ("movie_sha256", "movie_title", "start_frame", "end_frame", "start_s", "end_s")
    return ListEntry(
        list_id=clip_list.id or 0,
        position=-1,
        candidate_id=candidate.id,
        added_by=by,
        **{name: getattr(candidate, name) for name in window},
    )


def put(session: Session, rows: Sequence[ListEntry]) -> None:
    """Make these the entries' places, one after the other. Raises Conflict for too many. Does not commit."""
    if len(rows) > MOST_ENTRIES:
        raise Conflict(f"A list has at most {MOST_ENTRIES:,} clips; begin another one.")
    for position, row in enumerate(rows):
        if row.position != position:
            row.position = position
            session.add(row)
    session.flush()


def take_out(session: Session, rows: Sequence[ListEntry], gone: Sequence[ListEntry]) -> None:
    """Delete entries and close the gaps. Does not commit."""
    session.execute(delete(ListEntry).where(col(ListEntry.id).in_([row.id for row in gone])))
    put(session, [row for row in rows if row not in gone])


def rows_of(session: Session, clip_list: StoredList) -> list[ListEntry]:
    """The entries as they are now, in order."""
    return _rows(session, clip_list)


def _rows(session: Session, clip_list: StoredList) -> list[ListEntry]:
    own = select(ListEntry).where(col(ListEntry.list_id) == clip_list.id)
    ordered = own.order_by(col(ListEntry.position), col(ListEntry.id)).execution_options(populate_existing=True)
    return list(session.exec(ordered).all())


def _named(rows: Sequence[ListEntry], ids: Sequence[int]) -> list[ListEntry]:
    known = {row.id: row for row in rows}
    if lost := [each for each in ids if each not in known]:
        raise Conflict(GONE.format(lost[0]))
    return [known[each] for each in dict.fromkeys(ids)]


def _place(rows: Sequence[ListEntry], before: int | None) -> int:
    if before is None:
        return len(rows)
    (found,) = _named(rows, [before])
    return rows.index(found)


def _frames(new: EntryNew) -> tuple[int, int]:
    return new.start_frame or 0, new.end_frame or 0


def _locked_candidates(
    session: Session, who: Principal, clip_list: StoredList, wanted: Sequence[EntryNew], cuts: Sequence[Cut | None]
) -> list[int]:
    """Of each clip its candidate, locked; that of frames set by hand is made where there is none. Raises NotFound."""
    by_hand = {
        at: (_movie(session, clip_list, new), cut)
        for at, (new, cut) in enumerate(zip(wanted, cuts, strict=True))
        if cut is not None
    }
    windows = windows_by_hand(session, by_hand.values(), who.name)
    made = {at: windows.ids[movie.sha256 or "", cut] for at, (movie, cut) in by_hand.items()}
    ids = [made.get(at) or new.candidate or 0 for at, new in enumerate(wanted)]
    lock(session, ids)
    return ids


def _movie(session: Session, clip_list: StoredList, new: EntryNew) -> Movie:
    movie = session.get(Movie, new.movie)
    if movie is None or movie.project_id != clip_list.project_id:
        raise NotFound(f"There is no film {new.movie} in the list's project.")
    return movie


def _candidate(session: Session, who: Principal, clip_list: StoredList, new: EntryNew, named: int) -> Candidate:
    """What comes in, approved, or let in by an admin; raises NotFound, NotAllowed, Conflict."""
    found = session.get(Candidate, named, with_for_update=True)
    if found is None or found.project_id != clip_list.project_id:
        raise NotFound(f"There is no candidate {new.candidate} in the list's project.")
    if new.movie is not None:
        approve_by_hand(session, who, found)
    elif found.verdict != "approve":
        _may_let_in(session, who, clip_list, new, found)
    return found


def _may_let_in(session: Session, who: Principal, clip_list: StoredList, new: EntryNew, found: Candidate) -> None:
    said = f"it was {SAID[found.verdict]}" if found.verdict in SAID else "nobody has approved it yet"
    if not new.unapproved:
        raise Conflict(
            f"Only approved clips enter a list, and of candidate {found.id} {said}: approve it first, or let an admin "
            "add it with `unapproved`."
        )
    if role_in(session, who, clip_list.project_id) != "admin":
        raise NotAllowed("Only admins let clips in that nobody approved; approve it first.")


def _trim(
    session: Session, resources: Resources, clip_list: StoredList, entry: ListEntry, wanted: EntryChange
) -> Cut | None:
    if wanted.start_frame is None or wanted.end_frame is None:
        return None
    same = col(Movie.project_id) == clip_list.project_id, col(Movie.sha256) == entry.movie_sha256
    movie = session.exec(select(Movie).where(*same)).first()
    if movie is None:
        raise Conflict(f"The film {entry.movie_title!r} is gone; a clip of it cannot be trimmed.")
    return cut_in(resources, movie, wanted.start_frame, wanted.end_frame)
