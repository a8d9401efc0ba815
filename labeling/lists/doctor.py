"""Are lists in order, and is what was exported of them still what it was?"""

import hashlib
import zlib

from sqlmodel import Session, col, select

from backend.resources import Resources
from backend.search.doctor import Problem
from labeling.lists.models import ListEntry, ListExport, StoredList
from labeling.lists.rendered import CLIPS, is_whole


def examine(resources: Resources) -> list[Problem]:
    """What is off with lists and with what was exported; a person puts it right."""
    found = []
    with Session(resources.reading) as session:
        for row in session.exec(select(StoredList).order_by(col(StoredList.id))).all():
            own = select(ListEntry.position).where(col(ListEntry.list_id) == row.id).order_by(col(ListEntry.position))
            places = session.exec(own).all()
            if list(places) != list(range(len(places))):
                found.append(f"List {row.id} ({row.name!r}): places of its clips are not in order; move one of them.")
        made = select(ListExport.id).where(col(ListExport.sha256) != "").order_by(col(ListExport.id))
        for export in session.exec(made).all():
            if said := _off(resources, session.get_one(ListExport, export)):
                found.append(said)
            session.expunge_all()  # one at a time in memory
    return [Problem("list", said) for said in found]


def _off(resources: Resources, row: ListExport) -> str:
    about = f"Export {row.id} of list {row.list_id} ({row.name!r}, {row.format})"
    if row.format == CLIPS and not row.files:
        return ""  # there was no room for them any more
    if row.format == CLIPS:
        return "" if is_whole(resources, row) else f"{about}: files that were rendered are gone; render the list again."
    try:
        whole = hashlib.sha256(zlib.decompress(row.content or b"")).hexdigest() == row.sha256
    except zlib.error:
        whole = False
    return "" if whole else f"{about}: its bytes are damaged; put the database back from a copy."
