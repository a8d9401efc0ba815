"""Logs of the service: lines of JSON with job and movie ids; on a terminal, lines for people. Secrets never get in."""

import logging
import sys
from typing import Any

import structlog

from backend.security import redact_event

LOUD = ("alembic", "dbos", "httpx", "uvicorn.error", "apscheduler")


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
    people = sys.stderr.isatty()
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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
