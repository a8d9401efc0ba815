"""`python -m backend.probe [api|worker]`: exit code 0 where that part of this machine is well, 1 where it is not.

For health checks of containers, which have neither curl nor a name that others could ask.
"""

import sys
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException

from backend.settings import Settings, load_settings

LIMIT_S = 5.0


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
    import socket

    from sqlalchemy.exc import SQLAlchemyError
    from sqlmodel import Session

    from backend.database import make_engine, reading
    from backend.jobs.liveness import serving

    engine = make_engine(settings.database_url)
    try:
        with Session(reading(engine)) as session:
            return serving(session, host=socket.gethostname()).total() > 0
    except SQLAlchemyError:
        return False
    finally:
        engine.dispose()


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
