"""Chroma's own HTTP client with what it lacks: a limit of time for every call, and our errors.

Left alone it waits for ever for a server that has gone (docs/decisions/0012-search.md).
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
import numpy as np
from numpy.typing import NDArray

from backend.errors import Unavailable
from backend.settings import Vectors as VectorSettings

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

Floats = NDArray[np.float32]
T = TypeVar("T")

LOOPBACK = "127.0.0.1"
BATCH = 1000
"""Vectors a request. The server takes 5,461; a thousand of 1280 figures are 7 MB already."""

IDS_BATCH = 5000
CONNECT_S, QUERY_S, WRITE_S, HEALTH_S = 1.0, 5.0, 120.0, 2.0
# Measured on real films' vectors expanded to 100,000 rows: docs/decisions/0012-search.md.
HNSW = {"space": "cosine", "ef_construction": 100, "ef_search": 100, "max_neighbors": 16}
NAMES_BATCH = 1000


class ChromaUnavailable(Unavailable):
    """The vector server (Chroma) does not answer."""


class NoCollection(ChromaUnavailable):
    """The vector server has no such collection; `selects doctor --repair` makes it anew."""


class ChromaRefused(ChromaUnavailable):
    """The vector server answers that it cannot do this."""


@dataclass(frozen=True)
class ChromaChild:
    """How to start the server: arguments, and what its environment needs besides."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def data_folder(home: Path) -> Path:
    """Where the server that `selects up` runs keeps its data. One process at a time may have it open."""
    return home / "chroma"


def chroma_child(settings: VectorSettings, home: Path) -> ChromaChild | None:
    """The server that belongs to this home, on loopback; None where the settings name one that is run elsewhere."""
    if settings.host:
        return None
    data_folder(home).mkdir(parents=True, exist_ok=True)
    start = "import sys, chromadb_rust_bindings as chroma; chroma.cli(['chroma', *sys.argv[1:]])"
    run = ("run", "--path", str(data_folder(home)), "--host", LOOPBACK, "--port", str(settings.port))
    return ChromaChild((sys.executable, "-c", start, *run), {"ANONYMIZED_TELEMETRY": "False"})


