"""How a large library answers: a library of copied films grows, and at each size everything that people ask is timed.

    scripts/bench scale [--films 100 1000 3000 10000] [--shots 500] [--lines 400] [--chroma-films 1000]
                        [--candidates 40] [--database postgresql] [--rounds 40] [--folder DIR] [--no-doctor]

Films are copies of real ones (_copies.py says how). At each size `selects serve` is started anew; the first question of
each kind is timed by itself, then all kinds in turn, so many rounds. Memory is that of the server. Chroma holds the
first films only, so many as are asked for: its graph is in memory as a whole. Where there are more than it holds it is
stopped, and searches do without. `selects doctor` compares everything at the end of each size. Only times, memory and
bytes mean anything.
"""

import argparse
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.resources import Resources  # noqa: E402
from backend.search.chroma import Chroma, chroma_child  # noqa: E402
from backend.settings import Database, Settings, Vectors  # noqa: E402
from scripts.benches._copies import GENRES, Copies, Size, people  # noqa: E402
from scripts.benches._cost import cost  # noqa: E402
from scripts.benches._databases import KINDS, database_of  # noqa: E402
from scripts.benches._memory import bytes_under, memory  # noqa: E402
from scripts.benches._pouring import settled  # noqa: E402
from scripts.benches._processes import answers, free_port, start, wait  # noqa: E402
from scripts.benches._real_films import Material, material, real_films  # noqa: E402

PATIENCE_S = 300.0
WORDS = ("a forest", "a rabbit in the grass", "who are you", "night city street", "an old man talks")
FOLDERS = ("features", "vectors", "chroma")
POSTGRESQL = ("max_connections=100", "shared_buffers=1GB", "max_wal_size=4GB", "fsync=off")
Ask = Callable[[httpx.Client, int], httpx.Response]


