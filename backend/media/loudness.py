"""How loud a clip is, by EBU R 128, and what brings it to the wanted loudness: one factor, and a limiter where it must.

Not by ffmpeg's loudnorm, which follows the sound where peaks would be too high, and misses (docs/rendering.md). Here
the factor is corrected by what is measured behind the limiter.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.errors import OutputError

PEAK_DB = -1.0
AAC_ROOM_DB = 1.0
"""So far below it the limiter stays at first, since AAC moves peaks: on most film sound by up to 1 dB."""

TRIES = 4
"""So often it is encoded, where that makes peaks too high or sound quieter than it was."""

QUIET_LUFS = -50.0
"""What is quieter than this is silence with noise, and stays as it is."""

NEAR_LU, ROUNDS, MOST_MORE_DB = 0.3, 6, 12.0
STEP = 1.5
"""What is added to the gain for what is missing: the limiter takes some of it away again."""

TOLD_LU, NEAR_PEAK_DB = 1.0, 3.0
"""Who asked for a loudness is told of a miss by more; peaks so near to PEAK_DB are the reason."""

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
    """What is done to the sound: `gain_db`, and whether a limiter holds the peaks, `room_db` below PEAK_DB."""

    gain_db: float
    limited: bool
    room_db: float = AAC_ROOM_DB


def level_for(
    wanted: float, measured: Callable[[Level | None], Loudness], encoded: Callable[[Level], Loudness]
) -> Level | None:
    """What brings a clip to `wanted` LUFS, by measuring it as it would become (None: as it is).

    measured  before it is encoded
    encoded   behind the encoder, which moves peaks and loses sound: that is made up for

    None where there is nothing to be made louder: silence, or too short to be measured.
    """
    found = measured(None)
    if not found.integrated >= QUIET_LUFS:
        return None
    room_db, lost, off = AAC_ROOM_DB, 0.0, dict[Level, tuple[float, float]]()
    for _ in range(TRIES):
        level, came = _nearest(wanted + lost, found, room_db, measured)
        heard = encoded(level)
        over, missing = heard.peak - PEAK_DB, wanted - heard.integrated
        off[level] = max(0.0, over), abs(missing)
        # Room that the encoder did not need is given back where there is something to be gained by it.
        room = room_db + over if over > 0 or (level.limited and missing > NEAR_LU) else room_db
        before, lost = lost, came - heard.integrated
        if over <= 0 and (abs(missing) <= NEAR_LU or max(abs(lost - before), room_db - room) <= NEAR_LU):
            break
        room_db = max(0.0, room)
    return min(off, key=lambda level: off[level])


def _nearest(
    wanted: float, found: Loudness, room_db: float, measured: Callable[[Level], Loudness]
) -> tuple[Level, float]:
    """The level that comes nearest with peaks `room_db` below PEAK_DB, and how loud it makes the clip.

    `found` is what the clip is without any.
    """
    gain, fits = wanted - found.integrated, PEAK_DB - room_db - found.peak
    if gain <= fits:
        return Level(gain, False, room_db), wanted
    came: dict[Level, float] = {}
    level = Level(gain, True, room_db)
    for _ in range(ROUNDS):
        came[level] = measured(level).integrated
        missing = wanted - came[level]
        better = min(level.gain_db + STEP * missing, gain + MOST_MORE_DB)
        if abs(missing) <= NEAR_LU or better == level.gain_db:
            break
        level = Level(better, True, room_db)
    if all(abs(wanted - each) > NEAR_LU for each in came.values()):
        # Less gain may be louder: what was too quiet to count begins to count, and the peaks are held anyway.
        for share in LESS:
            less = Level(fits + share * (gain - fits), share > 0, room_db)
            came[less] = measured(less).integrated
    return min(came.items(), key=lambda each: abs(wanted - each[1]))


def levelled(stream: Any, level: Level) -> Any:
    """The sound with `level` applied, not moved in time."""
    stream = stream.filter("volume", f"{level.gain_db:.2f}dB")
    if not level.limited:
        return stream
    # Peaks between samples are seen where there are more of them.
    limit = 10 ** ((PEAK_DB - level.room_db) / 20)
    stream = stream.filter("aresample", OVERSAMPLED_HZ)
    stream = stream.filter("alimiter", limit=f"{limit:.5f}", level="false", attack=5, release=50, latency="true")
    return stream.filter("aresample", RATE_HZ)


def told(wanted: float, found: Loudness) -> str:
    """In words how a clip that is to be `wanted` LUFS loud misses that; nothing where it does not."""
    if not found.integrated >= QUIET_LUFS + NEAR_LU:
        return f"It is silent, too quiet or too short to be made {_lufs(wanted)} loud; its sound is as the film has it."
    missing, said = wanted - found.integrated, f"It is {_lufs(found.integrated)} loud and not {_lufs(wanted)}"
    if abs(missing) <= TOLD_LU:
        return ""
    if missing < 0 or found.peak < PEAK_DB - NEAR_PEAK_DB:
        return f"{said}."
    peaks = f"its peaks are short, and as high as they may be ({PEAK_DB:g} dBTP)".replace("-", "−")
    return f"{said}: {peaks}; more gain would only lift what is quiet between them."


def _lufs(value: float) -> str:
    return f"{value:.1f} LUFS".replace("-", "−").replace(".0 ", " ")


def measuring(stream: Any) -> Any:
    """The sound measured; ffmpeg's last words hold what `heard` reads."""
    return stream.filter("ebur128", peak="true", framelog="quiet")


def heard(words: Sequence[str]) -> Loudness:
    """What was measured, from ffmpeg's last words; raises OutputError where it said nothing."""
    found = SAID.search("\n".join(words))
    if not found:
        raise OutputError(f"ffmpeg did not say how loud the clip is: {words[-1] if words else 'nothing'!r}.")
    return Loudness(*map(float, found.groups()))
