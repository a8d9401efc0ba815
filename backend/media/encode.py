"""Running ffmpeg, so that it ends when we do and its failures are sentences."""

import errno
import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO

from backend.errors import OutputError

Progress = Callable[[float], None]

ENCODE_FLAGS = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-progress", "pipe:1")
# What ffmpeg says after it has said what was wrong.
CONSEQUENCE = re.compile(
    r"Conversion failed|Error (opening|while filtering|sending)|\[(out|vost|aost)#.*(Terminating|Nothing)"
)


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
    # A session of its own: Ctrl-C in a terminal reaches us alone, and we decide what becomes of ffmpeg.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: deque[str] = deque(maxlen=40)
    listener = threading.Thread(target=_listen, args=(process.stderr, lines), daemon=True)
    listener.start()
    written = 0
    try:
        for raw in process.stdout:
            name, _, value = raw.decode("ascii", "replace").strip().partition("=")
            if name == "frame" and value.strip().isdigit():
                written = int(value)
                progress(min(1.0, written / wanted))
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        listener.join()
        process.stdout.close()
        process.stderr.close()
    if code:
        raise OutputError(why_failed(target, code, list(lines)))
    return written


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
    telling = [line for line in lines if not CONSEQUENCE.match(line)] or lines or ["no reason given"]
    return f"Cannot write {target.name!r}: ffmpeg says {telling[-1]!r}."
