"""Cells of a CSV that a spreadsheet shows as they are."""

import re
from typing import Any

FORMULA, QUOTED = re.compile(r"'*[=+\-@\t\r]"), re.compile(r"'+[=+\-@\t\r]")


def cell(value: Any) -> Any:
    """Spreadsheets take a text that begins like a formula for one; behind an apostrophe it stays a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def plain(text: str) -> str:
    """The text of a cell, without the apostrophe that `cell` put before it."""
    return text[1:] if QUOTED.match(text) else text
