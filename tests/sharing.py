"""What all processes of a run of the tests share: folders that the first one fills and the others wait for."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, the same for all its processes."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "together"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def filling(folder: Path) -> Iterator[bool]:
    """Whether `folder` is for this process to fill, from nothing; who comes meanwhile waits until the block ends."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = folder.with_name(f"{folder.name}.whole")
        if whole.exists():
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield True
        whole.touch()
