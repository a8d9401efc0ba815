"""An edit that was made elsewhere, or by us, becomes a list; if who brings it says so, it approves its cuts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from sqlmodel import Session, col, select

from backend.errors import Conflict, InputError
from backend.library.models import Candidate, Movie
from backend.members.service import Principal
from backend.resources import Resources
from labeling.decisions.trims import Cut
from labeling.lists.entries import entry_of, put
from labeling.lists.freezing import source_of
from labeling.lists.import_shapes import ImportedClip
from labeling.lists.models import ListEntry, StoredList
from labeling.lists.project import settings_of
from labeling.lists.rates import RATES, Rate
from labeling.lists.reading import ReadClip, ReadList, read_list
from labeling.lists.service import create
from labeling.lists.shapes import ListNew
from labeling.lists.windows import approve_by_hand, cut_in, lock, windows_by_hand

LONGEST_NAME, LONGEST_KEY = 200, 10


@dataclass
class Brought:
    """What came of it: the list's id, a word on each clip, and the names of sources that are none of the films."""

    list_id: int
    clips: list[ImportedClip] = field(default_factory=list)
    approved: int = 0
    waiting: int = 0
    left_out: tuple[str, ...] = ()


def bring_in(
    resources: Resources, who: Principal, project_id: int, path: Path, name: str = "", *, approve: bool = False
) -> Brought:
    """Make a list of an edit: films by what they are called, clips with their frames. All or nothing. Commits.

    A clip that nobody approved is in the list and waits for it, unless `approve` says that who brings it approves it.
    Raises InputError for what is no edit, or shows nothing of the project's films.
    """
    with Session(resources.reading) as session:
        movies = _movies(session, project_id)
        wanted = settings_of(session, project_id)
        sources = [source_of(resources, movie, wanted) for movie in movies.values()]
    if not sources:
        raise InputError("The project has no analysed film; add those that the edit is made of.")
    read = read_list(path, sources)
    cuts = [cut_in(resources, movies[clip.source.sha256], clip.start_frame, clip.end_frame) for clip in read.clips]
    with Session(resources.engine) as session:
        clip_list = create(session, project_id, _new(read, path, name), who.name)
        made = Brought(clip_list.id or 0, left_out=read.left_out)
        candidates = _candidates(session, who, clip_list, movies, list(zip(read.clips, cuts, strict=True)))
        rows = [
            _entry(session, who, clip_list, candidate, clip, cut, made, approve=approve)
            for clip, cut, candidate in zip(read.clips, cuts, candidates, strict=True)
        ]
        put(session, rows)
        for said, row in zip(made.clips, rows, strict=True):
            said.entry = row.id
        session.commit()
        return made


def _movies(session: Session, project_id: int) -> dict[str, Movie]:
    """Checksum → film of the project whose frames are known."""
    own = select(Movie).where(col(Movie.project_id) == project_id, col(Movie.frames) > 0, col(Movie.rate) != "")
    found = session.exec(own.order_by(col(Movie.id))).all()
    session.expunge_all()
    return {movie.sha256: movie for movie in found if movie.sha256}


def _new(read: ReadList, path: Path, name: str) -> ListNew:
    called = " ".join((name or read.name or path.stem).replace("\0", "").split())[:LONGEST_NAME]
    wanted = Rate(Fraction(read.rate), drop=read.drop)
    rate = next((each for each, known in RATES.items() if known == wanted), "")
    return ListNew.model_validate({"name": called or "Imported", "rate": rate})


def _candidates(
    session: Session,
    who: Principal,
    clip_list: StoredList,
    movies: Mapping[str, Movie],
    wanted: Sequence[tuple[ReadClip, Cut]],
) -> list[Candidate]:
    """Of each clip its candidate, locked; made where there is none."""
    kept = [_kept(session, clip_list, clip) for clip, _ in wanted]
    new = [(movies[clip.source.sha256], cut) for (clip, cut), known in zip(wanted, kept, strict=True) if not known]
    ids = windows_by_hand(session, new, who.name).ids
    named = [known or ids[clip.source.sha256, cut] for (clip, cut), known in zip(wanted, kept, strict=True)]
    lock(session, named)
    return [session.get_one(Candidate, each, populate_existing=True) for each in named]


def _entry(
    session: Session,
    who: Principal,
    clip_list: StoredList,
    candidate: Candidate,
    clip: ReadClip,
    cut: Cut,
    made: Brought,
    *,
    approve: bool,
) -> ListEntry:
    """A clip of the edit as an entry, flushed without a place; what came of it is written down in `made`."""
    problem = ""
    if candidate.verdict != "approve" and approve:
        try:
            approve_by_hand(session, who, candidate)
            made.approved += 1
        except Conflict as said:
            problem = said.detail
    if candidate.verdict != "approve":
        made.waiting += 1
        problem = problem or "Nobody has approved it yet."
    row = entry_of(clip_list, candidate, who.name)
    row.start_frame, row.end_frame, row.start_s, row.end_s = cut.start_frame, cut.end_frame, cut.start_s, cut.end_s
    row.name, row.note = clip.name.replace("\0", "")[:LONGEST_NAME], clip.note.replace("\0", "")
    made.clips.append(ImportedClip(number=len(made.clips) + 1, name=clip.name, entry=None, problem=problem))
    return row


def _kept(session: Session, clip_list: StoredList, clip: ReadClip) -> int | None:
    """The candidate of the entry that we wrote the clip of, which may have been trimmed in its list."""
    written = clip.key.isascii() and clip.key.isdecimal() and len(clip.key) < LONGEST_KEY
    entry = session.get(ListEntry, int(clip.key)) if written else None
    frames = (clip.source.sha256, clip.start_frame, clip.end_frame)
    if entry is None or (entry.movie_sha256, entry.start_frame, entry.end_frame) != frames:
        return None
    own = session.get(StoredList, entry.list_id)
    return entry.candidate_id if own is not None and own.project_id == clip_list.project_id else None
