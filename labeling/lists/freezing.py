"""A list as it is now, as the value that exporters are given: with all that it stands on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from sqlmodel import Session, col, select

from backend.analysis.cache import FilmCache
from backend.analysis.pictures import keyframe_path
from backend.database import in_parts, utc_now
from backend.errors import FilmUnreadable
from backend.exports.base import Clip, ClipList, Source
from backend.exports.rates import counted_rate
from backend.library.models import DialogueLine, Movie, Project
from backend.media.lines import Line
from backend.media.probe import probe_film
from backend.media.timecode import Timecode
from backend.resources import Resources
from backend.store.media import present
from labeling.decisions.models import Decision
from labeling.decisions.replay import standing
from labeling.lists.mapping import mapped
from labeling.lists.models import ExportSettings, StoredList
from labeling.lists.project import settings_of
from labeling.lists.rates import RATES, Rate
from labeling.lists.rows import keyframes, standing_of
from labeling.lists.service import today
from labeling.lists.showing import name_of
from labeling.lists.standing import Standing, blocked

UNKNOWN_RATE = Fraction(25)
"""Of a film that is gone: its clips are blocked, and nothing is made of it."""
USUAL_SOUND = (2, 48_000)


def freeze(
    session: Session, resources: Resources, clip_list: StoredList, *, handles: int | None = None, shows: bool = False
) -> ClipList:
    """The list with its clips as they stand now. `handles`: others than the project's; `shows`: with pictures."""
    clips, wanted = standing_of(session, clip_list), settings_of(session, clip_list.project_id)
    sources = {
        clip.entry.movie_sha256: source_of(resources, clip.movie, wanted) if clip.movie else _gone(clips, clip)
        for clip in clips
    }
    added = wanted.handles if handles is None else handles
    approvals, said = _approvals(session, clips), _lines(session, clips, added)
    seen = _pictures(session, resources, clips) if shows else {}
    rate = rate_of(clip_list.rate or wanted.rate, sources[clips[0].entry.movie_sha256] if clips else None)
    return ClipList(
        id=clip_list.id or 0,
        name=clip_list.name,
        project=session.get_one(Project, clip_list.project_id).name,
        clips=tuple(
            _clip(clip, sources[clip.entry.movie_sha256], approvals, said, seen.get(clip.entry.id or 0, b""))
            for clip in clips
        ),
        rate=rate.frames,
        drop=rate.drop,
        handles=added,
        note=clip_list.note,
        made_at=utc_now().isoformat(timespec="seconds"),
    )


def rate_of(name: str, first: Source | None) -> Rate:
    """The edit's rate: the named one, else that of the first clip's film, which drops numbers where the film does."""
    if name:
        return RATES[name]
    if first is None:
        return Rate(UNKNOWN_RATE)
    drop = bool(first.start_timecode) and ";" in str(first.start_timecode)
    rate = counted_rate(first)
    return Rate(rate, Timecode.at_rate(rate, drop=drop).drop)


def source_of(resources: Resources, movie: Movie, wanted: ExportSettings) -> Source:
    """A film as editing programs know it; one that is not analysed yet has no frames."""
    times = FilmCache(resources.home / "films" / (movie.sha256 or "")).load_times(movie.scan_key)
    timeline, seekable = times or (None, True)
    channels, sound_hz = _sound(movie)
    return Source(
        sha256=movie.sha256 or "",
        name=Path(movie.path).name,
        path=movie.path,
        media_path=mapped(movie.path, [(each["server"], each["editor"]) for each in wanted.mappings]),
        title=movie.title,
        rate=Fraction(movie.rate) if movie.rate else UNKNOWN_RATE,
        frames=movie.frames,
        start_timecode=movie.start_timecode,
        width=movie.width,
        height=movie.height,
        channels=channels,
        sound_hz=sound_hz,
        reel=movie.reel,
        tape=movie.tape,
        timeline=timeline if timeline is not None and timeline.pts is not None else None,
        audio_track=movie.audio_track,
        seekable=seekable,
    )


