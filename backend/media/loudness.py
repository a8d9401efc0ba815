"""How loud a clip is, by EBU R 128, and what brings it to the wanted loudness: one factor, and a limiter where it must.

Not by ffmpeg's loudnorm, which follows the sound where peaks would be too high, and misses (docs/rendering.md). Here
the factor is corrected by what is measured behind the limiter.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backend.errors import OutputError

PEAK_DB = -1.0
AAC_ROOM_DB = 1.0
"""So far below it the limiter stays, since AAC moves peaks: measured on film sound, by up to 1 dB."""

QUIET_LUFS = -50.0
"""What is quieter than this is silence with noise, and stays as it is."""

NEAR_LU, ROUNDS, MOST_MORE_DB = 0.3, 6, 12.0
STEP = 1.5
"""What is added to the gain for what is missing: the limiter takes some of it away again."""

LESS = (0.0, 1 / 3, 2 / 3)
"""Where nothing else comes near: gains from the one that no peak needs holding for, up to the one that is missing."""

OVERSAMPLED_HZ, RATE_HZ = 192_000, 48_000
SAID = re.compile(r"Summary:.*?\bI:\s+(\S+) LUFS.*\bPeak:\s+(\S+) dBFS", re.DOTALL)


@dataclass(frozen=True)
class Loudness:
    """What is measured: loudness (LUFS) and true peak (dBTP)."""

    integrated: float
    peak: float


@dataclass(frozen=True)
class Level:
    """What is done to the sound: `gain_db`, and whether a limiter holds the peaks."""

    gain_db: float
    limited: bool


def level_for(wanted: float, measured: Callable[[Level | None], Loudness]) -> Level | None:
    """What brings a clip to `wanted` LUFS, by measuring it as it would become (None: as it is).

    None where there is nothing to be made louder: silence, or too short to be measured.
    """
    found = measured(None)
    if not found.integrated >= QUIET_LUFS:
        return None
    gain, fits = wanted - found.integrated, PEAK_DB - AAC_ROOM_DB - found.peak
    if gain <= fits:
        return Level(gain, limited=False)
    off: dict[Level, float] = {}
    level = Level(gain, limited=True)
    for _ in range(ROUNDS):
        off[level] = abs(missing := wanted - measured(level).integrated)
        better = min(level.gain_db + STEP * missing, gain + MOST_MORE_DB)
        if off[level] <= NEAR_LU or better == level.gain_db:
            break
        level = replace(level, gain_db=better)
    if min(off.values()) > NEAR_LU:
        # Less gain may be louder: what was too quiet to count begins to count, and the peaks are held anyway.
        for share in LESS:
            less = Level(fits + share * (gain - fits), limited=share > 0)
            off[less] = abs(wanted - measured(less).integrated)
    return min(off, key=lambda level: off[level])


def levelled(stream: Any, level: Level) -> Any:
    """The sound with `level` applied, not moved in time."""
    stream = stream.filter("volume", f"{level.gain_db:.2f}dB")
    if not level.limited:
        return stream
    # Peaks between samples are seen where there are more of them.
    limit = 10 ** ((PEAK_DB - AAC_ROOM_DB) / 20)
    stream = stream.filter("aresample", OVERSAMPLED_HZ)
    stream = stream.filter("alimiter", limit=f"{limit:.5f}", level="false", attack=5, release=50, latency="true")
    return stream.filter("aresample", RATE_HZ)


def measuring(stream: Any) -> Any:
    """The sound measured; ffmpeg's last words hold what `heard` reads."""
    return stream.filter("ebur128", peak="true", framelog="quiet")


def heard(words: Sequence[str]) -> Loudness:
    """What was measured, from ffmpeg's last words; raises OutputError where it said nothing."""
    found = SAID.search("\n".join(words))
    if not found:
        raise OutputError(f"ffmpeg did not say how loud the clip is: {words[-1] if words else 'nothing'!r}.")
    return Loudness(*map(float, found.groups()))
