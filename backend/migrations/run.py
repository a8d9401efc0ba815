"""Bring a database to the newest version, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from backend.errors import DatabaseUnready

LOCK = 7_354_212


def migrate(engine: Engine) -> str:
    """Run what is missing and give the version the database then has; raises DatabaseUnready."""
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            config = alembic_config()
            _require_known(_found(connection), config)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return _found(connection)
    except OperationalError as problem:
        raise DatabaseUnready(f"The database does not answer: {_first_line(problem)}.") from None


def require_current(engine: Engine) -> None:
    """Raise DatabaseUnready unless the database has the version that this code wants."""
    config = alembic_config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    try:
        with engine.connect() as connection:
            found = _found(connection)
    except OperationalError as problem:
        raise DatabaseUnready(f"The database does not answer: {_first_line(problem)}.") from None
    if found != newest:
        _require_known(found, config)
        raise DatabaseUnready(f"The database is at version {found or 'none'}, not {newest}; run `selects migrate`.")


def _found(connection: Connection) -> str:
    """The version of a database; empty where it has none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def _require_known(found: str, config: Config) -> None:
    """Raise DatabaseUnready for a version that no migration of ours makes."""
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found and found not in known:
        said = f"The database is at version {found}, which this program does not know: a newer one made it"
        raise DatabaseUnready(f"{said}; run that one, or restore a backup of before.")


def alembic_config() -> Config:
    """Where the migrations lie."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _first_line(problem: OperationalError) -> str:
    return str(problem.orig).strip().split("\n")[0].rstrip(".")
