"""A real S3-compatible server, and stores of media in it and in a folder.

moto's server is a program of `.venv/tools` (requirements-tools.txt); where it is missing these tests are skipped,
loudly.
"""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.store.remote import Remote
from tests.command import ROOT
from tests.ports import free_port

MOTO = ROOT / ".venv" / "tools" / "bin" / "moto_server"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "of-the-tests",
    "AWS_SECRET_ACCESS_KEY": "of-the-tests",
    "AWS_EC2_METADATA_DISABLED": "true",
}
START_LIMIT_S = 180


@dataclass(frozen=True)
class Bucket:
    """A server of S3 on loopback with one bucket."""

    port: int
    name: str = "media"

    def address(self, prefix: str, bucket: str = "") -> str:
        """What the setting is given."""
        where = f"endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"
        return f"s3://{bucket or self.name}/{prefix}?{where}"


@pytest.fixture(scope="session")
def s3() -> Iterator[Bucket]:
    """The server; its credentials are in the environment of all processes that tests start."""
    before = {name: os.environ.get(name) for name in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    try:
        with serving() as bucket:
            yield bucket
    finally:
        _restore(before)


@contextmanager
def serving(**more: str) -> Iterator[Bucket]:
    """A server of its own, with `more` in its environment, and a bucket in it; skips loudly without the program."""
    if not MOTO.is_file():
        pytest.skip(f"NO MOTO SERVER: {MOTO} is missing; scripts/check sets up the tools of requirements-tools.txt")
    port = free_port()
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)],
        env=os.environ | more,
        stdout=quiet,
        stderr=quiet,
        start_new_session=True,
    )
    try:
        _wait(server, port)
        made = Bucket(port)
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/{made.name}", method="PUT")).close()
        yield made
    finally:
        server.terminate()
        server.wait(START_LIMIT_S)


@pytest.fixture(params=["folder", "s3"])
def store_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store: once in a folder, once in S3."""
    if request.param == "s3":
        bucket: Bucket = request.getfixturevalue("s3")
        return bucket.address(f"tests/{tmp_path.name}")
    (tmp_path / "mounted").mkdir()
    return str(tmp_path / "mounted")


def everything(address: str, folder: str = "") -> dict[str, int]:
    """All objects of a store and how large they are; folders that hold none are nothing."""
    remote, found = Remote(address), {}
    for name, stored in remote.names(folder).items():
        path = f"{folder}/{name}".lstrip("/")
        found |= {path: stored.size_bytes} if stored else everything(address, path)
    return found


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_LIMIT_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/").close()
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, "moto's server ended"
            assert time.monotonic() < until, "moto's server does not answer"
            time.sleep(0.05)
        else:
            return


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
