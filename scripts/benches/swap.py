"""Model swaps while POST /api/score serves as many requests a second as it can: failures, mixed answers, p99.

A real server, a real film analysed and stored, two models of the full size made of the real network with random
weights. Stretches in which models are swapped take turns with quiet ones, so that both meet the same machine. Each
answer must be what its version gives for the film, to the last digit.
"""

import argparse
import itertools
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlmodel import Session

from backend.features.registry import profile_named
from backend.jobs.queue import migrate_jobs
from backend.library.models import Movie, Project
from backend.migrations.run import migrate
from backend.resources import Resources
from backend.scoring.golden import save_golden
from backend.scoring.mlp import make_model, save_model
from backend.scoring.network import build
from scripts.benches._processes import ROOT
from scripts.benches._server import Server
from trainer.registry import register

VERSIONS = ("bench-a", "bench-b")
LIMIT_RATIO, LEAST_A_SECOND, FIRST_S = 1.3, 50, 3.0
"""FIRST_S: until the film is loaded and the processor's caches are warm nothing is counted."""

ASKED = {"min_s": 5, "max_s": 15, "top_n": 5}


@dataclass
class Seen:
    """What the clients were answered: seconds of requests in quiet and in swapping stretches, and what was wrong."""

    quiet_s: list[float] = field(default_factory=list)
    swapping_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    mixed: int = 0
    by_version: dict[str, int] = field(default_factory=dict)


