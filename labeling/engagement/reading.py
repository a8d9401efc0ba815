"""Rows of engagement out of JSON and CSV: values in, values out."""

from collections.abc import Callable
from functools import partial
from typing import Any

from labeling.engagement.shapes import FIELDS, EngagementNew
from labeling.sheets import BadRow, Row, read_csv, read_json, shaped

NEEDED = ("platform", "clip", "measured_at")
READERS: dict[str, Callable[[bytes], list[Row]]] = {
    "application/json": read_json,
    "text/csv": partial(read_csv, known=FIELDS, needed=NEEDED),
}
"""Content type → what reads it."""


def parsed(row: Row) -> EngagementNew | BadRow:
    """The row as it should be, or what is wrong with it."""
    return shaped(row, EngagementNew, _stripped)


def _stripped(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
