"""Chroma over HTTP, version 2 of its interface: the few calls that are needed, each with a limit of time.

Not by its own Python client, which waits for ever for a server that has gone (docs/decisions/0012-search.md).
"""

import base64
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import orjson
from numpy.typing import NDArray

from backend.errors import Unavailable
from backend.settings import Vectors as VectorSettings

Floats = NDArray[np.float32]

LOOPBACK = "127.0.0.1"
BATCH = 1000
"""Vectors a request. The server takes 5,461; a thousand of 1280 figures are 7 MB already."""

IDS_BATCH = 5000
CONNECT_S, QUERY_S, WRITE_S, HEALTH_S = 1.0, 5.0, 120.0, 2.0
ROOT = "/tenants/default_tenant/databases/default_database/collections"
# Measured on real films' vectors expanded to 100,000 rows: docs/decisions/0012-search.md.
HNSW = {"space": "cosine", "ef_construction": 100, "ef_search": 100, "max_neighbors": 16}
NOT_FOUND = 404
_JSON = {"content-type": "application/json"}


class ChromaUnavailable(Unavailable):
    """The vector server (Chroma) does not answer."""


class NoCollection(ChromaUnavailable):
    """The vector server has no such collection; `selects doctor --repair` makes it anew."""


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
        scheme = "https" if settings.ssl else "http"
        self.address = f"{scheme}://{settings.host or LOOPBACK}:{settings.port}"
        self._client = httpx.Client(
            base_url=f"{self.address}/api/v2",
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
            # A server of our own is never behind a proxy, and the environment's proxy would not reach it.
            trust_env=bool(settings.host),
        )
        self._ids: dict[str, str] = {}
        self._naming = threading.Lock()

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def healthy(self) -> bool:
        """Whether the server answers, and says that it is ready."""
        try:
            said = self._ask("GET", "/healthcheck", limit_s=HEALTH_S)
        except ChromaUnavailable:
            return False
        return bool(said.get("is_executor_ready"))

    def collections(self) -> list[str]:
        """The names of all collections."""
        names: list[str] = []
        while part := self._ask("GET", f"{ROOT}?limit=1000&offset={len(names)}", limit_s=QUERY_S):
            names += [each["name"] for each in part]
        return names

    def create(self, name: str) -> None:
        """Make a collection, unless there is one of that name."""
        body = {"name": name, "get_or_create": True, "configuration": {"hnsw": HNSW, "embedding_function": None}}
        made = self._ask("POST", ROOT, body, limit_s=WRITE_S)
        self._ids[name] = made["id"]

    def drop(self, name: str) -> None:
        """Remove a collection, if there is one of that name."""
        self._ids.pop(name, None)
        try:
            self._ask("DELETE", f"{ROOT}/{name}", limit_s=WRITE_S)
        except NoCollection:
            return

    def count(self, name: str) -> int:
        """How many vectors there are by the server's count, which can be right while answers are wrong."""
        return int(self._in(name, "GET", "count", limit_s=WRITE_S))

    def upsert(self, name: str, ids: Sequence[str], vectors: Floats) -> None:
        """Write vectors, float32 [len(ids), D]; what is there under the same ids is replaced."""
        for at in range(0, len(ids), BATCH):
            rows = np.ascontiguousarray(vectors[at : at + BATCH], np.dtype("<f4"))
            encoded = [base64.b64encode(row.tobytes()).decode() for row in rows]
            body = {"ids": list(ids[at : at + BATCH]), "embeddings": encoded}
            self._in(name, "POST", "upsert", body, limit_s=WRITE_S)

    def delete(self, name: str, ids: Sequence[str]) -> None:
        """Remove vectors; ids that are not there are no error."""
        for at in range(0, len(ids), BATCH):
            self._in(name, "POST", "delete", {"ids": list(ids[at : at + BATCH])}, limit_s=WRITE_S)

    def ids(self, name: str) -> Iterator[str]:
        """All ids of a collection."""
        offset = 0
        while True:
            body = {"limit": IDS_BATCH, "offset": offset, "include": []}
            part = self._in(name, "POST", "get", body, limit_s=WRITE_S)["ids"]
            yield from part
            offset += len(part)
            if len(part) < IDS_BATCH:
                return

    def vectors(self, name: str, ids: Sequence[str]) -> dict[str, Floats]:
        """The vectors under these ids, those that are there."""
        found: dict[str, Floats] = {}
        for at in range(0, len(ids), BATCH):
            body = {"ids": list(ids[at : at + BATCH]), "include": ["embeddings"]}
            part = self._in(name, "POST", "get", body, limit_s=WRITE_S)
            found |= {key: np.array(row, np.float32) for key, row in zip(part["ids"], part["embeddings"], strict=True)}
        return found

    def nearest(self, name: str, queries: Floats, count: int, *, limit_s: float = QUERY_S) -> list[list[str]]:
        """For each query, float32 [Q, D], the ids of its nearest vectors, the nearest first; approximate."""
        body = {"query_embeddings": list(np.asarray(queries, np.float32)), "n_results": count, "include": []}
        return cast(list[list[str]], self._in(name, "POST", "query", body, limit_s=limit_s)["ids"])

    def _in(self, name: str, method: str, call: str, body: Any = None, *, limit_s: float) -> Any:
        """A call within a collection, whose id is asked for once and again where it is known no more."""
        known = name in self._ids
        try:
            return self._ask(method, f"{ROOT}/{self._id(name)}/{call}", body, limit_s=limit_s)
        except NoCollection:
            self._ids.pop(name, None)
            if not known:
                raise
        return self._ask(method, f"{ROOT}/{self._id(name)}/{call}", body, limit_s=limit_s)

    def _id(self, name: str) -> str:
        with self._naming:
            if name not in self._ids:
                self._ids[name] = self._ask("GET", f"{ROOT}/{name}", limit_s=QUERY_S)["id"]
            return self._ids[name]

    def _ask(self, method: str, path: str, body: Any = None, *, limit_s: float) -> Any:
        content = None if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        limits = httpx.Timeout(limit_s, connect=CONNECT_S)
        try:
            answer = self._client.request(method, path, content=content, headers=_JSON, timeout=limits)
        except httpx.HTTPError as problem:
            reason = str(problem).rstrip(".") or type(problem).__name__
            raise ChromaUnavailable(f"The vector server at {self.address} does not answer: {reason}.") from None
        if answer.status_code == NOT_FOUND:
            raise NoCollection
        if answer.is_error:
            raise ChromaUnavailable(f"The vector server at {self.address} refuses: {answer.text[:300]}")
        return orjson.loads(answer.content)
