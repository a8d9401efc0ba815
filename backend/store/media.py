"""Where a file of SELECTS_HOME is when several machines share a store: `present` before it is read, `publish` when it
is whole, `remove` when it goes.

Without a store all of these are the plain file system's, and cost nothing. A folder that appears whole (a scan with
its pictures, a model) is one object, `NAME.tar`.
"""

import os
import re
import shutil
import tarfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from backend.errors import OutputError
from backend.files import cannot_write, folder_atomically, scratch_beside
from backend.store.remote import Remote, Stored, StoreUnavailable
from backend.store.room import GIB, make_room

SHARED = (
    "uploads", "sample", "posters", "films", "features", "models", "snapshots", "training", "rendered",
    "references/uploads", "references/films",
)  # fmt: skip
"""Folders of SELECTS_HOME that go to the store. Everything else belongs to one machine, or is made again from these."""

GIVEN = re.compile(r"/((?:references/)?uploads/[0-9a-f]{64}/[^/]+|sample/[^/]+)$")
"""The end of a path that a machine whose SELECTS_HOME is elsewhere gave to a film."""

TAR = ".tar"
USED_EVERY_S = 60.0
ROOM_EVERY_S = 300.0
SAME_S = 0.01

log = structlog.get_logger("selects.store")


@dataclass
class _Store:
    """What is attached to a home."""

    home: Path
    remote: Remote
    cache_bytes: int
    fetching: tuple[threading.Lock, ...] = field(default_factory=lambda: tuple(threading.Lock() for _ in range(64)))
    room_made_s: float = field(default_factory=time.monotonic)

    def name(self, path: Path) -> str | None:
        """What a path of this home is called in the store; None for what stays on this machine."""
        if not path.is_relative_to(self.home):
            return None
        name = path.relative_to(self.home).as_posix()
        shared = any(name == folder or name.startswith(f"{folder}/") for folder in SHARED)
        return name if shared and not any(part.startswith(".") for part in name.split("/")) else None


_attached: dict[Path, _Store] = {}
"""By home: a path is all that readers of stored files are handed, in sixty places, and it says whose it is."""


def attach(home: Path, address: str, cache_gib: float) -> None:
    """From here on this home is a cache of the store at `address`; with none it is what it is."""
    if address:
        _attached.setdefault(home, _Store(home, Remote(address), round(cache_gib * GIB)))


def detach(home: Path) -> None:
    """Forget the store."""
    _attached.pop(home, None)


def require_store(home: Path) -> None:
    """Raise InputError or StoreUnavailable, with the setting to look at, where the store cannot be used."""
    if home in _attached:
        _attached[home].remote.require()


def has_store(home: Path) -> bool:
    """Whether a store is attached."""
    return home in _attached


def present(path: Path, *, folder: bool = False, newest: bool = False) -> Path:
    """Where to read this file, or folder with all that is in it: fetched, where only the store has it.

    A path of another machine's home is the same place in this one. What is nowhere is not there afterwards either.

    newest  the store's may have been written anew: fetch it where it is younger
    Raises StoreUnavailable, OutputError.
    """
    store, path = _of(path)
    name = store.name(path) if store else None
    if store is None or name is None:
        return path
    if (path.is_dir() if folder else path.is_file()) and not newest:
        _used(path)
        return path
    with store.fetching[hash(path) % len(store.fetching)]:
        if newest or not path.exists():
            _fetch(store, name, path, folder)
    return path


def local(path: Path) -> Path:
    """A path of another machine's home as one of this one's; any other as it is."""
    return _of(path)[1]


def there(path: Path) -> bool:
    """Whether a file is here or in the store; nothing is fetched."""
    store, path = _of(path)
    name = store.name(path) if store else None
    return path.is_file() or (store is not None and name is not None and store.remote.find(name) is not None)


def publish(path: Path) -> None:
    """Put a whole file or folder into the store, unless it is there; a file of another size replaces what is."""
    store, path = _of(path)
    name = store.name(path) if store else None
    if store is None or name is None:
        return
    if path.is_dir():
        if store.remote.find(name + TAR) is None:
            _put_folder(store, path, name + TAR)
    elif path.is_file():
        known = store.remote.find(name)
        if known is None or known.size_bytes != path.stat().st_size:
            store.remote.put(path, name)
    _make_room(store)


def renew(path: Path) -> None:
    """Put a file into the store in place of the one that is there."""
    store, path = _of(path)
    name = store.name(path) if store else None
    if store is not None and name is not None:
        store.remote.put(path, name)
        _mark(path, store.remote.find(name))


def publish_all(folder: Path) -> None:
    """Publish every file and folder directly in a folder that the store lacks, or has in another size."""
    for path in unpublished(folder):
        publish(path)


