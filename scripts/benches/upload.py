"""How much memory an upload of 2 GiB takes: the server's peak above what it had before, and its time beside a copy.

A real film with a free box appended (MP4 allows one anywhere) is sent as a form, as a browser does, to `selects serve`.
The other side is reading the same file, summing and writing it.
"""

import argparse
import hashlib
import os
import shutil
import struct
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.parts import prepare  # noqa: E402
from backend.resources import Resources  # noqa: E402
from backend.settings import Settings  # noqa: E402
from scripts.benches._processes import answers, free_port, owners_client, start, wait  # noqa: E402

LIMIT_MIB = 200
PIECE_BYTES = 1 << 20


def run(args: list[str]) -> dict[str, Any]:
    """Send it and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench upload")
    asked.add_argument("--gib", type=float, default=2.0)
    options = asked.parse_args(args)
    shared = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared"))
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="selects-bench-")))
        film = _long_file(shared / "films" / "sintel_trailer_204p.mp4", folder, round(options.gib * (1 << 30)))
        home, port = folder / "home", free_port()
        resources = Resources(Settings(home=home))
        project = prepare(resources)
        resources.close()
        address = f"http://127.0.0.1:{port}"
        settings = {"SELECTS_HOME": home, "SELECTS_SERVER__PORT": port}
        server = start(held, (sys.executable, "-m", "backend", "serve"), settings, folder / "serve.log")
        wait(lambda: answers(f"{address}/health"))
        client = held.enter_context(owners_client(home, address))
        client.get("/api/movies").raise_for_status()
        copied_s = _copied(film, folder / "copy")
        idle = _memory_mib(server.pid, "VmRSS")
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak is counted from here
        begun = time.monotonic()
        with film.open("rb") as file:
            form = {"project": str(project)}
            answer = client.post("/api/movies", data=form, files={"file": (film.name, file)}, timeout=3600)
        took_s = time.monotonic() - begun
        answer.raise_for_status()
        peak = _memory_mib(server.pid, "VmHWM")
    above, ratio = peak - idle, took_s / copied_s
    lines = [
        f"{options.gib:g} GiB: {idle:.0f} MiB before, peak {above:.0f} MiB above that (wanted: below {LIMIT_MIB})",
        f"sent and kept in {took_s:.1f} s, {ratio:.1f} times reading, summing and writing it here ({copied_s:.1f} s)",
    ]
    return {"idle_mib": idle, "peak_mib": peak, "above_mib": above, "ratio": ratio, "lines": lines}


def _long_file(film: Path, folder: Path, size_bytes: int) -> Path:
    made = folder / film.name
    shutil.copy(film, made)
    with made.open("ab") as file:
        left = size_bytes - file.tell()
        file.write(struct.pack(">I4sQ", 1, b"free", left))
        left -= 16
        while left > 0:
            left -= file.write(os.urandom(min(left, PIECE_BYTES)))
    return made


def _copied(film: Path, to: Path) -> float:
    begun, total = time.monotonic(), hashlib.sha256()
    with film.open("rb") as source, to.open("wb") as target:
        while piece := source.read(PIECE_BYTES):
            total.update(piece)
            target.write(piece)
    to.unlink()
    return time.monotonic() - begun


def _memory_mib(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