def run(args: list[str]) -> dict[str, Any]:
    """Grow the library and return the figures of each size, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench scale")
    asked.add_argument("--films", type=int, nargs="+", default=[100, 1000, 3000, 10_000])
    asked.add_argument("--shots", type=int, default=500, help="of each film")
    asked.add_argument("--candidates", type=int, default=40, help="of each film")
    asked.add_argument("--lines", type=int, default=400, help="of dialogue, of each film")
    asked.add_argument("--chroma-films", type=int, default=1000)
    asked.add_argument("--database", choices=KINDS, default="postgresql")
    asked.add_argument("--rounds", type=int, default=40)
    asked.add_argument("--folder", type=Path, help="where the library lies; it is removed at the end")
    asked.add_argument("--source", type=Path, default=Path(tempfile.gettempdir()) / "selects-bench-films")
    asked.add_argument("--settle", type=float, default=10, help="seconds that a server has to itself at first")
    asked.add_argument("--no-doctor", action="store_true")
    options = asked.parse_args(args)
    source = material(real_films(), options.source)
    lines = [
        f"{options.shots} shots, {options.lines} lines and {options.candidates} candidates a film, {options.database}"
    ]
    measured: dict[str, Any] = {"shots": options.shots, "candidates": options.candidates, "sizes": {}}
    with ExitStack() as held:
        library = _Library(held, options, source)
        for films in sorted(options.films):
            found = measured["sizes"][str(films)] = library.measured(films)
            lines += _lines(films, films * options.shots, found)
            print("\n".join(_lines(films, films * options.shots, found)), file=sys.stderr, flush=True)
    return measured | {"lines": lines}


class _Library:
    """A library that grows, and its server."""

    def __init__(self, held: ExitStack, options: argparse.Namespace, source: Material) -> None:
        self._held, self._options = held, options
        home = Path(tempfile.mkdtemp(prefix="selects-bench-", dir=options.folder))
        held.callback(shutil.rmtree, home, ignore_errors=True)
        url = database_of(held, options.database, home, POSTGRESQL)
        self._settings = Settings(home=home, database=Database(url=url), vectors=Vectors(port=free_port()))
        self._vectors = held.enter_context(ExitStack())
        self._chroma_runs = bool(options.chroma_films)
        if self._chroma_runs:
            child = chroma_child(self._settings.vectors, home)
            assert child is not None
            self._chroma = start(self._vectors, child.arguments, child.environment, home / "chroma.log")
            wait(Chroma(self._settings.vectors).healthy)
        self._resources = Resources(self._settings)
        held.callback(self._resources.close)
        self._token = people(self._resources)
        size = Size(max(options.films), options.shots, options.candidates, options.lines, options.chroma_films)
        self._copies, self._there = Copies(self._resources, source, size), 0

    def measured(self, films: int) -> dict[str, Any]:
        """Everything at one size."""
        began = time.monotonic()
        self._copies.add(self._there, films)
        settled(self._resources)
        self._there = films
        if films > self._options.chroma_films and self._chroma_runs:
            self._vectors.close()
            self._chroma_runs = False
        found: dict[str, Any] = {"made_s": time.monotonic() - began, "bytes": self._bytes()}
        if self._chroma_runs:
            found["chroma_own_bytes"] = memory(self._chroma.pid).own
        with self._server() as (client, pid):
            found["idle"] = asdict(memory(pid))
            found["first_ms"] = {name: _took_ms(ask, client, films) for name, ask in QUESTIONS.items()}
            found["after_first"] = asdict(memory(pid))
            found |= _rounds(client, films, self._options.rounds)
            found["at_end"] = asdict(memory(pid))
        if not self._options.no_doctor:
            found["doctor"] = self._doctor()
        return found

    def _environment(self) -> dict[str, str]:
        sections = {"HOME": self._settings.home, "DATABASE__URL": self._settings.database.url}
        sections["VECTORS__PORT"] = self._settings.vectors.port
        return {f"SELECTS_{name}": str(value) for name, value in sections.items()}

    @contextmanager
    def _server(self) -> Iterator[tuple[httpx.Client, int]]:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        with ExitStack() as held:
            environment = self._environment() | {"SELECTS_SERVER__PORT": str(port)}
            command = (sys.executable, "-m", "backend", "serve")
            process = start(held, command, environment, self._settings.home / "serve.log")
            wait(lambda: answers(f"{address}/health"), PATIENCE_S)
            time.sleep(self._options.settle)
            headers = {"Authorization": f"Bearer {self._token}"}
            yield held.enter_context(httpx.Client(base_url=address, headers=headers, timeout=PATIENCE_S)), process.pid

    def _doctor(self) -> dict[str, Any]:
        command = ["-c", "import subprocess, sys; subprocess.run(sys.argv[1:], check=False)", sys.executable]
        # Its exit code says what it found; without Chroma it says that, too.
        spent = cost([sys.executable, *command, "-m", "backend", "doctor", "--json"], **self._environment())
        return {"wall_s": spent.wall_s, "cpu_s": spent.cpu_s, "peak_gib": spent.peak_gib}

    def _bytes(self) -> dict[str, int]:
        home, engine = self._settings.home, self._resources.engine
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                rows = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        else:
            rows = sum(file.stat().st_size for file in home.glob("selects.db*"))
        return {"rows": rows, **{name: bytes_under(home / name) for name in FOLDERS}}


def _rounds(client: httpx.Client, films: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of each question, p50 and p95, all kinds in turn; what failed, and how."""
    took: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for _ in range(rounds):
        for name, ask in QUESTIONS.items():
            took[name].append(_took_ms(ask, client, films))
    failed = {name: sum(np.isnan(each)) for name, each in took.items() if np.isnan(each).any()}
    said = {name: [float(np.nanpercentile(each, p)) for p in (50, 95)] for name, each in took.items()}
    return {"ms": said, "failed": {name: int(count) for name, count in failed.items()}}


