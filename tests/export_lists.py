"""Lists of clips for tests of exports: random ones over all rates, and what a format can hold of their words."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from backend.exports.base import Clip, ClipList, Marker, Source
from backend.media.timecode import Timecode
from backend.media.timeline import Timeline

FILM, NTSC, NTSC60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
RATES = {
    "23.976": (FILM, False),
    "24": (Fraction(24), False),
    "25": (Fraction(25), False),
    "29.97": (NTSC, False),
    "29.97 drop": (NTSC, True),
    "30": (Fraction(30), False),
    "50": (Fraction(50), False),
    "59.94": (NTSC60, False),
    "59.94 drop": (NTSC60, True),
    "60": (Fraction(60), False),
}
DAY_S = 86_400
STARTS_S = (0, 59, 60, 599, 3599, 3600, 10 * 3600, DAY_S - 61, DAY_S - 1)
"""Around minutes where numbers are dropped, around hours, and before midnight."""
NAMES = st.one_of(
    st.sampled_from(
        (
            *("Kiss at the door", "", " two  spaces ", "=1+1", "'+A1", "-5", "@x", "a,b;c", 'say "no"', "<b>&amp;</b>"),
            *(
                "two\nlines",
                "tab\there",
                "\r\n",
                "bell\x07 nul\x00",
                "half \ud83d",
                "🎬 映画",
                "e\u0301",
                "\u2028\x85\x0b",
                "]]>",
            ),
            *("* LOC: 01:00:00:00 RED x", "SELECTS key=a film=b frames=1-2 edit=25", "FCM: DROP FRAME", "TITLE: x"),
        )
    ),
    st.text(max_size=12),
)
FOLDERS = ("/Volumes/Média & Co/", "/srv/media/", "E:\\Media\\", "\\\\nas\\share\\", "relative/")


@st.composite
def sources(draw: st.DrawFn, number: int, rate: Fraction | None = None, drop: bool = False) -> Source:
    """A film of the rate and counting, or of any."""
    if rate is None:
        rate, drop = RATES[draw(st.sampled_from(sorted(RATES)))]
    counting = Timecode.at_rate(rate, drop=drop)
    frames = draw(st.sampled_from((1, 2, 50, 4000, 200_000)))
    first = draw(st.sampled_from(STARTS_S)) * counting.nominal + draw(st.integers(-3, 3))
    name = draw(
        st.sampled_from(("feature.mov", "Feature film.MP4", "映画.mkv", 'a&b\'s "cut".mxf', "feature", "é\n.mov"))
    )
    path = f"{draw(st.sampled_from(FOLDERS))}{number}/{name}"
    return Source(
        f"{number}{draw(st.integers(0, 2**64)):063x}",
        name,
        f"/films/{number}/{name}",
        path,
        draw(NAMES),
        rate,
        frames,
        draw(st.none() | st.just(counting.format(first % counting.per_day))),
        channels=draw(st.sampled_from((0, 1, 2))),
        reel=draw(st.sampled_from(("", "", "A001", "A001_C002_0315", "feature"))),
        tape=draw(st.sampled_from(("", "", "Tape 7"))),
        timeline=draw(varying(rate, frames)) if frames <= 50 else None,
    )


@st.composite
def varying(draw: st.DrawFn, rate: Fraction, frames: int) -> Timeline | None:
    """Mostly nothing; else a table with frames that last between a third and three times as long as they should."""
    if draw(st.integers(0, 2)):
        return None
    steps = draw(st.lists(st.integers(300, 3000), min_size=frames, max_size=frames))
    pts = np.cumsum([0, *steps], dtype=np.int64)
    return Timeline(rate, frames, 1 / rate / 1000, pts)


@st.composite
def clips(draw: st.DrawFn, number: int, films: list[Source]) -> Clip:
    """A clip anywhere in one of the films; its ends are often the film's."""
    film = draw(st.sampled_from(films))
    start = draw(st.sampled_from((0, film.frames - 1)) | st.integers(0, film.frames - 1))
    end = draw(st.sampled_from((start + 1, film.frames)) | st.integers(start + 1, film.frames))
    scored = draw(st.booleans())
    score = st.floats(0, 1) if scored else st.none()
    placed = st.builds(Marker, st.integers(start, end - 1), NAMES)
    return Clip(
        f"k{number}:{draw(st.integers(0, 9))}",
        film,
        start,
        end,
        draw(NAMES),
        note=draw(NAMES),
        score=draw(score),
        viral=draw(score),
        compelling=draw(score),
        band=draw(st.sampled_from(("compelling", "good", "medium", "low"))) if scored else "",
        reasons=tuple(draw(st.lists(NAMES, max_size=2))),
        markers=tuple(draw(st.lists(placed, max_size=2))),
    )


@st.composite
def lists(draw: st.DrawFn, mixed: bool | None = None) -> ClipList:
    """A list of some clips of some films: of one rate (which an EDL wants), or of several."""
    rate, drop = RATES[draw(st.sampled_from(sorted(RATES)))]
    several = draw(st.booleans()) if mixed is None else mixed
    of_rate = {} if several else {"rate": rate}
    drops = st.booleans() if drop else st.just(False)
    films = [draw(sources(n, **of_rate, drop=draw(drops))) for n in range(draw(st.integers(1, 3)))]
    return ClipList(
        draw(st.integers(1, 99)),
        draw(NAMES),
        draw(NAMES),
        tuple(draw(clips(n, films)) for n in range(draw(st.integers(1, 4)))),
        rate,
        drop,
        draw(st.sampled_from((0, 0, 1, 12, 300))),
        draw(NAMES),
        "2026-11-22T10:00:00Z",
    )
