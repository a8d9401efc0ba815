"""Logs of the service: lines of JSON with job and movie ids; on a terminal, lines for people. Secrets never get in."""

import io
import logging
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from backend.security import redact_event

LOUD = ("alembic", "dbos", "httpx", "uvicorn.error", "apscheduler")


class _Heard(io.TextIOBase):
    """Standard error, of which nobody may be left to read (a closed terminal, a pipe): no work fails for that."""

    def write(self, said: str) -> int:
        with suppress(OSError):
            sys.stderr.write(said)
        return len(said)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def set_up_logs(part: str, least: int = logging.INFO) -> None:
    """Send what this process logs to standard error, from `least` on; `part` is named in each line."""

    def named(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        event["part"] = part
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
    ]
    people, heard = sys.stderr.isatty(), _Heard()
    # Exceptions are made text before secrets are taken out, for people too.
    last: list[Any] = [
        structlog.processors.format_exc_info,
        redact_event,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if people
        else structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, heard)),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(heard)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
    # DBOS gives itself one that writes in its own way where it has none.
    dbos = logging.getLogger("dbos")
    dbos.handlers, dbos.propagate = [handler], False
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
