"""Files and folders are whole or not there, and what killed processes leave is cleared away."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from backend.errors import OutputError
from backend.features.base import Extracted
from backend.features.mel import LogMel
from backend.features.store import FeatureStore
from backend.files import file_atomically, folder_atomically, one_at_a_time, write_atomically
from tests.command import ROOT

WRITE = (
    "import sys, time; from pathlib import Path; from backend import files\n"
    "with getattr(files, sys.argv[1])(Path(sys.argv[2])) as part:\n"
    "    (part / 'in' if part.is_dir() else part).write_text('half')\n"
    "    print(flush=True); time.sleep(100)\n"
)


def test_a_file_is_written_whole_or_not(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two", durable=True)
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]
    with pytest.raises(OutputError, match="Cannot write"):
        write_atomically(path / "below", b"three")
    path.with_name("folder").mkdir()
    with pytest.raises(OutputError):
        write_atomically(path.with_name("folder"), b"four")
    assert sorted(p.name for p in path.parent.iterdir()) == ["file.json", "folder"]


def test_a_file_may_be_read_by_whom_the_mask_says(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", b"")
    (tmp_path / "theirs").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode


class Stop(BaseException):
    """What Ctrl-C raises in the command."""


def fail(writing: AbstractContextManager[Path], failure: BaseException) -> None:
    with writing as part:
        (part / "in" if part.is_dir() else part).write_text("half")
        raise failure


@pytest.mark.parametrize("way", [file_atomically, folder_atomically], ids=lambda way: way.__name__)
@pytest.mark.parametrize(("failure", "seen"), [(Stop(), Stop), (OSError(28, "Full"), OutputError)])
def test_what_fails_leaves_the_old_and_nothing_else(way, failure, seen, tmp_path: Path) -> None:
    with way(tmp_path / "thing") as part:
        (part / "old" if part.is_dir() else part).touch()
    with pytest.raises(seen):
        fail(way(tmp_path / "thing"), failure)
    (left,) = tmp_path.iterdir()
    assert [path.name for path in left.iterdir()] == ["old"] if left.is_dir() else left.read_bytes() == b""


def test_the_faster_of_two_writers_of_a_folder_stays(tmp_path: Path) -> None:
    with folder_atomically(tmp_path / "scan") as slow:
        (slow / "who").write_text("slow")
        with folder_atomically(tmp_path / "scan") as fast:
            (fast / "who").write_text("fast")
    assert (tmp_path / "scan" / "who").read_text() == "fast"
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]


@pytest.fixture(params=["file_atomically", "folder_atomically"])
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that is in the middle of writing `thing`."""
    command = [sys.executable, "-c", WRITE, request.param, str(tmp_path / "thing")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_what_is_being_written_stays_and_what_was_killed_goes(writer: "subprocess.Popen[str]", tmp_path: Path) -> None:
    """Whoever writes: the store of features sweeps what a scan has left."""

    def put() -> None:
        FeatureStore(tmp_path.parent).put(tmp_path.name, LogMel, Extracted(LogMel().extract([]).vectors), inputs="x")

    put()
    (part,) = tmp_path.glob("*.part")
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert part.exists()
    put()
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="only Linux has such a folder")
@pytest.mark.parametrize("way", [file_atomically, folder_atomically])
def test_where_nothing_can_be_made_it_is_said(way) -> None:
    with pytest.raises(OutputError, match="no such file or directory"), way(Path("/proc/x")):
        raise AssertionError("nothing to write into")


def test_a_file_that_is_read_and_written_again_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "numbers"

    def add(number: int) -> None:
        with one_at_a_time(path.parent):
            before = path.read_text() if path.exists() else ""
            write_atomically(path, f"{before}{number}\n".encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    assert sorted(map(int, path.read_text().split())) == list(range(80))
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"), one_at_a_time(tmp_path / "file"):
        pass
