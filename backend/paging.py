"""Lists are given in parts."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Paged(BaseModel, Generic[T]):
    """A part of a list. `next` is the offset of the part that follows, null at the end."""

    items: list[T]
    total: int = Field(ge=0)
    next: int | None = None


def paged(items: list[T], total: int, offset: int) -> Paged[T]:
    """The part that begins at `offset`, of a list of `total`."""
    end = offset + len(items)
    return Paged[T](items=items, total=total, next=end if items and end < total else None)
