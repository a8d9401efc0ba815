"""What is kept of a film between runs: the scan with its pictures, the sound, the words of a text track; each whole."""

import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from backend.analysis.checksum import checksums_file, film_checksum
from backend.errors import FilmUnreadable
from backend.files import write_atomically
from backend.media.audio import Sound
from backend.media.lines import Line
from backend.media.probe import Probe
from backend.media.scan import Scan
from backend.media.subtitles import read_track
from backend.media.timeline import Timeline
from backend.store.media import present, remove

CHANGED = "it was changed while it was analysed; try again when it is whole"
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)
SCAN_VERSION = 2
SOUND_VERSION = 2
LINES_VERSION = 1
TRANSCRIPT_VERSION = 1


@dataclass(frozen=True)
class Heard:
    """The sound of a film with the intervals of speech, float64 [K, 2] seconds, and what was wrong with it."""

    sound: Sound
    speech_s: np.ndarray[Any, np.dtype[np.float64]]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilmCache:
    """The folder of one film, `HOME/films/<sha256>`; `film` is the file, where that is read to fill it."""

    folder: Path
    film: Path | None = None

    @property
    def sha256(self) -> str:
        """The film's checksum."""
        return self.folder.name

    def require_same(self) -> None:
        """Raise FilmUnreadable where the file has another checksum by now: asked before anything is kept.

        A film may be replaced while it is read, or still be on its way to where it lies.
        """
        if self.film and film_checksum(self.film, checksums_file(self.folder.parent.parent)) != self.sha256:
            raise FilmUnreadable(self.film.name, CHANGED)

    def scan_folder(self, key: str) -> Path:
        """Where the scan made with these settings (`key`) and its pictures lie."""
        return self.folder / f"scan-v{SCAN_VERSION}-{key}"

    def stored_scan(self, key: str) -> Path:
        """The same, to be read: with all that is in it, if it was ever made."""
        return present(self.scan_folder(key), folder=True)

    def load_scan(self, key: str) -> Scan | None:
        """The stored scan, or None where there is none; one that cannot be read is removed to make room."""
        folder = self.stored_scan(key)
        if not folder.is_dir():
            return None
        try:
            facts = json.loads((folder / "scan.json").read_text())
            with (folder / "scan.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return _scan(facts, {name: arrays[name] for name in arrays.files})
        except UNREADABLE:
            self.discard_scan(key)
            return None

    def load_times(self, key: str) -> tuple[Timeline, bool] | None:
        """Of the stored scan only where frames lie in time, and whether they can be sought; None without one."""
        folder = self.stored_scan(key)
        try:
            facts = json.loads((folder / "scan.json").read_text())
            line, seekable = facts["timeline"], bool(facts["seekable"])
            if line["time_base"] is None:
                return _timeline(line, None), seekable
            with (folder / "scan.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return _timeline(line, arrays["pts"]), seekable
        except UNREADABLE:
            return None

    def discard_scan(self, key: str) -> None:
        """Make room for a new scan where the stored one is damaged."""
        remove(self.scan_folder(key))

    def load_sound(self, track: int = 0) -> Heard | None:
        """The stored sound of an audio track, or None."""
        try:
            with present(self._sound_path(track)).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                facts = json.loads(str(arrays["facts"]))
                sound = Sound(
                    arrays["log_mel"], arrays["loudness_db"], arrays["onsets"], arrays["music"], facts["tempo_bpm"]
                )
                return Heard(sound, arrays["speech_s"], tuple(facts["warnings"]))
        except UNREADABLE:
            return None

    def save_sound(self, heard: Heard, track: int = 0) -> None:
        """Keep the sound of an audio track; raises OutputError."""
        import io

        buffer, sound = io.BytesIO(), heard.sound
        facts = json.dumps({"tempo_bpm": sound.tempo_bpm, "warnings": heard.warnings})
        np.savez(
            buffer,
            facts=np.array(facts),
            speech_s=heard.speech_s,
            log_mel=sound.log_mel,
            loudness_db=sound.loudness_db,
            onsets=sound.onsets,
            music=sound.music,
        )
        write_atomically(self._sound_path(track), buffer.getvalue())

    def track_lines(self, probe: Probe) -> tuple[Line, ...]:
        """The lines of the film's text track: reading them means reading the whole file, so they are kept."""
        return self._lines(f"lines-v{LINES_VERSION}.json", lambda: read_track(probe))

    def transcript(self, make: Callable[[], tuple[Line, ...]], stamp: str, track: int = 0) -> tuple[Line, ...]:
        """The lines that the speech recognition called `stamp` understood of an audio track, made once."""
        return self._lines(f"transcript-v{TRANSCRIPT_VERSION}-{stamp}{_of_track(track)}.json", make)

    def _lines(self, name: str, make: Callable[[], tuple[Line, ...]]) -> tuple[Line, ...]:
        path = present(self.folder / name)
        try:
            return tuple(Line(float(start), float(end), str(text)) for start, end, text in json.loads(path.read_text()))
        except UNREADABLE:
            lines = make()
            self.require_same()
            write_atomically(path, json.dumps([astuple(line) for line in lines]).encode())
            return lines

    def _sound_path(self, track: int) -> Path:
        return self.folder / f"sound-v{SOUND_VERSION}{_of_track(track)}.npz"


def _of_track(track: int) -> str:
    return f"-track{track}" if track else ""


def save_scan(folder: Path, scan: Scan) -> None:
    """Write the scan into a folder that is still temporary."""
    facts = asdict(scan)
    for array in ("shots", "signals", "fingerprints", "lettering", "titles"):
        del facts[array]
    line = scan.timeline
    facts["timeline"] = {
        "rate": str(line.rate),
        "frames": line.frames,
        "time_base": None if line.time_base is None else str(line.time_base),
    }
    pts = np.zeros(0, np.int64) if line.pts is None else line.pts
    np.savez_compressed(
        folder / "scan.npz",
        shots=scan.shots,
        signals=scan.signals.astype(np.float16),
        fingerprints=scan.fingerprints,
        lettering=scan.lettering,
        titles=scan.titles,
        pts=pts,
    )
    (folder / "scan.json").write_text(json.dumps(facts))


def _scan(facts: dict[str, Any], arrays: dict[str, Any]) -> Scan:
    timeline = _timeline(facts["timeline"], arrays["pts"])
    keyframes: Sequence[Sequence[int]] = facts["keyframes"]
    return Scan(
        timeline=timeline,
        shots=arrays["shots"],
        signals=arrays["signals"].astype(np.float32),
        fingerprints=arrays["fingerprints"],
        lettering=arrays["lettering"],
        titles=arrays["titles"],
        keyframes=tuple(tuple(shot) for shot in keyframes),
        rotation_degrees=facts["rotation_degrees"],
        interlaced=facts["interlaced"],
        seekable=facts["seekable"],
        warnings=tuple(facts["warnings"]),
    )


def _timeline(line: dict[str, Any], pts: Any) -> Timeline:
    if line["time_base"] is None:
        return Timeline(Fraction(line["rate"]), line["frames"])
    return Timeline(Fraction(line["rate"]), line["frames"], Fraction(line["time_base"]), pts)
