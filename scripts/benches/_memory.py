"""What a process that runs holds in memory, its children included, and what folders take on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KB = 1024


@dataclass(frozen=True)
class Memory:
    """Bytes: `own` is the process's alone, `mapped` are pages of files, which the system takes back when it needs them.

    children  own memory of the processes that it started
    """

    own: int
    mapped: int
    children: int


def memory(pid: int) -> Memory:
    """What a process and those that it started hold now (Linux)."""
    status = _status(pid)
    own = [_status(child).get("RssAnon", 0) for child in _children(pid)]
    return Memory(status.get("RssAnon", 0), status.get("RssFile", 0), sum(own))


def _status(pid: int) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    fields = (line.partition(":") for line in lines if line.startswith("Rss"))
    return {name: int(value.split()[0]) * KB for name, _, value in fields}


def _children(pid: int) -> Iterator[int]:
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            yield child
            yield from _children(child)


def bytes_under(folder: Path) -> int:
    """What the files of a folder take on disk."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
