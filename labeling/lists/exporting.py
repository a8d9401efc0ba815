"""A list leaves the house as a file; what it was made of is kept with it, so that it can be had again as it was."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import Conflict, NotFound
from backend.exports.base import ClipList, Concern
from backend.exports.preflight import preflight as concerns_of
from backend.exports.preflight import refuse_stopped
from backend.exports.registry import EXPORTERS, exporter_named
from backend.resources import Resources
from labeling.lists.export_shapes import ConcernPublic, ExportPublic, FormatPublic, Preflight
from labeling.lists.freezing import freeze
from labeling.lists.frozen import facts, key_of, pack, unpack
from labeling.lists.models import ListExport, StoredList
from labeling.lists.rendered import CLIPS, archive, newest_whole, remarks_of, require_whole, why_none
from labeling.lists.service import locked

PIECE = 64 << 10
MADE_OF = ("made_at", "sources", "clips")


@dataclass(frozen=True)
class Made:
    """A file on its way: its row's id, what it is called, and what gives it in pieces, once."""

    export: int
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    pieces: Callable[[], Iterator[bytes]]


def preflight(
    session: Session, resources: Resources, clip_list: StoredList, names: Iterable[str] | None = None
) -> Preflight:
    """What each format, or each of those named, cannot carry of the list as it is now, or why there is no file."""
    found = concerns_of(freeze(session, resources, clip_list), names)
    whole = newest_whole(session, resources, clip_list)
    rendered, lacking = whole is not None, remarks_of(whole) if whole else []
    formats = []
    for name, general in found.items():
        concerns = [*general, *(lacking if name == CLIPS else [])]
        exporter = exporter_named(name)
        stopped = any(concern.stops for concern in concerns)
        formats.append(
            FormatPublic(
                name=name,
                title=exporter.title,
                suffix=exporter.suffix,
                media_type=exporter.media_type,
                opens_in=exporter.opens_in,
                ready=not stopped and (name != CLIPS or rendered),
                rendered=rendered if name == CLIPS else None,
                concerns=[_concern(concern) for concern in concerns],
            )
        )
    return Preflight(list_id=clip_list.id or 0, version=clip_list.version, formats=formats)


def export(resources: Resources, list_id: int, name: str, by: str) -> Made:
    """The list as it is now in this format; equal lists are one export, and give the same bytes.

    Raises UnknownName, ExportRefused, Conflict where clips are not rendered; then nothing is kept.
    """
    exporter = exporter_named(name)
    with Session(resources.reading) as session:
        clip_list, frozen = _frozen(session, resources, list_id, shows=exporter.shows_pictures)
        refuse_stopped(frozen, name)
        if name == CLIPS:
            whole = newest_whole(session, resources, clip_list)
            if whole is None:
                raise Conflict(why_none(session, clip_list))
            return again(resources, whole)
        key = key_of(frozen)
    known = _known(resources, list_id, name, key)
    if known is not None:
        return again(resources, known)
    content = b"".join(exporter.write(frozen))
    return again(resources, _keep(resources, clip_list, name, frozen, content, by))


def again(resources: Resources, row: ListExport) -> Made:
    """What was exported, the same bytes. Raises Conflict where rendered clips are not there any more."""
    exporter = EXPORTERS[row.format]
    if row.format == CLIPS:
        require_whole(resources, row)
        pieces = lambda: archive(resources, row)  # noqa: E731  a callback
    else:
        content = zlib.decompress(row.content or b"")
        pieces = lambda: (content[at : at + PIECE] for at in range(0, len(content), PIECE))  # noqa: E731
    name = f"{row.name}{exporter.suffix}"
    return Made(row.id or 0, name, exporter.media_type, row.size_bytes, row.sha256, pieces)


def export_named(session: Session, clip_list: StoredList, export_id: int) -> ListExport:
    """What was exported of a list; raises NotFound, Conflict where it is being rendered still."""
    row = session.get(ListExport, export_id)
    if row is None or row.list_id != clip_list.id:
        raise NotFound(f"The list has no export {export_id}.")
    if not row.sha256:
        raise Conflict("It is not rendered yet; its job says how far it is.")
    return row


def made_of(row: ListExport) -> dict[str, object]:
    """What an export was made of, as JSON has values: films with checksums, clips with decisions and models."""
    return facts(unpack(row.made_of))


def made_again(row: ListExport) -> bytes:
    """The bytes made anew of what was kept: those that were handed out, where the exporter writes as it did then."""
    return b"".join(EXPORTERS[row.format].write(unpack(row.made_of)))


def list_exports(session: Session, clip_list: StoredList, limit: int, offset: int) -> tuple[list[ExportPublic], int]:
    """What was exported of a list, the newest first, and how many there are."""
    own = (col(ListExport.list_id) == clip_list.id, col(ListExport.sha256) != "")
    total = session.exec(select(func.count()).select_from(ListExport).where(*own)).one()
    found = select(ListExport).where(*own).order_by(col(ListExport.id).desc()).limit(limit).offset(offset)
    rows = session.exec(found).all()
    return [public(row, clip_list) for row in rows], total


def public(row: ListExport, clip_list: StoredList) -> ExportPublic:
    """An export as the API shows it."""
    return ExportPublic.model_validate(
        row.model_dump(exclude={"made_of", "content", "files"}) | {"current": row.list_version == clip_list.version}
    )


def _frozen(session: Session, resources: Resources, list_id: int, *, shows: bool) -> tuple[StoredList, ClipList]:
    """The list as it is at one moment: who only reads sees each change of others as soon as it is made."""
    while True:
        clip_list = session.get_one(StoredList, list_id, populate_existing=True)
        version = clip_list.version
        frozen = freeze(session, resources, clip_list, shows=shows)
        session.refresh(clip_list)
        if clip_list.version == version:
            return clip_list, frozen


def _known(resources: Resources, list_id: int, name: str, key: str) -> ListExport | None:
    with Session(resources.reading) as session:
        same = (col(ListExport.list_id) == list_id, col(ListExport.format) == name, col(ListExport.list_key) == key)
        return session.exec(select(ListExport).where(*same).order_by(col(ListExport.id))).first()


def _keep(
    resources: Resources, clip_list: StoredList, name: str, frozen: ClipList, content: bytes, by: str
) -> ListExport:
    """A row for the bytes and all that made them; where somebody was faster with the same, theirs."""
    row = row_of(clip_list, name, frozen, by)
    row.content, row.size_bytes = zlib.compress(content), len(content)
    row.sha256 = hashlib.sha256(content).hexdigest()
    with Session(resources.engine, expire_on_commit=False) as session:
        locked(session, clip_list)
        same = (col(getattr(ListExport, field)) == getattr(row, field) for field in ("list_id", "format", "list_key"))
        known = session.exec(select(ListExport).where(*same)).first()
        if known is None:
            session.add(row)
        session.commit()
        return known or row


def row_of(clip_list: StoredList, name: str, frozen: ClipList, by: str) -> ListExport:
    """A row with what is exported; without the bytes."""
    return ListExport(
        list_id=clip_list.id or 0,
        list_version=clip_list.version,
        list_key=key_of(frozen),
        format=name,
        name=frozen.name,
        made_of=pack(frozen),
        clips=len(frozen.clips),
        made_by=by,
        made_at=utc_now(),
    )


def _concern(concern: Concern) -> ConcernPublic:
    entry = int(concern.clip) if concern.clip and concern.clip.isdecimal() else None
    return ConcernPublic(words=concern.words, stops=concern.stops, entry=entry)
