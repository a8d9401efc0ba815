"""A list that was exported, or an edit made elsewhere, read back: EDL, FCPXML, FCP7 XML, OTIO, our JSON."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from pydantic import ValidationError

from backend.errors import InputError
from backend.exports.base import Marker, Source
from backend.exports.document import ClipPart, ListPart
from backend.exports.layout import recorded
from backend.exports.rates import (
    counted_frames,
    counted_rate,
    counted_span,
    counting,
    film_frame,
    first_number,
    has_timecode,
)
from labeling.lists.edits import Edit, Told, edl_edit, otio_edit, xml_edit
from labeling.lists.matching import film_of, film_with
from labeling.references.cuts import Cut
from labeling.references.editlist import TOLERANCE, EditedFilm, in_words, on_clock, origins, text_of, unreadable

ENDINGS = (".json", ".edl", ".xml", ".fcpxml", ".otio")
SLACK = Fraction(1, 100)
"""Frames. OpenTimelineIO's times are floats."""


@dataclass(frozen=True)
class ReadClip:
    """Frames `[start_frame, end_frame)` of a film, without handles, and what the file says of them.

    key      of the list's entry, where we wrote the file and the clip is as we wrote it; else empty
    markers  what people wrote on frames; scores and reasons are fields of their own
    """

    source: Source
    start_frame: int
    end_frame: int
    name: str
    note: str = ""
    reasons: tuple[str, ...] = ()
    markers: tuple[Marker, ...] = ()
    key: str = ""
    score: float | None = None
    viral: float | None = None
    compelling: float | None = None
    band: str = ""


@dataclass(frozen=True)
class ReadList:
    """A list as a file has it.

    left_out  names of sources that are none of the films, each once: titles, music, other people's films
    """

    name: str
    rate: Fraction
    drop: bool
    clips: tuple[ReadClip, ...]
    handles: int = 0
    left_out: tuple[str, ...] = ()


def read_list(path: Path, sources: Sequence[Source]) -> ReadList:
    """The list in a file, its films found among `sources` (one or more).

    Raises InputError, in one sentence: no list, nothing of these films in it, frames that a film does not have, a film
    that cannot be told from another.
    """
    readers: dict[str, Callable[[str], ReadList]] = {
        ".json": lambda text: _from_json(text, sources, path.name),
        ".edl": lambda text: _from_edl(text, sources, path.name),
        ".otio": lambda text: _from_edit(otio_edit(text), sources, path.name),
        ".xml": lambda text: _from_edit(xml_edit(text), sources, path.name),
    }
    readers[".fcpxml"] = readers[".xml"]
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"Cannot read {path.name!r}: a list ends in {', '.join(ENDINGS)}.")
    with in_words(path.name):
        return readers[ending](text_of(path))


def _from_json(text: str, sources: Sequence[Source], name: str) -> ReadList:
    try:
        made = ListPart.model_validate_json(text)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise InputError(f"Cannot read {name!r} as a list of clips: {problem}.") from None
    films = {film.id: film_with(film.sha256, (film.path, film.name), sources) for film in made.films}
    left_out = tuple(film.name for film in made.films if films[film.id] is None)
    clips = tuple(_json_clip(clip, film, name) for clip in made.clips if (film := films[clip.film]) is not None)
    if not clips:
        raise InputError(_nothing(name, left_out))
    return ReadList(made.name, Fraction(made.rate), made.drop, clips, made.handles, left_out)


def _json_clip(clip: ClipPart, film: Source, name: str) -> ReadClip:
    _require_there(clip.start_frame, clip.end_frame, film.frames, film, name)
    return ReadClip(
        film,
        clip.start_frame,
        clip.end_frame,
        clip.name,
        clip.note,
        clip.reasons,
        tuple(Marker(marker.frame, marker.words, marker.kind) for marker in clip.markers),
        clip.key,
        clip.score,
        clip.viral,
        clip.compelling,
        clip.band,
    )


def _from_edl(text: str, sources: Sequence[Source], name: str) -> ReadList:
    """A list of this kind does not say its rate: it is that of the film that it is cut from."""
    refused: Exception | None = None
    for rate in dict.fromkeys(counted_rate(source) for source in sources):
        try:
            edit = edl_edit(text, rate)
        except unreadable() as why:  # what a parser finds wrong at this rate may be right at another
            refused = refused or why
            continue
        films = [film for told in edit.clips if (film := film_of(told, sources)) is not None]
        wanted = {told.stamp.edit_rate for told in edit.clips if told.stamp} or set(map(counted_rate, films))
        if rate in wanted or not wanted:
            return _from_edit(edit, sources, name)
    raise refused or InputError(
        f"{name!r} is counted at a rate that none of these films has; add the film it is cut from."
    )


