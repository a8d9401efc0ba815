"""What is done: vectors and reasons by title in one SQLite file of the output folder, so that a run can go on.

The files that people asked for are made from it; it is what a crash leaves whole.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.errors import InputError
from backend.features.base import Vectors
from backend.files import cannot_write

FILE, LOCK = ".selects-features.db", ".selects-features.lock"
TABLES = """
create table if not exists about (name text primary key, value text not null);
create table if not exists title (id text primary key, stamp text not null, vector blob, reason text not null);
"""


@dataclass(frozen=True)
class Row:
    """What came of a title: its vector, float32 [dimension], or the reason why it was skipped."""

    id: str
    stamp: str
    vector: Vectors | None = None
    reason: str = ""


class State:
    """The rows of one output folder. One thread at a time."""

    def __init__(self, rows: sqlite3.Connection, folder: Path) -> None:
        self._rows, self._folder = rows, folder

    def claim(self, about: Mapping[str, object]) -> None:
        """Say what the folder holds; raises InputError where it holds something else already."""
        now = json.dumps(about, sort_keys=True)
        before = self._about("model")
        if before is None:
            self._set_about("model", now)
            return
        if before != now:
            old = json.loads(before)
            names = [name for name in {**old, **about} if old.get(name) != about.get(name)]
            told = "; ".join(f"its {name} is {old.get(name)!r}, not {about.get(name)!r}" for name in sorted(names))
            raise InputError(f"{str(self._folder)!r} holds other features ({told}); give another folder with --out.")

    def stamps(self) -> dict[str, str]:
        """The stamp of the input of every title that is done or skipped."""
        return dict(self._rows.execute("select id, stamp from title"))

    def put(self, rows: Sequence[Row]) -> None:
        """Keep rows, all or none. A title that cannot be read any more keeps the vector of its earlier input."""
        values = [
            (row.id, row.stamp, None if row.vector is None else row.vector.astype("<f4").tobytes(), row.reason)
            for row in rows
        ]
        with self._rows:
            self._rows.executemany(
                "insert into title values (?, ?, ?, ?) on conflict (id) do update set stamp = excluded.stamp, "
                "vector = coalesce(excluded.vector, vector), reason = excluded.reason",
                values,
            )
            self._rows.execute(
                "insert into about values ('revision', '1') on conflict (name) do update set value = value + 1"
            )

    def vectors(self) -> Iterator[tuple[str, Vectors]]:
        """Every title that has a vector, by id."""
        for title_id, blob in self._rows.execute("select id, vector from title where vector is not null order by id"):
            yield title_id, np.frombuffer(blob, "<f4")

    def ids(self) -> list[str]:
        """The ids of all that have a vector."""
        return [row[0] for row in self._rows.execute("select id from title where vector is not null order by id")]

    def vector(self, title_id: str) -> Vectors:
        """One title's vector."""
        (blob,) = self._rows.execute("select vector from title where id = ?", (title_id,)).fetchone()
        return np.frombuffer(blob, "<f4")

    def skipped(self) -> list[tuple[str, str, bool]]:
        """Id, reason, and whether a vector of an earlier input is kept, of every title that was skipped."""
        found = self._rows.execute("select id, reason, vector is not null from title where reason <> '' order by id")
        return [(title_id, reason, bool(kept)) for title_id, reason, kept in found]

    @property
    def revision(self) -> str:
        """Changes with every change."""
        return self._about("revision") or "0"

    def written(self, what: str) -> str | None:
        """The revision that a file was last made of."""
        return self._about(f"written {what}")

    def set_written(self, what: str) -> None:
        """Remember that a file is made of what is there now."""
        self._set_about(f"written {what}", self.revision)

    def _about(self, name: str) -> str | None:
        row = self._rows.execute("select value from about where name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def _set_about(self, name: str, value: str) -> None:
        with self._rows:
            self._rows.execute("insert or replace into about values (?, ?)", (name, value))


@contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """The state of an output folder, made if need be; one process at a time.

    Raises InputError where another run holds the folder or the file is damaged, OutputError where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise InputError(f"Another run is writing into {str(folder)!r}; wait for it, or give another folder.") from None
    try:
        # Rows are written by a thread of their own, never by two at a time.
        rows = sqlite3.connect(folder / FILE, check_same_thread=False)
        try:
            rows.execute("pragma journal_mode = wal")
            rows.execute("pragma synchronous = normal")
            rows.executescript(TABLES)
            yield State(rows, folder)
        finally:
            rows.close()
    except sqlite3.DatabaseError as broken:
        why = f"{str(folder / FILE)!r} cannot be used ({broken}); remove it to begin anew, or give another folder."
        raise InputError(why) from None
    finally:
        os.close(held)
