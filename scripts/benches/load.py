"""100 curators and 5 uploaders at once against a running service: throughput, times by endpoint, errors, nothing lost.

    scripts/bench load [--curators 100] [--uploaders 5] [--seconds 60] [--url http://HOST:PORT --token ADMIN]

Without --url it starts `selects up` with a library of copied films (_copies.py) in a temporary folder. With it, it
works on what runs there, in the first project: people are made by invitations, clips are those that the queue has, and
what was decided and uploaded stays. locust makes the requests; afterwards every decision that was acknowledged is
looked for among those that the service lists, and every upload among its films.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.resources import Resources  # noqa: E402
from backend.settings import Settings, Vectors  # noqa: E402
from scripts.benches._copies import Copies, Size, people  # noqa: E402
from scripts.benches._pouring import settled  # noqa: E402
from scripts.benches._processes import answers, free_port, start, wait  # noqa: E402
from scripts.benches._real_films import material, real_films  # noqa: E402

LOCUST = ROOT / ".venv" / "tools" / "bin" / "locust"
LOCUSTFILE = ROOT / "scripts" / "lib" / "curators_locustfile.py"
START_LIMIT_S, STOP_LIMIT_S = 120, 30
PAGE = 500
SETTLE_S = 10
SHOTS, CLIPS, LINES = 120, 40, 100


def run(args: list[str]) -> dict[str, Any]:
    """Load the service and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench load")
    asked.add_argument("--curators", type=int, default=100)
    asked.add_argument("--uploaders", type=int, default=5)
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--every", type=float, default=2.0, help="seconds between a curator's decisions")
    asked.add_argument("--upload-every", type=float, default=10.0, help="seconds between an uploader's films")
    asked.add_argument("--films", type=int, default=100, help="in the library that is made without --url")
    asked.add_argument("--url", help="a service that runs")
    asked.add_argument("--token", default=os.environ.get("SELECTS_TOKEN", ""), help="of an admin there; SELECTS_TOKEN")
    asked.add_argument("--film", type=Path, help="what uploaders send; an MP4 file")
    asked.add_argument("--source", type=Path, default=Path(tempfile.gettempdir()) / "selects-bench-films")
    options = asked.parse_args(args)
    options.film = options.film or real_films()[0].parent / "faces_stage_360p.mp4"
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="selects-bench-")))
        url, token = (options.url, options.token) if options.url else _own(held, folder, options)
        admin = held.enter_context(_client(url, token))
        project = admin.get("/api/projects").raise_for_status().json()["items"][0]["id"]
        # The process that draws questions starts at the first one.
        admin.get("/api/queue/next", params={"project": project, "k": 1}, timeout=START_LIMIT_S).raise_for_status()
        seen = _loaded(folder, url, project, _tokens(admin, url, project, options), options)
        rows = _compare(admin, project, seen)
        films = Counter(_state(admin, movie) for movie in seen["uploaded"])
    figures = {name: seen["figures"][name] for name in sorted(seen["figures"])}
    measured = {"figures": figures, "errors": seen["errors"], "rows": rows, "uploads": dict(films)}
    return measured | {"lines": _lines(options, measured)}


def _own(held: ExitStack, folder: Path, options: argparse.Namespace) -> tuple[str, str]:
    """`selects up` with a library of its own; its address and a token of its admin."""
    source = material(real_films(), options.source)
    home, port = folder / "home", free_port()
    settings = Settings(home=home, vectors=Vectors(port=free_port()))
    resources = Resources(settings)
    token = people(resources)
    Copies(resources, source, Size(options.films, SHOTS, CLIPS, LINES, chroma_films=0)).add(0, options.films)
    settled(resources)
    resources.close()
    sections = {"HOME": home, "SERVER__PORT": port, "VECTORS__PORT": settings.vectors.port}
    environment = {f"SELECTS_{name}": str(value) for name, value in sections.items()}
    start(held, (sys.executable, "-m", "backend", "up"), environment, folder / "up.log")
    wait(lambda: answers(f"http://127.0.0.1:{port}/ready"), START_LIMIT_S)
    time.sleep(SETTLE_S)
    return f"http://127.0.0.1:{port}", token


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def _tokens(admin: httpx.Client, url: str, project: int, options: argparse.Namespace) -> dict[str, list[str]]:
    """Tokens of people who are made for this run: invited, joined, each with a token of their own."""
    mark = uuid.uuid4().hex[:6]
    counts = {"curators": options.curators, "uploaders": options.uploaders}
    return {
        kind: [_joined(admin, url, project, f"Load {mark} {kind[:-1]} {number}") for number in range(count)]
        for kind, count in counts.items()
    }