def _from_edit(edit: Edit, sources: Sequence[Source], name: str) -> ReadList:
    if not edit.clips:
        raise InputError(f"{name!r} shows no part of any film; export it again, with its clips.")
    films = [film_of(told, sources) for told in edit.clips]
    called = Counter(_called(told) for told in edit.clips)
    if not any(films) and len(called) == 1 and len(sources) == 1:
        # One film in the edit, and one to choose from.
        films = [sources[0]] * len(edit.clips)
    pairs = [(told, film) for told, film in zip(edit.clips, films, strict=True) if film is not None]
    left_out = tuple(dict.fromkeys(_called(t) for t, film in zip(edit.clips, films, strict=True) if film is None))
    if not pairs:
        raise InputError(_nothing(name, left_out))
    rate = edit.rate or counted_rate(pairs[0][1])
    written = [_stamped(told, film, rate) for told, film in pairs]
    seen = iter(_unstamped([pair for pair, clip in zip(pairs, written, strict=True) if clip is None], name))
    clips = tuple(clip or next(seen) for clip in written)
    handles = next((told.stamp.handles for told, _ in pairs if told.stamp), 0)
    return ReadList(edit.name, rate, edit.drop, clips, handles, left_out)


def _called(told: Told) -> str:
    return next(iter(told.cut.names), "") or told.name


def _nothing(name: str, left_out: Sequence[str]) -> str:
    known = ", ".join(repr(called or "without a name") for called in list(left_out)[:6])
    return f"{name!r} uses none of these films; its sources are {known}: name the film's file as the edit does."


def _stamped(told: Told, film: Source, edit_rate: Fraction) -> ReadClip | None:
    """The clip as we wrote it, if it still lies where we wrote it; else None."""
    stamp = told.stamp
    if stamp is None or not film.sha256.startswith(stamp.film):
        return None
    first, end = max(0, stamp.start_frame - stamp.handles), min(film.frames, stamp.end_frame + stamp.handles)
    if not 0 <= stamp.start_frame < stamp.end_frame <= film.frames:
        return None
    source_in, source_out = counted_span(film, first, end)
    frames = source_out - source_in
    if not _lies_as_written(told, film, source_in, frames, edit_rate):
        return None
    clip = _clip(told, film, (stamp.start_frame, stamp.end_frame), Fraction(source_in))
    clip = replace(clip, key=stamp.key, score=stamp.score, viral=stamp.viral)
    return replace(clip, compelling=stamp.compelling, band=stamp.band)


def _lies_as_written(told: Told, film: Source, source_in: int, frames: int, edit_rate: Fraction) -> bool:
    """Whether the edit shows these frames of the film, all of them or as many as fill frames of the edit."""
    rate, first, cut = counted_rate(film), first_number(film), told.cut
    if told.clock_end is not None:
        day = counting(film).per_day
        ends = ((cut.start, first + source_in), (told.clock_end, first + source_in + frames))
        return all(seen % day == written % day for seen, written in ends)
    media_start = first / rate if cut.media_start is None else cut.media_start / cut.rate
    shown = recorded(frames, rate, edit_rate) / edit_rate * rate
    start, length = (told.start_s - media_start) * rate, told.length_s * rate
    return abs(start - source_in) < SLACK and min(abs(length - frames), abs(length - shown)) < SLACK


def _unstamped(pairs: Sequence[tuple[Told, Source]], name: str) -> list[ReadClip]:
    """Clips by the file's own times alone."""
    found: dict[int, ReadClip] = {}
    for film in {id(film): film for _, film in pairs}.values():
        rate, frames = counted_rate(film), counted_frames(film)
        edited = EditedFilm(film.name, rate, frames, film.start_timecode if has_timecode(film) else None)
        places = [n for n, (_, other) in enumerate(pairs) if other is film]
        cuts = [_after_midnight(pairs[n][0].cut, film) for n in places]
        for n, cut, origin in zip(places, cuts, origins(cuts, edited), strict=True):
            start, end = (on_clock(at, cut.rate, rate) - origin for at in (cut.start, cut.end))
            _require_there(round(start), round(end) - TOLERANCE, frames, film, name)
            span = film_frame(film, start), min(film.frames, film_frame(film, end))
            found[n] = _clip(pairs[n][0], film, span, start)
    return [found[n] for n in range(len(pairs))]


def _after_midnight(cut: Cut, film: Source) -> Cut:
    """On a clock that does not begin anew at midnight, where the film goes on behind it and the edit says timecode."""
    if cut.end < cut.start:
        return replace(cut, end=cut.end + counting(film).per_day)
    day, end = counting(film).per_day, first_number(film) + counted_frames(film)
    if cut.media_start is None and has_timecode(film) and cut.start + day < end:
        return replace(cut, start=cut.start + day, end=cut.end + day)
    return cut


def _clip(told: Told, film: Source, span: tuple[int, int], number: Fraction) -> ReadClip:
    """The clip, which begins at `number` as the edit counts the film."""
    rate = counted_rate(film)
    placed = [(film_frame(film, number + remark.after_s * rate), remark) for remark in told.remarks]
    return ReadClip(
        film,
        *span,
        told.name,
        told.note,
        tuple(remark.words for _, remark in placed if remark.kind == "reason"),
        tuple(Marker(frame, remark.words) for frame, remark in placed if remark.kind == "note"),
    )


def _require_there(start: int, end: int, there: int, film: Source, name: str) -> None:
    if start < 0 or end > there:
        uses = f"{name!r} uses frames {start} to {end} of {film.name!r}, which has {there}"
        raise InputError(f"{uses}; add the version of the film that it was cut from.")
