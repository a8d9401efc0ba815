"""The database that something is measured on."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

KINDS = ("sqlite", "postgresql")
AS_IT_IS = ("max_connections=100",)
"""For figures of speed: PostgreSQL's own settings, and not the haste of the tests."""


def database_of(held: ExitStack, kind: str, home: Path, settings: Sequence[str] | None = None) -> str:
    """The address of an empty database of this kind: a file of `home`, or in a PostgreSQL server that ends with `held`.

    settings  the server's own, as `name=value`; None for those of the tests. Ends the program without PostgreSQL.
    """
    if kind == "sqlite":
        return f"sqlite:///{home / 'selects.db'}"
    # Of the environment for development: `scripts/check` makes it.
    from tests.databases import HASTE, cluster, database, find_binaries

    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed; --database sqlite does without.")
    return held.enter_context(database(held.enter_context(cluster(binaries, HASTE if settings is None else settings))))