def _joined(admin: httpx.Client, url: str, project: int, name: str) -> str:
    wanted = {"project_id": project, "name": name, "role": "curator"}
    invited = admin.post("/api/members/invitations", json=wanted).raise_for_status().json()
    secret = parse_qs(urlparse(invited["link"]).query)["token"][0]
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=60) as browser:
        browser.post("/join", data={"token": secret})
        made = browser.post("/api/tokens", json={"name": "bench load", "days": 1}).raise_for_status().json()
    token: str = made["secret"]
    return token


def _loaded(
    folder: Path, url: str, project: int, tokens: dict[str, list[str]], options: argparse.Namespace
) -> dict[str, Any]:
    """Let locust work; what it saw."""
    if not LOCUST.exists():
        raise SystemExit("bench load: locust is not installed; scripts/check makes .venv/tools.")
    plan, out = folder / "plan.json", folder / "seen.json"
    said = {"project": project, "film": str(options.film.resolve()), "out": str(out), **tokens}
    plan.write_text(json.dumps(said | {"every_s": options.every, "upload_every_s": options.upload_every}))
    users = options.curators + options.uploaders
    command = [LOCUST, "-f", LOCUSTFILE, "--headless", "--only-summary", "-H", url, "-u", str(users), "-r", "20"]
    # A curator who is in the middle of a decision ends it.
    command += ["-t", f"{options.seconds}s", "--stop-timeout", str(STOP_LIMIT_S)]
    with (folder / "locust.log").open("wb") as log:
        environment = {**os.environ, "LOAD_PLAN": str(plan)}
        subprocess.run(command, env=environment, stdout=log, stderr=log, check=False)
    if not out.exists():
        raise SystemExit(f"bench load: locust ended early.\n{(folder / 'locust.log').read_text()[-2000:]}")
    seen: dict[str, Any] = json.loads(out.read_text())
    return seen


def _compare(admin: httpx.Client, project: int, seen: dict[str, Any]) -> dict[str, int]:
    """What the service has of decisions against what was acknowledged."""
    rows: list[dict[str, Any]] = []
    while True:
        asked = {"project": project, "limit": PAGE, "offset": len(rows)}
        part = admin.get("/api/decisions", params=asked).raise_for_status().json()
        rows += part["items"]
        if part["next"] is None:
            break
    there = {row["key"]: row["id"] for row in rows}
    undos = {row["undoes_id"]: row["id"] for row in rows if row["undoes_id"]}
    ours = Counter(row["key"] for row in rows if row["key"] in seen["decided"])
    return {
        "acknowledged": len(seen["decided"]),
        "lost": sum(there.get(key) != identity for key, identity in seen["decided"].items()),
        "twice": sum(count > 1 for count in ours.values()),
        "taken_back": len(seen["taken_back"]),
        "taken_back_lost": sum(undos.get(which) != identity for which, identity in seen["taken_back"]),
        "uploads": len(seen["uploaded"]),
        "uploads_twice": len(seen["uploaded"]) - len(set(seen["uploaded"])),
    }


def _state(admin: httpx.Client, movie: int) -> str:
    answer = admin.get(f"/api/movies/{movie}")
    return answer.json()["state"] if answer.is_success else "lost"


def _lines(options: argparse.Namespace, measured: dict[str, Any]) -> list[str]:
    about = f"a decision each {options.every:g} s, a film each {options.upload_every:g} s"
    lines = [f"{options.curators} curators, {options.uploaders} uploaders, {options.seconds} s; {about}; milliseconds"]
    for name, each in measured["figures"].items():
        p50, p95, p99 = each["ms"]
        counted = f"{each['requests']:6} requests, {each['per_s']:6.1f} a second, {each['failures']} failed"
        lines.append(f"  {name:<24} p50 {p50:6.0f}  p95 {p95:6.0f}  p99 {p99:6.0f}   {counted}")
    lines += [f"  {count} x {kind}" for kind, count in sorted(measured["errors"].items())]
    rows = measured["rows"]
    lines.append("rows: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in rows.items()))
    states = ", ".join(f"{count} {state}" for state, count in sorted(measured["uploads"].items()))
    return [*lines, f"films uploaded, at the end of the run: {states or 'none'}"]
