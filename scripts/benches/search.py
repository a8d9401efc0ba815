"""How fast /api/similar is beside a raw Chroma query, and how much of the exact answer it gives, with every filter.

100,000 shots of 512 and of 1280 figures, derived from real films (_shots.py says how), in a real server
(`selects serve` with authentication, on SQLite or PostgreSQL) beside a real Chroma. For each question, one after the
other: the raw query over HTTP without a filter (its bare JSON by a connection that is kept; Chroma's own client is
measured too), and /api/similar without and with each filter. Times are what the asker waits; recall@20 counts against
a product with every vector that passes.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.resources import Resources  # noqa: E402
from backend.search.chroma import Chroma, chroma_child  # noqa: E402
from backend.search.sketch import Sketches, directions, nearest, sketch  # noqa: E402
from backend.search.spaces import SPACES  # noqa: E402
from backend.settings import Settings, Vectors  # noqa: E402
from scripts.benches._databases import AS_IT_IS, KINDS, database_of  # noqa: E402
from scripts.benches._processes import answers, free_port, start, wait  # noqa: E402
from scripts.benches._shots import (  # noqa: E402
    GENRES,
    SHOTS_A_FILM,
    SPACE_OF,
    Facts,
    Library,
    base_vectors,
    checksum_of,
    derived,
    fill,
    row_of,
)

Mask = NDArray[np.bool_]
TOP, LIMIT, RECALL = 20, 1.5, 0.97
WARM = 20
SETTLE_S = 10
"""A server that has just started loads its networks beside."""
FILTERS: dict[str, tuple[dict[str, Any], Callable[[Facts], Mask]]] = {
    "none": ({}, lambda f: np.ones(len(f.has_faces), bool)),
    "a film": ({"film": [3]}, lambda f: _of_films(np.arange(len(f.genre)) == 2)),
    "a genre": ({"genre": [GENRES[2]]}, lambda f: _of_films(f.genre == 2)),
    "three genres": ({"genre": list(GENRES[3:6])}, lambda f: _of_films((f.genre >= 3) & (f.genre < 6))),
    "years": ({"year_min": 2000}, lambda f: _of_films(f.year >= 2000)),
    "title": (
        {"title": "film 1"},
        lambda f: _of_films(np.array(["Film 1" in f"Film {k}" for k in range(len(f.genre))])),
    ),
    "faces": ({"has_faces": True}, lambda f: f.has_faces),
    "no speech": ({"has_speech": False}, lambda f: ~f.has_speech),
    "duration": ({"min_duration_s": 2, "max_duration_s": 5}, lambda f: (f.duration_s >= 2) & (f.duration_s <= 5)),
    "genre, faces, speech": (
        {"genre": [GENRES[0]], "has_faces": True, "has_speech": True},
        lambda f: _of_films(f.genre == 0) & f.has_faces & f.has_speech,
    ),
}


def _of_films(films: Mask) -> Mask:
    return np.repeat(films, SHOTS_A_FILM)


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench search")
    asked.add_argument("--shots", type=int, default=100_000)
    asked.add_argument("--queries", type=int, default=100, help="how many shots are asked for, each with every filter")
    asked.add_argument("--dimension", type=int, choices=sorted(SPACE_OF), action="append")
    asked.add_argument("--database", choices=KINDS, default="sqlite")
    asked.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "selects-bench-frames.npy")
    options = asked.parse_args(args)
    shared = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared"))
    measured, lines = {}, [f"{options.shots} shots, {options.queries} questions for each row; milliseconds"]
    for dimension in options.dimension or sorted(SPACE_OF):
        base = base_vectors(shared, dimension, options.keep)
        vectors = derived(base, options.shots)
        with service(dimension, vectors, options.database) as (library, address, chroma):
            found = compare(library, address, chroma, options.queries)
        found["switch"] = switch(vectors)
        measured[str(dimension)] = found
        lines += [f"{dimension} figures, from {len(base)} vectors of real films", *_lines(found)]
    worst = max(each["p95_ratio"] for found in measured.values() for each in found["filters"].values())
    recall = min(each["recall"] for found in measured.values() for each in found["filters"].values())
    ok = worst <= LIMIT and recall >= RECALL
    lines.append(
        f"slowest p95 {worst:.2f} of raw Chroma's (at most {LIMIT}), least recall@20 {recall:.3f} (at least {RECALL})"
    )
    return {"shots": options.shots, "dimensions": measured, "worst": worst, "recall": recall, "ok": ok, "lines": lines}


@contextmanager
def service(dimension: int, vectors: NDArray[np.float32], database: str) -> Iterator[tuple[Library, str, str]]:
    """A filled library, and the addresses of API and Chroma."""
    with ExitStack() as held:
        home = Path(tempfile.mkdtemp(prefix="selects-bench-"))
        held.callback(shutil.rmtree, home, ignore_errors=True)
        url = database_of(held, database, home, AS_IT_IS)
        settings = Settings(home=home, database={"url": url}, vectors=Vectors(port=free_port()))
        child = chroma_child(settings.vectors, home)
        assert child is not None
        start(held, child.arguments, child.environment, home / "chroma.log")
        client = Chroma(settings.vectors)
        wait(client.healthy)
        resources = Resources(settings)
        library = fill(resources, SPACES[SPACE_OF[dimension]], vectors)
        resources.close()
        port = free_port()
        sections = {"HOME": home, "VECTORS__PORT": settings.vectors.port, "SERVER__PORT": port, "DATABASE__URL": url}
        environment = {f"SELECTS_{name}": str(value) for name, value in sections.items()}
        start(held, (sys.executable, "-m", "backend", "serve"), environment, home / "serve.log")
        wait(lambda: answers(f"http://127.0.0.1:{port}/health"))
        time.sleep(SETTLE_S)
        yield library, f"http://127.0.0.1:{port}", client.address


def compare(library: Library, address: str, chroma: str, queries: int) -> dict[str, Any]:
    """Times and recall of each filter, every question asked of both sides in turn."""
    rng = np.random.default_rng(2)
    rows = rng.choice(len(library.vectors), queries, replace=False)
    api = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {library.token}"}, timeout=60)
    raw, client = _raw(chroma, library.collection), _client(chroma, library.collection)
    masks = {name: passes(library.facts) for name, (_, passes) in FILTERS.items()}
    exact = library.vectors[rows] @ library.vectors.T  # before the times: it keeps both cores busy
    exact[np.arange(len(rows)), rows] = -1
    for row in rows[:WARM]:  # what is loaded at the first question
        _similar(api, row, {})
        raw(library.vectors[row])
        client(library.vectors[row])
    times: dict[str, list[float]] = {name: [] for name in ("raw", "client", *FILTERS)}
    recalls: dict[str, list[float]] = {name: [] for name in FILTERS}
    how: dict[str, set[str]] = {name: set() for name in FILTERS}
    for row, products in zip(rows.tolist(), exact, strict=True):
        query = library.vectors[row]
        times["client"].append(_timed(client, query)[1])
        for name in rng.permutation(list(FILTERS)).tolist():
            times["raw"].append(_timed(raw, query)[1])
            answer, took = _timed(_similar, api, row, FILTERS[name][0])
            times[name].append(took)
            recalls[name].append(_recall(answer, products, masks[name]))
            how[name].add(answer["how"])
    p95_raw = float(np.percentile(times["raw"], 95))
    filters = {
        name: {
            "shots": int(masks[name].sum()),
            "p50_ms": float(np.percentile(times[name], 50)),
            "p95_ms": float(np.percentile(times[name], 95)),
            "p95_ratio": float(np.percentile(times[name], 95)) / p95_raw,
            "recall": float(np.mean(recalls[name])),
            "how": "/".join(sorted(how[name])),
        }
        for name in FILTERS
    }
    both = {name: [float(np.percentile(times[name], p)) for p in (50, 95)] for name in ("raw", "client")}
    return {**both, "raw_recall": _raw_recall(library, rows, raw), "filters": filters}


def _similar(api: httpx.Client, row: int, params: dict[str, Any]) -> dict[str, Any]:
    like = {"movie": row // SHOTS_A_FILM + 1, "shot": row % SHOTS_A_FILM, "limit": TOP}
    answer = api.get("/api/similar", params={**like, **params})
    answer.raise_for_status()
    return orjson.loads(answer.content)


def _raw(address: str, name: str) -> Callable[[NDArray[np.float32]], list[str]]:
    root = f"{address}/api/v2/tenants/default_tenant/databases/default_database/collections"
    http = httpx.Client(timeout=60, headers={"content-type": "application/json"})
    identity = http.get(f"{root}/{name}").json()["id"]

    def ask(query: NDArray[np.float32]) -> list[str]:
        body = {"query_embeddings": [query], "n_results": TOP, "include": ["distances"]}
        content = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        answer = orjson.loads(http.post(f"{root}/{identity}/query", content=content).content)
        found: list[str] = answer["ids"][0]
        return found

    return ask


def _client(address: str, name: str) -> Callable[[NDArray[np.float32]], Any]:
    import chromadb

    port = int(address.rpartition(":")[2])
    collection = chromadb.HttpClient("127.0.0.1", port).get_collection(name, embedding_function=None)
    return lambda query: collection.query(query_embeddings=[query], n_results=TOP, include=["distances"])


def _recall(answer: dict[str, Any], products: NDArray[np.float32], mask: Mask) -> float:
    """The share of the answer that is as near as the 20 nearest; equally near ones are as good."""
    allowed = np.sort(products[mask])[::-1][:TOP]
    rows = [(hit["movie_id"] - 1) * SHOTS_A_FILM + hit["shot"] for hit in answer["items"]]
    assert mask[rows].all(), "a shot that does not pass the filter"
    return float((products[rows] >= allowed[-1] - 1e-6).sum()) / len(allowed)


def _raw_recall(library: Library, rows: NDArray[np.int64], raw: Callable[[NDArray[np.float32]], list[str]]) -> float:
    """What Chroma alone gives: the asked shot itself counts."""
    films, shares = {checksum_of(film): film for film in range(len(library.facts.genre))}, []
    for row in rows.tolist():
        products = library.vectors @ library.vectors[row]
        found = [row_of(identity, films) for identity in raw(library.vectors[row])]
        shares.append(float((products[found] >= np.sort(products)[-TOP] - 1e-6).sum()) / TOP)
    return float(np.mean(shares))


def switch(vectors: NDArray[np.float32]) -> dict[str, float]:
    """How long the exact way takes by the number of allowed rows, in this process, and how many rows it reads."""
    along = directions(vectors)
    sketches, rng, found = sketch(vectors, along), np.random.default_rng(3), {}
    for rows in (1_000, 10_000, 50_000, 100_000, 200_000, 400_000):
        copies = -(-rows // len(vectors))
        tiled = Sketches.of(np.tile(sketches, (copies, 1))[:rows])
        mask, took = np.ones(rows, bool), []
        for row in rng.integers(0, min(rows, len(vectors)), 30).tolist():
            query = vectors[row]
            start = time.perf_counter()
            nearest(tiled, mask, query, along, lambda some, query=query: vectors[some % len(vectors)] @ query, TOP)
            took.append(1000 * (time.perf_counter() - start))
        found[str(rows)] = float(np.median(took))
    return found


def _timed(call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    answer = call(*arguments)
    return answer, 1000 * (time.perf_counter() - start)


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"  {name:<22}  p50 {found[key][0]:6.2f}  p95 {found[key][1]:6.2f}"
        for key, name in (("raw", "raw Chroma, no filter"), ("client", "by its own client"))
    ]
    for name, each in found["filters"].items():
        times = f"p50 {each['p50_ms']:6.2f}  p95 {each['p95_ms']:6.2f}  {each['p95_ratio']:.2f} x"
        lines.append(f"  {name:<22}  {times}  recall {each['recall']:.3f}  {each['how']}, {each['shots']} shots pass")
    lines[0] += f"          recall {found['raw_recall']:.3f}"
    took = ", ".join(f"{int(rows):,} rows {ms:.1f}" for rows, ms in found["switch"].items())
    return [*lines, f"  exact, in process: {took}"]
