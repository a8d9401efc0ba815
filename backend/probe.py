"""`python -m backend.probe [api [PORT] | worker [FILE]]`: exit code 0 where that part of this machine is well, else 1.

For health checks of containers, which have neither curl nor a name that others could ask. It runs every second in each
container that starts, so it loads next to nothing: with a port, or the file that a worker touches whenever its
heartbeat is in the database (`SELECTS_JOBS__BEAT_FILE`), not even the settings. Without, it goes by the settings.
"""

import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from backend.jobs.timing import SILENT_S

if TYPE_CHECKING:
    from backend.settings import Settings

LIMIT_S = 5.0
HEARD = "select count(*) from worker where state = 'alive' and host = {value} and beat >= {now} - {value}"


def api_well(port: str) -> bool:
    """Whether a server answers /health on this port, by default on the one that the settings name."""
    if port:
        return _answers("127.0.0.1", int(port))
    server = _settings().server
    return _answers("127.0.0.1" if server.host in ("", "0.0.0.0", "::") else server.host, server.port)


def worker_well(file: str) -> bool:
    """Whether a worker has touched this file just now; without a name, whether the database has heard of one here."""
    if not file:
        return worker_beats(_settings())
    try:
        return time.time() - Path(file).stat().st_mtime < SILENT_S
    except OSError:
        return False


def worker_beats(settings: "Settings") -> bool:
    """Whether a worker of this machine was heard of just now, by the database's clock."""
    url, asked = settings.database_url, (socket.gethostname(), SILENT_S)
    try:
        return (_in_postgresql if url.startswith("postgresql") else _in_sqlite)(url, asked) > 0
    except (OSError, sqlite3.Error):
        return False


def _settings() -> "Settings":
    from backend.settings import load_settings

    return load_settings()


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), LIMIT_S) as asked:
            asked.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            with asked.makefile("rb") as said:
                return said.readline(100).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


def _in_postgresql(url: str, asked: tuple[str, float]) -> int:
    import psycopg

    try:
        with psycopg.connect(
            url.replace("postgresql+psycopg:", "postgresql:", 1), connect_timeout=int(LIMIT_S)
        ) as asks:
            now = "extract(epoch from clock_timestamp())::float"
            row = asks.execute(HEARD.format(now=now, value="%s"), asked).fetchone()
    except psycopg.Error:
        return 0
    return row[0] if row else 0


def _in_sqlite(url: str, asked: tuple[str, float]) -> int:
    file = Path(url.removeprefix("sqlite:///")).resolve()
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=LIMIT_S)) as asks:
        now = "((julianday('now') - 2440587.5) * 86400.0)"
        found: tuple[int] = asks.execute(HEARD.format(now=now, value="?"), asked).fetchone()
    return found[0]


PROBES: dict[str, Callable[[str], bool]] = {"api": api_well, "worker": worker_well}


def main(arguments: Sequence[str]) -> int:
    """Ask the part that is named, by default the API; 2 for an unknown name."""
    part, where = (*arguments, "", "")[:2]
    if part and part not in PROBES:
        sys.stderr.write(f"Unknown part {part!r}; known: {', '.join(PROBES)}.\n")
        return 2
    return 0 if PROBES[part or "api"](where) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