def unpublished(folder: Path) -> list[Path]:
    """What lies directly in a folder, and not in the store, or there in another size."""
    store, folder = _of(folder)
    name = store.name(folder) if store else None
    if store is None or name is None or not folder.is_dir():
        return []
    held, found = store.remote.names(name), []
    for path in sorted(folder.iterdir()):
        known = held.get(path.name + TAR if path.is_dir() else path.name)
        if known is None or (path.is_file() and known.size_bytes != path.stat().st_size):
            found.append(path)
    return [path for path in found if not path.name.startswith(".")]


def remove(path: Path) -> None:
    """Remove a file or a folder here and in the store; it is no error where there is none.

    What a store that is away keeps, `selects doctor` finds.
    """
    store, path = _of(path)
    name = store.name(path) if store else None
    if store is not None and name is not None:
        try:
            store.remote.delete(name)
            store.remote.delete(name + TAR)
        except StoreUnavailable as problem:
            log.warning("something stays in the store for now", name=name, problem=problem.detail)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def listed(folder: Path) -> dict[str, float]:
    """What lies directly in a folder, here or in the store: name → when it was written or last said to be of use."""
    store, folder = _of(folder)
    found = {}
    with suppress(FileNotFoundError, NotADirectoryError):
        found = {path.name: path.stat().st_mtime for path in folder.iterdir() if not path.name.startswith(".")}
    if store is not None and (name := store.name(folder)) is not None:
        for each, stored in store.remote.names(name).items():
            found.setdefault(each.removesuffix(TAR), stored.written_s if stored else 0.0)
    return found


def size_of(path: Path) -> int:
    """How long a file is that is here or in the store; -1 where it is nowhere."""
    store, path = _of(path)
    if path.is_file():
        return path.stat().st_size
    name = store.name(path) if store else None
    found = store.remote.find(name) if store is not None and name is not None else None
    return found.size_bytes if found else -1


def _of(path: Path) -> tuple[_Store | None, Path]:
    """The store of the home that a path lies in, and the path in it."""
    if not _attached:
        return None, path
    for home, store in _attached.items():
        if path.is_relative_to(home):
            return store, path
    given = GIVEN.search(path.as_posix())
    if given is not None and len(_attached) == 1 and not path.is_file():
        ((home, store),) = _attached.items()
        return store, home / given[1]
    return None, path


def _fetch(store: _Store, name: str, path: Path, folder: bool) -> None:
    known = store.remote.find(name + TAR if folder else name)
    if known is None or (path.exists() and abs(path.stat().st_mtime - known.written_s) < SAME_S):
        return
    began = time.monotonic()
    try:
        with scratch_beside(path) as part:
            if not store.remote.get(name + TAR if folder else name, part):
                return
            if folder:
                _unpack(part, path)
            else:
                part.replace(path)
                _mark(path, known)
    except OSError as problem:
        raise cannot_write(path, problem) from problem
    log.info("fetched", name=name, bytes=known.size_bytes, seconds=round(time.monotonic() - began, 3))
    _make_room(store)


def _mark(path: Path, stored: Stored | None) -> None:
    """Let a file be as old as the store's, by which a newer one there is known."""
    if stored is not None:
        os.utime(path, (time.time(), stored.written_s))


def _unpack(packed: Path, path: Path) -> None:
    try:
        with folder_atomically(path) as part, tarfile.open(packed) as tar:
            tar.extractall(part, filter="data")
    except tarfile.TarError as problem:
        raise OutputError(f"What the media store holds of {path.name!r} cannot be unpacked: {problem}.") from None


def _put_folder(store: _Store, path: Path, name: str) -> None:
    with scratch_beside(path) as packed:
        with tarfile.open(packed, "w") as tar:
            for each in sorted(path.rglob("*")):
                if each.is_file():
                    tar.add(each, each.relative_to(path).as_posix())
        store.remote.put(packed, name)


def _used(path: Path) -> None:
    """Remember that a file was of use; the time of its change, by which its checksum is known, stays."""
    with suppress(OSError):
        found = path.stat()
        if time.time() - found.st_atime > USED_EVERY_S:
            os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))


def _make_room(store: _Store) -> None:
    """Now and then, keep the cache within its size."""
    if time.monotonic() - store.room_made_s < ROOM_EVERY_S:
        return
    store.room_made_s = time.monotonic()
    make_room(store.home, SHARED, store.cache_bytes, lambda path: _is_stored(store, path))


def _is_stored(store: _Store, path: Path) -> bool:
    name = store.name(path)
    if name is None:
        return False
    known = store.remote.find(name + TAR if path.is_dir() else name)
    return known is not None and (path.is_dir() or known.size_bytes == path.stat().st_size)
