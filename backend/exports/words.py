"""Names, notes and scores as files can hold them."""

import re
from math import isfinite

UNWRITABLE = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to write, and half characters that names of files can have."""


def clean(text: str) -> str:
    """The text without what no file format here can hold; lines stay lines."""
    return UNWRITABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """The text in one line, single spaces between its words."""
    return " ".join(clean(text).split())


def as_score(value: float | None) -> float | None:
    """A score, or None where it is no number."""
    return value if value is not None and isfinite(value) else None
