"""What is said in a clip, as people can read it: split into short lines; as SRT, WebVTT, or ASS to be burnt in.

Texts come from anywhere. In each format what would be read as an instruction is written so that it is read as text.
"""

import html
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from backend.media.lines import Line

FONTS = Path(__file__).parent / "fonts" / "truetype"
"""What burnt-in lines are set in, whatever the machine has: DejaVu Sans (Latin, Greek, Cyrillic, Arabic, Hebrew)."""

FONT = "DejaVu Sans"
COLUMNS, ROWS = 42, 2
SHORTEST_S = 0.04
WORD_JOINER = "\u2060"

ASS_HEAD = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Said,{font},{size},&H00FFFFFF,&H00000000,&H80000000,0,1,{outline},0,2,{side},{side},{foot},-1

[Events]
Format: Layer, Start, End, Style, Text
"""


def said_in(lines: Iterable[Line], start_s: float, end_s: float) -> tuple[Line, ...]:
    """What of a film's `lines` is said in [start_s, end_s), in seconds from `start_s`, by time; texts are cleaned."""
    inside = []
    for line in lines:
        here = Line(max(line.start_s, start_s) - start_s, min(line.end_s, end_s) - start_s, cleaned(line.text))
        if here.text and here.end_s - here.start_s >= SHORTEST_S:
            inside.append(here)
    return tuple(sorted(inside, key=lambda line: (line.start_s, line.end_s)))


def cleaned(text: str) -> str:
    """Without what cannot be shown: control characters, halves of pairs, empty rows."""
    rows = (" ".join("".join(map(_shown, row)).split()) for row in text.splitlines())
    return "\n".join(row for row in rows if row)


def readable(lines: Iterable[Line], columns: int = COLUMNS, rows: int = ROWS) -> Iterator[Line]:
    """The same lines in rows of at most `columns` letters (wide ones count twice), at most `rows` at a time.

    One that is longer becomes several, each on screen for its share of the letters.
    """
    for line in lines:
        wrapped = [part for row in line.text.split("\n") for part in _wrapped(row, columns)]
        shown = ["\n".join(wrapped[i : i + rows]) for i in range(0, len(wrapped), rows)]
        per_letter_s = (line.end_s - line.start_s) / max(1, sum(map(len, shown)))
        at_s = line.start_s
        for text in shown:
            until_s = at_s + per_letter_s * len(text)
            yield Line(at_s, until_s, text)
            at_s = until_s


def srt(lines: Iterable[Line]) -> str:
    """Lines as a SubRip file; "" where there are none."""
    cues = (
        f"{number}\n{_clock(line.start_s, ',')} --> {_clock(line.end_s, ',')}\n{line.text}\n"
        for number, line in enumerate(_unarrowed(lines), 1)
    )
    return "\n".join(cues)


def webvtt(lines: Iterable[Line]) -> str:
    """Lines as a WebVTT file."""
    cues = (
        f"{_clock(line.start_s, '.')} --> {_clock(line.end_s, '.')}\n{html.escape(line.text, quote=False)}\n"
        for line in _unarrowed(lines)
    )
    return "\n".join(["WEBVTT\n", *cues])


def ass(lines: Iterable[Line], width: int, height: int) -> str:
    """Lines as an ASS file for a picture of this size: white with a dark edge, at its foot, sized to be read on it."""
    size = max(4, round(0.055 * min(height, 1.2 * width)))
    columns = min(COLUMNS, max(8, int(0.9 * width / (0.55 * size))))
    head = ASS_HEAD.format(
        width=width,
        height=height,
        font=FONT,
        size=size,
        outline=max(1, round(size / 12)),
        side=round(0.04 * width),
        # What platforms lay over upright clips is at their foot.
        foot=round((0.16 if height > 1.2 * width else 0.06) * height),
    )
    events = (
        f"Dialogue: 0,{_centiseconds(line.start_s)},{_centiseconds(line.end_s)},Said,{_unstyled(line.text)}\n"
        for line in readable(lines, columns)
    )
    return head + "".join(events)


def _shown(letter: str) -> str:
    category = unicodedata.category(letter)
    return " " if category == "Cc" else "" if category == "Cs" else letter


def _wrapped(row: str, columns: int) -> Iterator[str]:
    """The row in pieces of at most `columns`: between words, in a word only where it is too long by itself."""
    piece = ""
    for word in row.split(" "):
        joined = f"{piece} {word}" if piece else word
        if _width(joined) <= columns:
            piece = joined
            continue
        if piece:
            yield piece
        piece = ""
        for letter in word:
            if _width(piece + letter) > columns:
                yield piece
                piece = ""
            piece += letter
    if piece:
        yield piece


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _unarrowed(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines that a reader cannot take for the head of a cue."""
    return (replace(line, text=line.text.replace("-->", "\u2192")) for line in lines)


def _unstyled(text: str) -> str:
    """As ASS writes it: neither a backslash nor a brace begins anything."""
    text = text.replace("\\", "\\" + WORD_JOINER).replace("{", "\\{").replace("}", "\\}")
    return text.replace("\n", "\\N")


def _clock(second: float, mark: str) -> str:
    whole, thousandths = divmod(round(1000 * second), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{thousandths:03}"


def _centiseconds(second: float) -> str:
    whole, hundredths = divmod(round(100 * second), 100)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{hundredths:02}"
