"""`python -m backend.probe [api|worker]`: exit code 0 where that part of this machine is well, 1 where it is not.

For health checks of containers, which have neither curl nor a name that others could ask. It runs every two seconds in
each container that starts, so it loads drivers of databases and not all of SQLAlchemy: 0.3 s of a core instead of 1.
"""

import socket
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from backend.jobs.timing import SILENT_S
from backend.settings import Settings, load_settings

LIMIT_S = 5.0
HEARD = "select count(*) from worker where state = 'alive' and host = {value} and beat >= {now} - {value}"


def api_answers(settings: Settings) -> bool:
    """Whether a server on this machine answers /health, where the settings say that it listens."""
    host = settings.server.host
    connection = HTTPConnection("127.0.0.1" if host in ("", "0.0.0.0", "::") else host, settings.server.port, LIMIT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def worker_beats(settings: Settings) -> bool:
    """Whether a worker of this machine was heard of just now, by the database's clock."""
    url, asked = settings.database_url, (socket.gethostname(), SILENT_S)
    try:
        return (_in_postgresql if url.startswith("postgresql") else _in_sqlite)(url, asked) > 0
    except (OSError, sqlite3.Error):
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


PROBES: dict[str, Callable[[Settings], bool]] = {"api": api_answers, "worker": worker_beats}


def main(arguments: Sequence[str]) -> int:
    """Ask the part that is named, by default the API; 2 for an unknown name."""
    part = arguments[0] if arguments else "api"
    if part not in PROBES:
        sys.stderr.write(f"Unknown part {part!r}; known: {', '.join(PROBES)}.\n")
        return 2
    return 0 if PROBES[part](load_settings()) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