def _gone(clips: Sequence[Standing], one: Standing) -> Source:
    """What is known of a film that is gone."""
    sha256 = one.entry.movie_sha256
    frames = max(clip.entry.end_frame for clip in clips if clip.entry.movie_sha256 == sha256)
    title = one.entry.movie_title
    return Source(sha256, title, "", "", title, UNKNOWN_RATE, frames, channels=0)


def _sound(movie: Movie) -> tuple[int, int]:
    """Channels and samples a second of the track that is heard; films of older versions did not keep them."""
    if not movie.has_audio:
        return 0, USUAL_SOUND[1]
    track = movie.tracks[movie.audio_track] if movie.audio_track < len(movie.tracks) else {}
    if "channels" in track:
        return int(track["channels"]), int(track["hz"])
    try:
        heard = probe_film(present(Path(movie.path))).audio[movie.audio_track]
    except (FilmUnreadable, IndexError):
        return USUAL_SOUND
    return heard.channels, heard.sample_rate_hz


def _approvals(session: Session, clips: Iterable[Standing]) -> dict[int, tuple[int, ...]]:
    """Candidate → ids of the decisions that approve it now."""
    rows: dict[int, list[Decision]] = defaultdict(list)
    for ids in in_parts(clip.candidate.id for clip in clips if clip.candidate is not None):
        own = select(Decision).where(col(Decision.candidate_id).in_(ids)).order_by(col(Decision.id))
        for row in session.exec(own).all():
            rows[row.candidate_id].append(row)
    stands = {candidate: standing(found).values() for candidate, found in rows.items()}
    return {
        candidate: tuple(row.id or 0 for row in found if row.verdict == "approve" and row.trim_start_frame is None)
        for candidate, found in stands.items()
    }


def _lines(session: Session, clips: Sequence[Standing], handles: int) -> dict[int, tuple[Line, ...]]:
    """What is said in each clip and its handles, by the entry's id."""
    of_film: dict[int | None, list[DialogueLine]] = defaultdict(list)
    for ids in in_parts(clip.movie.id for clip in clips if clip.movie is not None):
        own = select(DialogueLine).where(col(DialogueLine.movie_id).in_(ids))
        for row in session.exec(own.order_by(col(DialogueLine.movie_id), col(DialogueLine.number))).all():
            of_film[row.movie_id].append(row)
    found = {}
    for clip in clips:
        if clip.movie is None:
            continue
        more_s = float(handles / Fraction(clip.movie.rate)) if clip.movie.rate else 0.0
        start_s, end_s = clip.entry.start_s - more_s, clip.entry.end_s + more_s
        spoken = (row for row in of_film[clip.movie.id] if row.start_s < end_s and row.end_s > start_s)
        found[clip.entry.id or 0] = tuple(Line(row.start_s, row.end_s, row.text) for row in spoken)
    return found


def _pictures(session: Session, resources: Resources, clips: Sequence[Standing]) -> dict[int, bytes]:
    """A JPEG of each clip, by the entry's id; one that is not where it was is left out."""
    found = {}
    for entry, (movie, frame) in keyframes(session, clips).items():
        scan = FilmCache(resources.home / "films" / (movie.sha256 or "")).stored_scan(movie.scan_key)
        path = keyframe_path(scan, frame)
        if path.is_file():
            found[entry] = path.read_bytes()
    return found


def _clip(
    clip: Standing,
    source: Source,
    approvals: dict[int, tuple[int, ...]],
    said: dict[int, tuple[Line, ...]],
    picture: bytes,
) -> Clip:
    entry, candidate = clip.entry, clip.candidate
    return Clip(
        key=str(entry.id),
        source=source,
        start_frame=entry.start_frame,
        end_frame=entry.end_frame,
        name=name_of(clip),
        note=entry.note,
        score=candidate.score if candidate else None,
        viral=candidate.viral if candidate else None,
        compelling=candidate.compelling if candidate else None,
        band=candidate.band if candidate else "",
        reasons=tuple(candidate.reasons) if candidate else (),
        model=candidate.model if candidate else "",
        decisions=approvals.get(candidate.id or 0, ()) if candidate else (),
        rights=" ".join(part for part in (entry.rights, entry.rights_note) if part),
        embargo_until=entry.embargo_until,
        blocked=blocked(clip, today()),
        lines=said.get(entry.id or 0, ()),
        picture=picture,
    )
