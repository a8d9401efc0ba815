"""Films by their genres, which are a list in one column."""

from typing import Any

from sqlalchemy import func, or_
from sqlmodel import exists


def has_genre(genres: Any, wanted: Any, dialect: str) -> Any:
    """Whether the column `genres` names any of those that are wanted, whatever their case.

    `wanted` is a list, or a parameter for one. SQLite knows the case of ASCII letters only: others must be the same.
    """
    listed = func.json_array_elements_text if dialect == "postgresql" else func.json_each
    each = listed(genres).table_valued("value")
    if isinstance(wanted, list):
        wanted = [form for name in wanted for form in (name.strip(), name.strip().lower())]
    return exists().select_from(each).where(or_(each.c.value.in_(wanted), func.lower(each.c.value).in_(wanted)))