class Chroma:
    """A client of one server, for all threads of a process. Every call raises ChromaUnavailable if it fails."""

    def __init__(self, settings: VectorSettings) -> None:
        self._settings = settings
        scheme = "https" if settings.ssl else "http"
        self.address = f"{scheme}://{settings.host or LOOPBACK}:{settings.port}"
        self._clients: dict[float, ClientAPI] = {}
        self._collections: dict[tuple[float, str], Collection] = {}
        self._opening = threading.Lock()

    def close(self) -> None:
        """Forget the connections."""
        self._collections.clear()
        self._clients.clear()

    def healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return self._asked(lambda: self._client(HEALTH_S).heartbeat()) > 0
        except ChromaUnavailable:
            return False

    def collections(self) -> list[str]:
        """The names of all collections."""
        client, names = self._asked(lambda: self._client(QUERY_S)), list[str]()
        while part := self._asked(partial(client.list_collections, NAMES_BATCH, len(names))):
            names += [each.name for each in part]
        return names

    def create(self, name: str) -> None:
        """Make a collection, unless there is one of that name."""
        how: Any = {"hnsw": HNSW}
        self._asked(
            lambda: self._client(WRITE_S).get_or_create_collection(name, configuration=how, embedding_function=None)
        )

    def drop(self, name: str) -> None:
        """Remove a collection, if there is one of that name."""
        for key in [key for key in self._collections if key[1] == name]:
            self._collections.pop(key, None)
        try:
            self._asked(lambda: self._client(WRITE_S).delete_collection(name))
        except NoCollection:
            return

    def count(self, name: str) -> int:
        """How many vectors there are by the server's count, which can be right while answers are wrong."""
        return int(self._in(name, "count"))

    def upsert(self, name: str, ids: Sequence[str], vectors: Floats) -> None:
        """Write vectors, float32 [len(ids), D]; what is there under the same ids is replaced."""
        for at in range(0, len(ids), BATCH):
            rows = np.ascontiguousarray(vectors[at : at + BATCH], np.float32)
            self._in(name, "upsert", ids=list(ids[at : at + BATCH]), embeddings=rows)

    def delete(self, name: str, ids: Sequence[str]) -> None:
        """Remove vectors; ids that are not there are no error."""
        for at in range(0, len(ids), BATCH):
            self._in(name, "delete", ids=list(ids[at : at + BATCH]))

    def ids(self, name: str) -> Iterator[str]:
        """All ids of a collection."""
        offset = 0
        while True:
            part = self._in(name, "get", limit=IDS_BATCH, offset=offset, include=[])["ids"]
            yield from part
            offset += len(part)
            if len(part) < IDS_BATCH:
                return

    def vectors(self, name: str, ids: Sequence[str]) -> dict[str, Floats]:
        """The vectors under these ids, those that are there."""
        found: dict[str, Floats] = {}
        for at in range(0, len(ids), BATCH):
            part = self._in(name, "get", ids=list(ids[at : at + BATCH]), include=["embeddings"])
            found |= {key: np.array(row, np.float32) for key, row in zip(part["ids"], part["embeddings"], strict=True)}
        return found

    def nearest(self, name: str, queries: Floats, count: int, *, limit_s: float = QUERY_S) -> list[list[str]]:
        """For each query, float32 [Q, D], the ids of its nearest vectors, the nearest first; approximate."""
        rows = np.ascontiguousarray(queries, np.float32)
        found = self._in(name, "query", limit_s, query_embeddings=rows, n_results=count, include=[])
        return cast(list[list[str]], found["ids"])

    def _in(self, name: str, call: str, limit_s: float = WRITE_S, **arguments: Any) -> Any:
        """A call within a collection, which is asked for once and again where it is known no more."""

        def ask() -> Any:
            return getattr(self._collection(name, limit_s), call)(**arguments)

        known = (limit_s, name) in self._collections
        try:
            return self._asked(ask)
        except NoCollection:
            self._collections.pop((limit_s, name), None)
            if not known:
                raise
        return self._asked(ask)

    def _collection(self, name: str, limit_s: float) -> "Collection":
        if (limit_s, name) not in self._collections:
            found = self._client(limit_s).get_collection(name, embedding_function=None)
            self._collections[limit_s, name] = found
        return self._collections[limit_s, name]

    def _client(self, limit_s: float) -> "ClientAPI":
        """The client whose calls may take so long; made when it is first used, since making it asks the server."""
        with self._opening:
            if limit_s not in self._clients:
                self._clients[limit_s] = _connected(self._settings, limit_s)
            return self._clients[limit_s]

    def _asked(self, call: Callable[[], T]) -> T:
        from chromadb.errors import ChromaError, NotFoundError

        try:
            return call()
        except NotFoundError:
            raise NoCollection from None
        except ChromaError as problem:
            raise ChromaRefused(f"The vector server at {self.address} refuses: {str(problem)[:300]}") from None
        except (httpx.HTTPError, OSError, ValueError) as problem:
            reason = str(problem).split("\n")[0].rstrip(".") or type(problem).__name__
            raise ChromaUnavailable(f"The vector server at {self.address} does not answer: {reason}.") from None


def _connected(settings: VectorSettings, limit_s: float) -> "ClientAPI":
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    host, scheme = settings.host or LOOPBACK, "https" if settings.ssl else "http"
    limits = httpx.Timeout(limit_s, connect=CONNECT_S)
    # Making the client asks the server without any limit: it must be there.
    httpx.get(f"{scheme}://{host}:{settings.port}/api/v2/heartbeat", timeout=limits).raise_for_status()
    client = chromadb.HttpClient(
        host=host, port=settings.port, ssl=settings.ssl, settings=ChromaSettings(anonymized_telemetry=False)
    )
    # There is no setting for it (chromadb 1.5.9).
    client._server._session.timeout = limits  # type: ignore[attr-defined]
    return client