def run(args: list[str]) -> dict[str, Any]:
    """Swap and ask; the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench swap")
    asked.add_argument("film", type=Path, nargs="?", default=_default_film(), help="of a minute or so")
    asked.add_argument("--swaps", type=int, default=100)
    asked.add_argument("--every", type=float, default=0.6, help="seconds from one swap to the next")
    asked.add_argument("--clients", type=int, default=2)
    asked.add_argument("--stretch", type=int, default=10, help="swaps of one stretch")
    options = asked.parse_args(args)
    with ExitStack() as held:
        home = Path(
            held.enter_context(tempfile.TemporaryDirectory(prefix="selects-bench-", ignore_cleanup_errors=True))
        )
        server, token, movie = _house(home, options.film)
        held.callback(server.stop)
        server.start()
        return _measured(server, token, movie, options)


def _default_film() -> Path:
    shared = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared"))
    return shared / "films" / "sintel_trailer_204p.mp4"


def _house(home: Path, film: Path) -> tuple[Server, str, int]:
    """A server that is not started yet, a token of its owner, and a film as a finished ingest leaves it."""
    from backend.members.service import owner
    from backend.members.tokens import create_token

    server = Server(home, f"sqlite:///{home / 'selects.db'}")
    resources = Resources(server.settings)
    migrate(resources.engine)
    migrate_jobs(server.settings.jobs_url)
    with Session(resources.engine) as session:
        session.add(Project(name="Bench"))
        session.flush()
        token = create_token(session, owner(session).id or 0, "bench")[1]
        movie = _film(session, resources, film)
        for seed, version in enumerate(VERSIONS):
            register(session, home, 1, _trained(home / "fitted" / version, version, seed), None, "bench")
    resources.close()
    return server, token, movie


def _film(session: Session, resources: Resources, path: Path) -> int:
    """Analyse a film as an ingest does."""
    from backend.analysis import rows
    from backend.analysis.film import analyse
    from backend.analysis.request import AnalysisRequest

    request = AnalysisRequest(
        path=path, home=resources.home, schema=profile_named("embedded").schema, extractors=resources.extractors
    )
    known = analyse(request)
    movie = Movie(project_id=1, path=str(path), sha256=known.sha256, title=path.stem)
    session.add(movie)
    session.flush()
    rows.save_analysis(session, movie.id or 0, request, known)
    movie.state = "ready"
    session.commit()
    return movie.id or 0


def _trained(folder: Path, version: str, seed: int) -> Path:
    import torch

    torch.manual_seed(seed)
    schema = profile_named("embedded").schema
    tensors = {name: value.detach().numpy() for name, value in build(schema.dimension).eval().state_dict().items()}
    model = make_model(tensors, {"version": version, "schema": schema.to_json()})
    vectors = np.random.default_rng(seed).standard_normal((16, schema.dimension)).astype(np.float32)
    golden = save_golden(folder, model, vectors)
    return save_model(folder, tensors, schema, version, {"slot": "compelling", "golden_sha256": golden})


def _measured(server: Server, token: str, movie: int, options: argparse.Namespace) -> dict[str, Any]:
    address, headers = f"http://127.0.0.1:{server.port}", {"Authorization": f"Bearer {token}"}
    seen, swapping = Seen(), threading.Event()
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        wanted = {version: _clips(client, movie, version) for version in VERSIONS}
        client.post(f"/api/models/{VERSIONS[0]}/promote").raise_for_status()
        time.sleep(2)
        with _asking(options.clients, address, headers, movie, wanted, seen, swapping) as counted:
            time.sleep(FIRST_S)
            counted.set()
            began = time.monotonic()
            _stretches(client, seen, swapping, options)
            lasted_s = time.monotonic() - began
    return _said(seen, lasted_s, options)


def _clips(client: httpx.Client, movie: int, version: str) -> Any:
    answer = client.post("/api/score", json={"movie": movie, "model": version, **ASKED}).raise_for_status().json()
    if not answer["clips"]:
        raise RuntimeError("the film is too short for clips of these lengths")
    return answer["clips"]


def _stretches(client: httpx.Client, seen: Seen, swapping: threading.Event, options: argparse.Namespace) -> None:
    """Swap some times, then leave it for as long, until all swaps are done."""
    version = itertools.cycle(reversed(VERSIONS))
    for _ in range(-(-options.swaps // options.stretch)):
        swapping.set()
        for _ in range(options.stretch):
            at, own = time.monotonic(), next(version)
            client.post(f"/api/models/{own}/promote").raise_for_status()
            time.sleep(max(0.0, options.every - (time.monotonic() - at)))
            (live,) = client.get("/api/models/live").raise_for_status().json()["items"]
            if live["serving"] != own:
                seen.failed.append(f"{own} was not taken up within {options.every} s: {live['problem']}")
        swapping.clear()
        time.sleep(options.every * options.stretch)


@contextmanager
def _asking(
    clients: int, address: str, headers: dict[str, str], movie: int, wanted: Any, seen: Seen, swapping: threading.Event
) -> Iterator[threading.Event]:
    """Clients that ask all the time; what they are answered counts from when the event is set."""
    counted, stopped, lock = threading.Event(), threading.Event(), threading.Lock()

    def ask() -> None:
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            while not stopped.is_set():
                stretch, began = swapping.is_set(), time.perf_counter()
                answer = client.post("/api/score", json={"movie": movie, **ASKED})
                took_s = time.perf_counter() - began
                with lock:
                    _note(seen, answer, took_s if counted.is_set() else None, wanted, swapping=stretch)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield counted
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _note(seen: Seen, answer: httpx.Response, took_s: float | None, wanted: Any, *, swapping: bool) -> None:
    if answer.status_code != 200:
        seen.failed.append(f"{answer.status_code}: {answer.text[:200]}")
        return
    found = json.loads(answer.content)
    seen.mixed += found["clips"] != wanted.get(found["model"])
    if took_s is not None:
        seen.by_version[found["model"]] = seen.by_version.get(found["model"], 0) + 1
        (seen.swapping_s if swapping else seen.quiet_s).append(took_s)


def _said(seen: Seen, lasted_s: float, options: argparse.Namespace) -> dict[str, Any]:
    quiet, swapping = (np.percentile(times, [50, 99]) * 1000 for times in (seen.quiet_s, seen.swapping_s))
    ratio = float(swapping[1] / quiet[1])
    a_second = (len(seen.quiet_s) + len(seen.swapping_s)) / lasted_s
    ok = not seen.failed and not seen.mixed and ratio <= LIMIT_RATIO and a_second >= LEAST_A_SECOND
    return {
        "swaps": options.swaps,
        "requests": len(seen.quiet_s) + len(seen.swapping_s),
        "a_second": a_second,
        "failed": len(seen.failed),
        "mixed": seen.mixed,
        "by_version": seen.by_version,
        "p50_quiet_ms": float(quiet[0]),
        "p50_swapping_ms": float(swapping[0]),
        "p99_quiet_ms": float(quiet[1]),
        "p99_swapping_ms": float(swapping[1]),
        "ratio": ratio,
        "ok": ok,
        "lines": [
            f"swaps     {options.swaps}, one in {options.every} s, in stretches of {options.stretch} beside quiet ones",
            f"requests  {a_second:.0f} a second by {options.clients} clients (at least {LEAST_A_SECOND} are asked for)",
            f"failed    {len(seen.failed)} {'; '.join(seen.failed[:3])}",
            f"mixed     {seen.mixed} answers that are not what their version gives; answers {seen.by_version}",
            f"quiet     p50 {quiet[0]:.1f} ms, p99 {quiet[1]:.1f} ms of {len(seen.quiet_s)}",
            f"swapping  p50 {swapping[0]:.1f} ms, p99 {swapping[1]:.1f} ms of {len(seen.swapping_s)}",
            f"p99       {ratio:.2f} × (limit {LIMIT_RATIO})",
        ],
    }
