"""Rows of clusters: places and people, what lies in them, and what people corrected, which is law.

An item is known by a `key` that outlives an analysis: `sha256:frame` for a shot, `sha256:frame:x:y` (middle of the
face, shares of the picture, four digits) for an appearance. Corrections and links name items by it.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now

Kind = Literal["scene", "character"]
KINDS: tuple[Kind, ...] = ("scene", "character")

What = Literal["move", "remove", "new", "merge", "split", "rename", "more", "undo"]


def _of_project(*, primary_key: bool = False) -> Any:
    key = ForeignKey("project.id", ondelete="CASCADE")
    if primary_key:
        return Field(sa_column=Column(key, primary_key=True, autoincrement=False))
    return Field(sa_column=Column(key, nullable=False, index=True))


def _json(default: type[list[Any]] | type[dict[str, Any]]) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def _moment() -> Any:
    return Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


class Clustering(SQLModel, table=True):
    """How the items of a kind were clustered last in a project. Its row is the lock of whoever changes clusters.

    generation  grows with each change of what lies where
    version     the metric head that the vectors went through, None for the plain embedding
    full        how many items there were when all were clustered anew; those that came since were added to that
    """

    project_id: int = _of_project(primary_key=True)
    kind: str = Field(primary_key=True)
    generation: int = 0
    space: str = ""
    version: str | None = None
    full: int = 0
    made_at: datetime = _moment()


class Cluster(SQLModel, table=True):
    """Shots that show one setting ("scene"), or appearances of one person ("character").

    name         what people call it, "" until somebody does; who is named keeps row and name for ever
    merged_into  where it went by a merge; None for one that is there
    gone         nothing is left of it, and nobody has named it: kept for undo alone
    cover_id     the item that stands for it
    size, screen_time_s, cohesion   how many items, how long they last, how alike they are (0 to 1)
    """

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = _of_project()
    kind: str
    name: str = ""
    named_by: str = ""
    merged_into: int | None = None
    gone: bool = False
    cover_id: int | None = None
    size: int = 0
    screen_time_s: float = 0.0
    cohesion: float = 0.0
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class ClusterItem(SQLModel, table=True):
    """What is clustered: a shot, or one person as they are followed through a shot.

    track       0, 1, … within the shot; -1 for a shot
    frame       the keyframe that shows it best; x, y, width, height: the face in it (shares of the picture), else 0
    faces       places of its faces in the shot's list in the feature file; empty for a shot
    seconds     how long it is on the screen
    cluster_id  None: noise
    origin_id   the cluster that it was put into, if that was merged into `cluster_id`; else it says nothing
    confidence  0 to 1, how surely it belongs there
    held        somebody has put it there; no machine moves it
    placed      it was clustered once; before that it waits among noise
    """

    __table_args__ = (
        UniqueConstraint("movie_id", "kind", "shot", "track"),
        Index("clusteritem_by_key", "project_id", "kind", "key"),
        Index("clusteritem_of_cluster", "project_id", "kind", "cluster_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False))
    kind: str
    movie_id: int = Field(sa_column=Column(ForeignKey("movie.id", ondelete="CASCADE"), nullable=False))
    shot: int
    track: int = -1
    key: str
    frame: int
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    faces: list[int] = _json(list)
    seconds: float = 0.0
    cluster_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("cluster.id", ondelete="SET NULL"), nullable=True)
    )
    origin_id: int | None = None
    confidence: float = 0.0
    held: bool = False
    placed: bool = False


class Correction(SQLModel, table=True):
    """What a person changed; rows are only ever added, taking one back is a new row.

    cluster_id   where items went to, or what was renamed; None for noise
    before       where each item was (before clusters became one), whether it was held there, and how surely it was
                 there: key → [cluster id or None, held, confidence]; also of items that stand for a cluster since
    facts        what else undoing needs, and what is said of it:
                 items   how many items were named
                 to      where items went that did not go to `cluster_id`: [[cluster id or None, [key, …]], …]
                 names   cluster id → [name before, name after, who had named it, who named it]
                 merged  clusters that became `cluster_id`
                 of      the correction that this does more of
    undoes_id    the correction that this one takes back
    """

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = _of_project()
    kind: str
    what: str
    cluster_id: int | None = None
    before: dict[str, Any] = _json(dict)
    facts: dict[str, Any] = _json(dict)
    by: str = ""
    at: datetime = _moment()
    undoes_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("correction.id", ondelete="CASCADE"), nullable=True, unique=True)
    )


class Link(SQLModel, table=True):
    """Two items that belong together (`must`), or do not.

    one         the item of which it was said; `item_id` is the one that this key names since the film's last analysis
    other       what stood for the cluster then, "" where it was empty; where that goes later says nothing of `one`
    cluster_id  the cluster that `one` was put into, or is not to be in; None where two clusters were said to be one
    ended_by    the correction that took it back or said otherwise later; None while it holds
    """

    __table_args__ = (Index("link_that_holds", "project_id", "kind", "ended_by"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False))
    kind: str
    correction_id: int = Field(
        sa_column=Column(ForeignKey("correction.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    must: bool
    one: str
    other: str
    item_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("clusteritem.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    cluster_id: int | None = None
    ended_by: int | None = None


class FeedbackPair(SQLModel, table=True):
    """What a correction teaches: `anchor` is more like `positive` than like `negative`; the latter may be ""."""

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = _of_project()
    kind: str
    correction_id: int = Field(
        sa_column=Column(ForeignKey("correction.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    anchor: str
    positive: str
    negative: str = ""
