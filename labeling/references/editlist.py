"""Which intervals of the film an existing edit uses: EDL (CMX3600), FCP7 XML, FCPXML, OTIO."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

from backend.errors import InputError
from backend.media.timecode import Timecode, source_timecode
from labeling.references.cuts import Cut, edl_cuts, otio_cuts, plain_name
from labeling.references.fcpxml import fcpxml_cuts

MAX_BYTES = 64 << 20
REEL_LETTERS = 8
AGAIN = "export it again, as EDL, FCP7 XML, FCPXML or OTIO"
TOLERANCE = 1
"""Frames by which a range may reach over the film's end: rounding."""


@dataclass(frozen=True)
class EditedFilm:
    """What must be known of the film to find its frames in an edit. `start_timecode` None: it counts from zero."""

    name: str
    rate: Fraction
    frames: int
    start_timecode: str | None = None

    @property
    def first(self) -> int:
        """The number that the film's own timecode gives its first frame."""
        if self.start_timecode is None:
            return 0
        return Timecode.at_rate(self.rate, drop=";" in self.start_timecode).parse(self.start_timecode)


@dataclass(frozen=True)
class SourceRange:
    """Frames `[start_frame, end_frame)` of the film, 0 is its first one, and the same in seconds."""

    start_frame: int
    end_frame: int
    film_start_s: float
    film_end_s: float


def read_edit(path: Path, film: EditedFilm, source: str | None = None) -> tuple[SourceRange, ...]:
    """The intervals of the film that an edit shows, in the edit's order; sound, titles and other sources are left out.

    Of several sources the film is the one called `source`, by default like the film; of a single one it is that,
    whatever it is called. A retimed clip gives what it runs through, a freeze frame and one of varying speed nothing.
    Raises InputError, in words: no edit list, nothing of the film in it, frames that the film does not have.
    """
    cuts = _read(path, film.rate)
    if not cuts:
        raise InputError(f"{path.name!r} shows no part of any film; export it again, with its clips.")
    used = _of_film(cuts, film, source, path.name)
    ranges = [_range(cut, film, origin, path.name) for cut, origin in zip(used, origins(used, film), strict=True)]
    return tuple(found for found in ranges if found is not None)


def _read(path: Path, rate: Fraction) -> list[Cut]:
    readers: dict[str, Callable[[str], list[Cut]]] = {
        ".edl": lambda text: edl_cuts(text, rate),
        ".xml": lambda text: _xml_cuts(text, rate),
        ".fcpxml": lambda text: _xml_cuts(text, rate),
        ".otio": lambda text: otio_cuts(text, "otio_json"),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"Cannot read {path.name!r}: an edit list ends in {', '.join(readers)}.")
    with in_words(path.name):
        return reader(text_of(path))


def unreadable() -> tuple[type[Exception], ...]:
    """What is raised at what is no edit list."""
    from opentimelineio.exceptions import OTIOError

    parsing = (OTIOError, ET.ParseError, RecursionError)
    return (InputError, *parsing, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """Whatever is raised at what is no edit list becomes an InputError, in one sentence."""
    try:
        yield
    except InputError:
        raise
    except unreadable() as why:
        reason = " ".join(str(why).split()).rstrip(".") or type(why).__name__
        raise InputError(f"Cannot read {name!r} as an edit list: {reason}; {AGAIN}.") from None


def text_of(path: Path) -> str:
    """What a file says, in UTF-8, UTF-16 (as Windows programs save "Unicode") or Latin-1.

    Raises InputError for what is too large, empty or not there.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name!r} is larger than any edit list ({MAX_BYTES >> 20} MiB).")
        content = path.read_bytes()
    except OSError as why:
        raise InputError(f"Cannot read {path.name!r}: {(why.strerror or 'it cannot be opened').lower()}.") from None
    if not content.strip():
        raise InputError(f"{path.name!r} is empty.")
    try:
        return content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _xml_cuts(text: str, rate: Fraction) -> list[Cut]:
    """Both kinds of XML go by both endings."""
    root = ET.fromstring(text)
    if root.tag == "fcpxml":
        return fcpxml_cuts(root, rate)
    if root.tag == "xmeml":
        return otio_cuts(text, "fcp_xml")
    raise ValueError(f"its outermost element is {root.tag!r}, not fcpxml or xmeml")


def _of_film(cuts: list[Cut], film: EditedFilm, source: str | None, name: str) -> list[Cut]:
    """The cuts whose source is the film."""
    wanted = plain_name(source or film.name)
    found = [cut for cut in cuts if wanted in cut.names or wanted[:REEL_LETTERS] in cut.names]
    sources = Counter(cut.names[0] if cut.names else "" for cut in cuts)
    if found:
        return found
    if len(sources) == 1 and source is None:
        return cuts
    known = ", ".join(repr(called or "without a name") for called, _ in sources.most_common(6))
    nothing = f"{name!r} uses nothing called {wanted!r}; its sources are {known}"
    raise InputError(f"{nothing}: say which of them is the film (film_called).")


def origins(cuts: list[Cut], film: EditedFilm) -> list[Fraction]:
    """For each cut the number that its source's clock gives the film's first frame.

    A source that starts inside the film, by its timecode, is a part of it on the same clock; one that starts elsewhere
    is the whole film, counted anew. Where the edit does not say, the film's timecode holds, or zero if only that fits.
    """
    first = Fraction(film.first)
    unsaid = [on_clock(cut.start, cut.rate, film.rate) for cut in cuts if cut.media_start is None]
    from_zero = bool(unsaid) and max(unsaid) < min(first, Fraction(film.frames))
    found = []
    for cut in cuts:
        if cut.media_start is None:
            found.append(Fraction(0) if from_zero else first)
            continue
        media_first = on_clock(cut.media_start, cut.rate, film.rate)
        inside = bool(film.start_timecode) and first <= media_first < first + film.frames
        found.append(first if inside else media_first)
    return found


def on_clock(frames: Fraction, rate: Fraction, film_rate: Fraction) -> Fraction:
    """A number of frames of a clock, on the film's. 24 and 23.976 count alike; others by the time that passes."""
    return frames if round(rate) == round(film_rate) else frames / rate * film_rate


def _range(cut: Cut, film: EditedFilm, origin: Fraction, name: str) -> SourceRange | None:
    start = round(on_clock(cut.start, cut.rate, film.rate) - origin)
    end = round(on_clock(cut.end, cut.rate, film.rate) - origin)
    if start < 0 or end > film.frames + TOLERANCE:
        used, there = (f"{_timecode(film, a)} to {_timecode(film, b)}" for a, b in ((start, end), (0, film.frames)))
        beyond = f"{name!r} uses {used}, which the film does not have: it goes from {there}"
        raise InputError(f"{beyond}; add it to the film, or the version of it, that it was cut from.")
    end = min(end, film.frames)
    return SourceRange(start, end, float(start / film.rate), float(end / film.rate)) if start < end else None


def _timecode(film: EditedFilm, frame: int) -> str:
    return source_timecode(film.start_timecode, film.rate, frame)
