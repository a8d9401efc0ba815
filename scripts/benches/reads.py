"""How long reads of the API take while a film is being analysed on the same machine, beside the same reads before.

`selects up` runs everything as on anybody's machine. One real film is in the library already; reads of its rows and
pictures, of lists, jobs and searches are asked one after the other, twenty a second, first with nothing else to do and
then until a second film is done. The times are what the asker waits, the connection being kept.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.benches._processes import answers, free_port, owners_client, start, wait  # noqa: E402

LIMIT_MS = 50
EVERY_S = 0.05
IDLE_READS = 300
OPEN = ("queued", "running", "cancelling")
ANALYSIS_LIMIT_S = 1800


def run(args: list[str]) -> dict[str, Any]:
    """Ask while a film is analysed and return the figures, with `lines` to print."""
    films = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared")) / "films"
    asked = argparse.ArgumentParser(prog="bench reads")
    asked.add_argument("film", type=Path, nargs="?", default=films / "big_buck_bunny_360p.mp4")
    asked.add_argument("--stored", type=Path, default=films / "sintel_trailer_204p.mp4")
    options = asked.parse_args(args)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="selects-bench-")))
        home, port, roots = folder / "home", free_port(), {str(each.resolve().parent) for each in _films(options)}
        settings = {"SELECTS_HOME": home, "SELECTS_SERVER__PORT": port, "SELECTS_VECTORS__PORT": free_port()}
        settings["SELECTS_MEDIA__ROOTS"] = "[" + ",".join(f'"{root}"' for root in roots) + "]"
        start(held, (sys.executable, "-m", "backend", "up"), settings, folder / "up.log")
        address = f"http://127.0.0.1:{port}"
        wait(lambda: answers(f"{address}/ready"))
        client = held.enter_context(owners_client(home, address))
        stored = _add(client, options.stored)
        wait(lambda: not _running(client, stored["job"]["id"]), ANALYSIS_LIMIT_S)
        reads = _reads(client, stored["movie"]["project_id"], stored["movie"]["id"])
        for path in reads.values():  # what is loaded at the first question
            _took_ms(client, path)
        idle = _asked(client, reads, lambda number: number < IDLE_READS)
        added = _add(client, options.film)["job"]["id"]
        busy = _asked(client, reads, lambda number: number % 20 != 0 or _running(client, added))
    return _figures(idle, busy) | {"film": options.film.name}


def _films(options: argparse.Namespace) -> tuple[Path, Path]:
    return options.film, options.stored


def _add(client: httpx.Client, film: Path) -> dict[str, Any]:
    project = client.get("/api/projects").json()["items"][0]["id"]
    answer = client.post("/api/movies", json={"path": str(film.resolve()), "project": project})
    answer.raise_for_status()
    added: dict[str, Any] = answer.json()
    return added


def _running(client: httpx.Client, job_id: str) -> bool:
    job = client.get(f"/api/jobs/{job_id}").json()
    if job["state"] not in (*OPEN, "done"):
        raise SystemExit(f"The film could not be analysed: {job['problem']}")
    return job["state"] in OPEN


def _reads(client: httpx.Client, project: int, movie_id: int) -> dict[str, str]:
    """Name → path of each read."""
    film = f"/api/movies/{movie_id}"
    shot = client.get(f"{film}/shots").json()["items"][3]
    return {
        "movies": "/api/movies",
        "a movie": film,
        "shots": f"{film}/shots",
        "scenes": f"{film}/scenes",
        "candidates": f"{film}/candidates",
        "jobs": f"/api/jobs?project={project}",
        "a keyframe": f"/api/movies/{movie_id}/frames/{shot['keyframes'][0]}.jpg",
        "similar": f"/api/similar?movie={movie_id}&shot={shot['number']}",
        "words": "/api/search?q=a+dark+forest",
        "page": "/",
    }


def _asked(client: httpx.Client, reads: dict[str, str], going: Callable[[int], bool]) -> dict[str, list[float]]:
    """Milliseconds of every answer, asked at an even pace while it goes on."""
    took: dict[str, list[float]] = defaultdict(list)
    names, begun = list(reads), time.monotonic()
    for number in count():
        if not going(number):
            return took
        name = names[number % len(names)]
        took[name].append(_took_ms(client, reads[name]))
        time.sleep(max(0, begun + (number + 1) * EVERY_S - time.monotonic()))
    raise AssertionError


def _took_ms(client: httpx.Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    took_ms = 1000 * (time.perf_counter() - begun)
    if not answer.is_success:
        raise SystemExit(f"{path}: {answer.status_code} {answer.text[:200]}")
    return took_ms


def _figures(idle: dict[str, list[float]], busy: dict[str, list[float]]) -> dict[str, Any]:
    both = {"idle": idle, "busy": busy}
    found = {
        name: {when: [float(np.percentile(took[name], p)) for p in (50, 95)] for when, took in both.items()}
        for name in idle
    }
    together = {when: np.concatenate([*map(np.asarray, took.values())]) for when, took in both.items()}
    whole = {when: [float(np.percentile(took, p)) for p in (50, 95)] for when, took in together.items()}
    total = sum(map(len, busy.values()))
    lines = [f"{total} reads while the film is analysed; ms, p50 and p95, before and meanwhile"]
    for name, each in {**found, "all": whole}.items():
        lines.append(f"  {name:<12}" + "   ".join(f"{p50:6.1f} {p95:6.1f}" for p50, p95 in each.values()))
    lines.append(f"p95 meanwhile {whole['busy'][1]:.1f} ms (wanted: below {LIMIT_MS})")
    return {"reads": total, "by_read": found, "all": whole, "lines": lines}
