"""What people said is law: random corrections, re-clusterings and undos in any order, held against the list of what
was said, which is kept here in plain Python.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from backend.clusters.clustering import locked
from backend.clusters.figures import refigure
from backend.clusters.grouping import NOISE, Grouped, new_cluster
from backend.clusters.law import obey
from backend.clusters.links import law_of
from backend.clusters.models import Cluster, Link
from backend.clusters.placing import Seen, rows_by_id, write
from backend.clusters.shapes import Corrected
from backend.clusters.vectors import vectors_of
from backend.resources import Resources
from backend.settings import Settings
from tests.chance import examples
from tests.grouped import table

SIZES = [6, 5, 4, 3]
NOISE_ITEMS = 4
ITEMS = sum(SIZES) + NOISE_ITEMS
NAMES = ["", "Kitchen", "Hall", "Garden"]

CORRECTIONS = ["move", "remove", "new", "split", "merge", "rename"]
OTHERS = ["undo", "undo", "undo", "regroup", "regroup"]
# Nothing is shrunk: that would take minutes of a database's time.
ALIKE = settings(
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

some = st.lists(st.integers(0, ITEMS - 1), min_size=1, max_size=5, unique=True)
any_one = st.integers(0, 1000)


Lies = dict[int, tuple[int | None, bool]]


@dataclass
class Word:
    """A correction as it was said: where items are (None: put out), what they left, names, what became one."""

    id: int
    places: dict[int, int | None] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)


class Record:
    """All that was said and not taken back, in order."""

    def __init__(self) -> None:
        self.words: list[Word] = []

    def today(self, cluster: int) -> int:
        into = {one: other for word in self.words for one, other in word.merged.items()}
        while cluster in into:
            cluster = into[cluster]
        return cluster

    def place(self, item: int) -> int | None:
        """Where the item is, by the last word about it."""
        last = next((word.places[item] for word in reversed(self.words) if item in word.places), None)
        return None if last is None else self.today(last)

    def closed(self, item: int) -> set[int]:
        """Clusters that it is not to be in."""
        found = {self.today(word.left[item]) for word in self.words if item in word.left}
        return found - {self.place(item)}

    def name(self, cluster: int) -> str:
        return next((word.names[cluster] for word in reversed(self.words) if cluster in word.names), "")


@contextmanager
def house(url: str) -> Iterator[Resources]:
    with TemporaryDirectory() as folder:
        resources = Resources(Settings(home=Path(folder), database={"url": url}))
        yield resources
        resources.close()


class Walk:
    """A project that is corrected and clustered anew, with the record of what was said."""

    def __init__(self, resources: Resources) -> None:
        self.table, of = table(resources, SIZES, NOISE_ITEMS)
        self.items = [item for each in of for item in each]
        self.record = Record()
        self.done: list[Corrected] = []
        self.seen: tuple[Lies, dict[int, Cluster]] | None = None

    def look(self) -> tuple[Lies, dict[int, Cluster]]:
        """Where each item lies and all rows of clusters, read once between two steps."""
        self.seen = self.seen or (self.table.lies(), self.table.clusters())
        return self.seen

    def clusters(self) -> list[int]:
        """Those that are there."""
        return [number for number, row in self.look()[1].items() if row.merged_into is None and not row.gone]

    def members(self, cluster: int) -> list[int]:
        return [item for item, (where, _) in self.look()[0].items() if where == cluster]

    def stands(self, done: Corrected) -> bool:
        return any(word.id == done.correction.id for word in self.record.words)

    def say(self, done: Corrected, **said: Any) -> None:
        """Put a correction down, with the items that it chose to stand for clusters."""
        word = Word(done.correction.id, **said)
        with self.table.session() as session:
            own = col(Link.correction_id) == word.id, col(Link.must), col(Link.cluster_id).is_not(None)
            links = session.exec(select(Link).where(*own)).all()
        for link in links:
            word.places.setdefault(link.item_id or 0, link.cluster_id)
        self.record.words.append(word)
        self.done.append(done)
        self.seen = None

    def move(self, cluster: int, items: Sequence[int]) -> None:
        before = self.look()[0]
        items = [item for item in items if before[item] != (cluster, True)]
        if not items:
            return
        done = self.table.move(cluster, *items)
        left = {item: was for item in items if (was := before[item][0]) is not None and was != cluster}
        self.say(done, places=dict.fromkeys(items, cluster), left=left)

    def remove(self, cluster: int, items: Sequence[int]) -> None:
        done = self.table.remove(cluster, *items)
        self.say(done, places=dict.fromkeys(items), left=dict.fromkeys(items, cluster))

    def new(self, items: Sequence[int], name: str) -> None:
        before = self.look()[0]
        done = self.table.new(*items, name=name)
        made = done.correction.cluster or 0
        left = {item: was for item in items if (was := before[item][0]) is not None}
        self.say(done, places=dict.fromkeys(items, made), left=left, names={made: name} if name else {})

    def split(self, cluster: int, items: Sequence[int], name: str) -> None:
        done = self.table.split(cluster, *items, name=name)
        made = done.correction.cluster or 0
        places, left = dict.fromkeys(items, made), dict.fromkeys(items, cluster)
        self.say(done, places=places, left=left, names={made: name} if name else {})

    def merge(self, into: int, others: Sequence[int]) -> None:
        names = [self.record.name(cluster) for cluster in others]
        done = self.table.merge(into, *others)
        name = next((each for each in names if each), "")
        names_then = {into: name} if name and not self.record.name(into) else {}
        self.say(done, merged=dict.fromkeys(others, into), names=names_then)

    def rename(self, cluster: int, name: str) -> None:
        self.say(self.table.rename(cluster, name), names={cluster: name})

    def undo(self, number: int) -> None:
        done = self.done[number]
        self.table.undo(done)
        self.seen = None
        self.record.words = [word for word in self.record.words if word.id != done.correction.id]

    def regroup(self, chance: int) -> None:
        """As a machine does: groups by chance, the law over them, and what has changed is written."""
        rng = np.random.default_rng(chance)
        # A machine knows a cluster by what lies in it: it puts nothing into an empty one.
        table, known = self.table, {where for where, _ in self.look()[0].values() if where is not None}
        choices = [NOISE, *sorted(known), new_cluster(0), new_cluster(1)]
        with table.session() as session:
            clustering = locked(session, table.project, table.kind)
            vectors = vectors_of(session, table.resources, table.project, table.kind)
            rows = rows_by_id(session, table.project, table.kind, vectors)
            law = law_of(session, table.project, table.kind, rows)
            near = rng.normal(size=(len(rows), 8)).astype(np.float32)
            near /= np.linalg.norm(near, axis=1, keepdims=True)
            found = Grouped(rng.choice(choices, len(rows)), rng.random(len(rows)).astype(np.float32))
            seen = Seen(clustering, rows, law, vectors, vectors, np.zeros(0, np.int64))
            touched = write(session, seen, obey(found, near, law), clustering)
            refigure(session, table.resources, table.project, table.kind, touched, vectors)
            session.commit()
        self.seen = None

    def check(self) -> None:
        """Nothing that was said is broken."""
        (lies, clusters), record = self.look(), self.record
        assert sorted(lies) == self.items, "none is lost"
        for item, (where, held) in lies.items():
            said = record.place(item)
            if said is not None:
                assert (where, held) == (said, True), f"{item} was put into {said}"
            assert where not in record.closed(item), f"{item} is not to be in {where}"
            assert where is None or clusters[where].merged_into is None
        for number, row in clusters.items():
            size = sum(where == number for where, _ in lies.values())
            assert row.name == record.name(number)
            assert (row.merged_into is not None) == (record.today(number) != number)
            assert row.size == size
            assert row.gone == (size == 0 and (row.merged_into is not None or not row.name))
        self.check_links(lies)

    def check_links(self, lies: Lies) -> None:
        with self.table.session() as session:
            own = col(Link.project_id) == self.table.project, col(Link.cluster_id).is_not(None)
            links = session.exec(select(Link).where(*own, col(Link.ended_by).is_(None))).all()
            standing = {word.id for word in self.record.words}
            for link in links:
                assert link.correction_id in standing
                here = self.record.today(link.cluster_id or 0)
                if link.must:
                    assert lies[link.item_id or 0] == (here, True)
                else:
                    assert lies[link.item_id or 0][0] != here


def step(walk: Walk, what: str, at: int, items: Sequence[int]) -> None:
    """One step; `at` chooses the cluster or the correction, `items` those that are named, or how many."""
    name, of, count = NAMES[at % len(NAMES)], walk.clusters(), len(items)
    cluster = of[at % len(of)]
    lies = {each: walk.members(each) for each in of} if what in ("remove", "split") else {}
    large = [each for each in of if len(lies.get(each, ())) > count] or [None]
    full = large[at % len(large)]
    named = [walk.items[item] for item in items]
    others = sorted({of[item % len(of)] for item in items[:2]} - {cluster})
    open_ = [number for number, done in enumerate(walk.done) if walk.stands(done)]
    if what == "move":
        walk.move(cluster, named)
    elif what == "remove" and full:
        walk.remove(full, lies[full][:count])
    elif what == "new":
        walk.new(named, name)
    elif what == "split" and full:
        walk.split(full, lies[full][-count:], name)
    elif what == "merge" and others:
        walk.merge(cluster, others)
    elif what == "rename" and name != walk.record.name(cluster):
        walk.rename(cluster, name)
    elif what == "undo" and open_:
        walk.undo(open_[at % len(open_)])
    elif what == "regroup":
        walk.regroup(at)


def steps_of(what: Sequence[str], least: int, most: int) -> st.SearchStrategy[list[tuple[str, int, list[int]]]]:
    return st.lists(st.tuples(st.sampled_from(what), any_one, some), min_size=least, max_size=most)


def test_hundreds_of_corrections_break_nothing(database_url: str) -> None:
    """A thousand where it is to be thorough."""
    count, length = (examples(6, 20), 50) if database_url.startswith("sqlite") else (examples(2, 20), 30)
    with house(database_url) as resources:

        @settings(ALIKE, max_examples=count)
        @given(steps=steps_of([*CORRECTIONS, *OTHERS], length, length))
        def run(steps: list[tuple[str, int, list[int]]]) -> None:
            walk = Walk(resources)
            for each in steps:
                step(walk, *each)
                walk.check()

        run()


def test_all_taken_back_in_any_order_is_as_if_nothing_was_said(database_url: str) -> None:
    count = examples(4, 20) if database_url.startswith("sqlite") else examples(2, 20)
    with house(database_url) as resources:

        @settings(ALIKE, max_examples=count)
        @given(steps=steps_of(CORRECTIONS, 6, 10), by=any_one)
        def run(steps: list[tuple[str, int, list[int]]], by: int) -> None:
            walk = Walk(resources)
            start = lying(walk)
            for each in steps:
                step(walk, *each)
            order = list(range(len(walk.done)))
            random.Random(by).shuffle(order)
            for number in order:
                walk.undo(number)
                walk.check()
            assert lying(walk) == start

        run()


def lying(walk: Walk) -> list[tuple[int | None, bool, float]]:
    return [(item.cluster_id, item.held, item.confidence) for item in walk.table.items()]
