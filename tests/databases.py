"""Both databases for tests: SQLite files, and a throw-away PostgreSQL cluster on a socket of its own.

`database_url` is a database with today's tables and no rows, `empty_database_url` one without tables; a test that asks
for either runs once on SQLite and once on PostgreSQL. Where PostgreSQL is missing and cannot be installed, that half
is skipped, loudly.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from backend.database import make_engine
from backend.migrations.run import migrate
from tests.packages import install

OLDEST = 15
START_LIMIT_S = 180
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
KINDS = ("sqlite", "postgresql")
# Durability is for data that somebody wants to keep.
HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=200")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The folder of the socket of a PostgreSQL server that is ours; skips loudly without one."""
    binaries = find_binaries() or (install("postgresql") and find_binaries())
    if not binaries:
        pytest.skip(f"NO POSTGRESQL: install version {OLDEST} or newer (Debian and Ubuntu: apt install postgresql)")
    with cluster(binaries) as folder:
        yield folder


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'selects.db'}"
        return
    with database(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with today's tables and no rows."""
    with database_of(request, tmp_path) as url:
        yield url


@contextmanager
def database_of(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The same for a fixture of any scope whose parameter is one of KINDS; SQLite's file is put into `folder`."""
    if request.param == "sqlite":
        yield sqlite_in(folder, request.getfixturevalue("sqlite_template"))
        return
    template = request.getfixturevalue("postgresql_template")
    with database(request.getfixturevalue("postgresql"), template) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a migrated SQLite file holds, to be written where a test wants one."""
    file = tmp_path_factory.mktemp("template") / "selects.db"
    _migrate(f"sqlite:///{file}")
    return file.read_bytes()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str) -> Iterator[str]:
    """The name of a migrated PostgreSQL database, to be copied."""
    with database(postgresql) as url:
        _migrate(url)
        yield url.partition("?")[0].rpartition("/")[2]


def sqlite_in(folder: Path, template: bytes) -> str:
    """The address of a new SQLite database in a folder."""
    (folder / "selects.db").write_bytes(template)
    return f"sqlite:///{folder / 'selects.db'}"


@contextmanager
def database(folder: str, template: str = "template0") -> Iterator[str]:
    """The address of a new database of the server whose socket is in `folder`; it is gone afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as server:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        server.execute(make)
        try:
            yield f"postgresql://postgres@/{name}?host={folder}"
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrate(url: str) -> None:
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()  # a database that somebody is connected to cannot be copied


@contextmanager
def cluster(binaries: Path, settings: Sequence[str] = HASTE) -> Iterator[str]:
    # PostgreSQL refuses to run as root. The path must be short: that of a socket ends at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="selects-pg-", dir="/tmp"))
    user = _unprivileged()
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    data = folder / "data"
    make = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    start = [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="]
    try:
        subprocess.run(make, user=user, cwd=folder, check=True, capture_output=True)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*start, *(part for setting in settings for part in ("-c", setting))],
                user=user,
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server when they are done
            )
        try:
            _wait(server, folder)
            yield str(folder)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(START_LIMIT_S)
    finally:
        shutil.rmtree(folder)


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def find_binaries() -> Path | None:
    """The folder with the newest `postgres` and `initdb` that is new enough."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += [folder for place in PLACES for folder in Path("/").glob(place.removeprefix("/"))]
    found = {_version(folder): folder for folder in folders if (folder / "initdb").is_file()}
    newest = max(found, default=0)
    return found[newest] if newest >= OLDEST else None


def _version(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0