def _took_ms(ask: Ask, client: httpx.Client, films: int) -> float:
    """How long an answer took; not a number where there was none."""
    began = time.perf_counter()
    try:
        answer = ask(client, films)
    except httpx.HTTPError as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return float("nan")
    # "Not ready" is an answer: there is no worker here.
    if not answer.is_success and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
        print(f"{answer.request.url}: {answer.status_code} {answer.text[:300]}", file=sys.stderr)
        return float("nan")
    return 1000 * (time.perf_counter() - began)


_RNG = np.random.default_rng(5)


def _film(films: int) -> int:
    return int(_RNG.integers(films)) + 1


def _get(path: str, **params: Any) -> Ask:
    return lambda client, films: client.get(path.replace("FILM", str(_film(films))), params=params)


def _similar(**params: Any) -> Ask:
    return lambda client, films: client.get(
        "/api/similar", params={"movie": _film(films), "shot": int(_RNG.integers(100)), "limit": 20} | params
    )


def _decide(client: httpx.Client, _films: int) -> httpx.Response:
    """One of what is in hand; the question before this one was for the queue."""
    hand = client.get("/api/queue/next", params={"project": 1, "k": 4}).json()["items"]
    said = {"candidate": hand[0]["candidate"]["id"], "verdict": "approve", "key": uuid.uuid4().hex}
    return client.post("/api/decisions", json=said)


def _beside(client: httpx.Client, films: int) -> httpx.Response:
    return client.get(f"/api/candidates/{int(_RNG.integers(films * 10)) + 1}/context")


QUESTIONS: dict[str, Ask] = {
    "films, first page": _get("/api/movies", project=1),
    "films, last page": lambda client, films: client.get(
        "/api/movies", params={"project": 1, "sort": "title", "offset": max(0, films - 50)}
    ),
    "films by genre": _get("/api/movies", project=1, genre=GENRES[3]),
    "films by title": _get("/api/movies", project=1, text="film 77"),
    "shots of a film": _get("/api/movies/FILM/shots"),
    "clips of a film": _get("/api/movies/FILM/candidates"),
    "words": lambda client, _: client.get("/api/search", params={"q": str(_RNG.choice(WORDS))}),
    "similar": _similar(),
    "similar, a genre": _similar(genre=GENRES[2]),
    "similar, faces, years": _similar(has_faces=True, year_min=2000),
    "queue, next": _get("/api/queue/next", project=1, k=8),
    "queue, next and decide": _decide,
    "what stands beside": _beside,
    "queue, figures": _get("/api/queue", project=1),
    "decisions": _get("/api/decisions", project=1),
    "ready": _get("/ready"),
}


def _lines(films: int, shots: int, found: dict[str, Any]) -> list[str]:
    idle, end = found["idle"], found["at_end"]
    on_disk = ", ".join(f"{name} {size / 2**20:,.0f}" for name, size in found["bytes"].items())
    lines = [
        f"{films:,} films, {shots:,} shots; made in {found['made_s']:.0f} s; MB on disk: {on_disk}",
        f"  server's own memory {idle['own'] / 2**20:,.0f} MB at first, {end['own'] / 2**20:,.0f} at the end"
        f" (and {end['mapped'] / 2**20:,.0f} of mapped files); what it started {end['children'] / 2**20:,.0f}"
        + (f"; Chroma {found['chroma_own_bytes'] / 2**20:,.0f}" if "chroma_own_bytes" in found else "; no Chroma"),
    ]
    for name, (p50, p95) in found["ms"].items():
        failed = f"   {found['failed'][name]} FAILED" if name in found["failed"] else ""
        lines.append(f"  {name:<24} first {found['first_ms'][name]:9.1f}   p50 {p50:8.1f}   p95 {p95:8.1f}{failed}")
    if "doctor" in found:
        each = found["doctor"]
        lines.append(
            f"  {'doctor':<24} {each['wall_s']:9.1f} s, {each['cpu_s']:.1f} s of CPU, {each['peak_gib']:.2f} GiB"
        )
    return lines
