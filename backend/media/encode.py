"""Running ffmpeg, so that it ends when we do and its failures are sentences."""

import errno
import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

from backend.child import bound, uninterrupted
from backend.errors import OutputError

Progress = Callable[[float], None]

FEED_FLAGS = ("-hide_banner", "-nostats", "-loglevel", "warning")
# So often it says how far it is, and with that asks whether to go on.
ENCODE_FLAGS = (*FEED_FLAGS, "-nostdin", "-progress", "pipe:1", "-stats_period", "0.2")
# It says what a filter has measured, too; among its last words.
MEASURE_FLAGS = (*ENCODE_FLAGS, "-loglevel", "info")
# What ffmpeg says after it has said what was wrong.
CONSEQUENCE = re.compile(
    r"Conversion failed|Last message repeated|Error (opening|while filtering|sending)"
    r"|\[(out|vist|aist|vost|aost|vf|af)#.*"
    r"(Terminating|Nothing|Task finished|Error while filtering|Decode error rate|before EOF)"
)

NO_PICTURE = "Could not open encoder before EOF"


class NothingDecoded(OutputError):
    """The film gave ffmpeg nothing to encode; the detail is what it says of that."""


def binary() -> str:
    """The ffmpeg that comes with imageio-ffmpeg; raises OutputError where there is none."""
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise OutputError("No ffmpeg was found; reinstall the package imageio-ffmpeg, which brings one.") from None


@lru_cache(maxsize=1)
def known_filters() -> frozenset[str]:
    """Names of the filters that this ffmpeg has."""
    command = [binary(), "-hide_banner", "-filters"]
    listing = subprocess.run(command, capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL).stdout
    return frozenset(line.split()[1] for line in listing.splitlines() if len(line.split()) > 2)


def encode(command: Sequence[str], target: Path, wanted: int, progress: Progress) -> int:
    """Run ffmpeg (with ENCODE_FLAGS) once; the number of frames it wrote. Killed if the caller is interrupted.

    `target` names the file in errors, `wanted` is the number of frames by which progress is measured. Raises
    OutputError.
    """
    written = 0
    with _running(command, target, subprocess.DEVNULL, subprocess.PIPE) as (process, _):
        for name, value in _told(process):
            if name == "frame" and value.isdigit():
                written = int(value)
                progress(min(1.0, written / wanted))
    return written


def measure(command: Sequence[str], target: Path, going_on: Callable[[], None]) -> list[str]:
    """Run ffmpeg (with MEASURE_FLAGS) once; its last words. Killed if `going_on`, asked often, raises.

    `target` names the file in errors. Raises OutputError.
    """
    with _running(command, target, subprocess.DEVNULL, subprocess.PIPE) as (process, lines):
        for _ in _told(process):
            going_on()
    return list(lines)


def feed(command: Sequence[str], target: Path, pieces: Iterable[bytes]) -> None:
    """Run ffmpeg (with FEED_FLAGS) once on what it is given through `pipe:0`. Killed if `pieces` or the caller fails.

    `target` names the file in errors. Raises OutputError.
    """
    with _running(command, target, subprocess.PIPE, subprocess.DEVNULL) as (process, _):
        assert process.stdin is not None
        # Where ffmpeg ends before its input does, its code and its last words say why.
        with suppress(BrokenPipeError):
            for piece in pieces:
                process.stdin.write(piece)
        with suppress(BrokenPipeError):
            process.stdin.close()


def _told(process: "subprocess.Popen[bytes]") -> Iterator[tuple[str, str]]:
    """What ffmpeg says of how far it is, name and value."""
    assert process.stdout is not None
    for raw in process.stdout:
        name, _, value = raw.decode("ascii", "replace").strip().partition("=")
        yield name, value.strip()


@contextmanager
def _running(
    command: Sequence[str], target: Path, stdin: int, stdout: int
) -> Iterator[tuple["subprocess.Popen[bytes]", deque[str]]]:
    """ffmpeg while the block talks to it, and its last words, all of them after the block, which waits for its end.

    Raises OutputError where it failed.
    """
    # A session of its own: Ctrl-C in a terminal reaches us alone, and we decide what becomes of ffmpeg.
    words = bound(command)
    lines: deque[str] = deque(maxlen=40)
    process = listener = None
    try:
        with uninterrupted():
            process = subprocess.Popen(
                words, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, start_new_session=True
            )
            assert process.stderr is not None
            listener = threading.Thread(target=_listen, args=(process.stderr, lines), daemon=True)
            listener.start()
        yield process, lines
        code = process.wait()
    finally:
        if process and listener:
            _end(process, listener)
    if code and any(NO_PICTURE in line for line in lines):
        raise NothingDecoded(_telling(list(lines)))
    if code:
        raise OutputError(why_failed(target, code, list(lines)))


def _end(process: "subprocess.Popen[bytes]", listener: threading.Thread) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    listener.join()
    for pipe in (process.stdin, process.stdout, process.stderr):
        with suppress(BrokenPipeError):
            if pipe is not None:
                pipe.close()


def _listen(stream: IO[bytes], lines: deque[str]) -> None:
    for raw in stream:
        if text := raw.decode("utf-8", "replace").strip():
            lines.append(text)


def why_failed(target: Path, code: int, lines: Sequence[str]) -> str:
    """One sentence from what ffmpeg said last."""
    if any(os.strerror(errno.ENOSPC) in line for line in lines):
        return f"Cannot write {target.name!r}: no space left in {str(target.parent)!r}."
    if code < 0:
        return f"Cannot write {target.name!r}: ffmpeg was stopped by signal {-code}."
    return f"Cannot write {target.name!r}: ffmpeg says {_telling(lines)!r}."


def _telling(lines: Sequence[str]) -> str:
    """The last line that says what was wrong."""
    return ([line for line in lines if not CONSEQUENCE.match(line)] or [*lines] or ["no reason given"])[-1]
