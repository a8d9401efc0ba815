"""The compose stack under test: a checkout of its own, its containers, and its API."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[3]
PROJECT = "selects-test"
T = TypeVar("T")


class Failed(Exception):
    """Something is not as it must be."""


def require(fine: bool, otherwise: str) -> None:
    """Raise Failed unless it is fine."""
    if not fine:
        raise Failed(otherwise)


def until(look: Callable[[], T | None], limit_s: float, what: str, every_s: float = 0.2) -> T:
    """What `look` gives as soon as it gives something; raises Failed after so long. A stack that is down: nothing."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        with suppress(httpx.HTTPError):
            if (found := look()) is not None:
                return found
        time.sleep(every_s)
    raise Failed(f"{what}: not within {limit_s:g} s")


class Stack:
    """A fresh checkout in `folder`, as somebody who was told two lines would set it up."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.port = free_port()
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, listed.split("\0")):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.checkout / name)
        self.environment = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT}
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120, trust_env=False)
        self.token = ""

    def configure(self) -> None:
        """`cp .env.example .env`, and a password with all that makes trouble in addresses."""
        lines = (self.checkout / ".env.example").read_text().splitlines()
        said = {"POSTGRES_PASSWORD": f"'{secrets.token_hex(8)}@:/%#?'", "API_PORT": str(self.port)}
        made = [f"{name}={said[name]}" if (name := line.partition("=")[0]) in said else line for line in lines]
        (self.checkout / ".env").write_text("\n".join([*made, "SELECTS_TRAINING__NEW_LABELS=0", ""]))

    def compose(self, *arguments: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
        """`docker compose …`; what it says is kept, and shown where it fails."""
        return self.run("docker", "compose", *arguments, check=check, **more)

    def run(self, *command: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
        """A command in the checkout."""
        kept = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True} | more
        if "input" in kept:
            del kept["stdin"]
        ended = subprocess.run(command, cwd=self.checkout, env=self.environment, check=False, **kept)
        if check and ended.returncode:
            sys.stderr.write(f"{ended.stdout or ''}{ended.stderr or ''}")
            raise Failed(f"`{' '.join(command)[:100]}` ended with {ended.returncode}")
        return ended

    def up(self, workers: int = 1) -> float:
        """`docker compose up --wait`, and how long until the service is ready."""
        began = time.monotonic()
        self.compose("up", "--wait", "--scale", f"worker={workers}")
        until(self.ready, 60, "the service is ready")
        return time.monotonic() - began

    def ready(self) -> bool | None:
        """True where /ready says so."""
        return True if self.client.get("/ready", timeout=5).status_code == 200 else None

    def containers(self, service: str) -> list[str]:
        """The ids of the running containers of a service."""
        return self.compose("ps", "--quiet", "--status", "running", service).stdout.split()

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        """What a command in a container says."""
        return self.compose("exec", "-T", service, *command, check=check).stdout.strip()

    def rows(self, query: str) -> list[list[str]]:
        """What the database answers, as text."""
        said = self.inside("postgres", "psql", "-U", "selects", "-h", "127.0.0.1", "-AtF", "|", "-c", query, "selects")
        return [line.split("|") for line in said.splitlines()]

    def sign_in(self) -> None:
        """A token of the first admin, as README.md has it."""
        self.token = self.inside("api", "selects", "token", "create", "--admin")
        self.client.headers["Authorization"] = f"Bearer {self.token}"

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at a path of the API."""
        return self.client.get(path, params=parameters).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        """The JSON that a POST of JSON answers."""
        answer = self.client.post(path, **body)
        require(answer.is_success, f"POST {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def upload(self, file: Path) -> str:
        """Send a film, and give the id of its job."""
        with file.open("rb") as film:
            added = self.post("/api/movies", files={"file": (file.name, film)}, data={"title": file.stem})
        return str(added["job"]["id"])

    def done(self, jobs: list[str], limit_s: float) -> None:
        """Wait until all these jobs are done; raises Failed for one that ends otherwise."""

        def look() -> bool | None:
            found = [self.get(f"/api/jobs/{job}") for job in jobs]
            for job in found:
                require(job["state"] not in ("failed", "cancelled"), f"job {job['id']}: {job['problem']}")
            return True if all(job["state"] == "done" for job in found) else None

        until(look, limit_s, f"{len(jobs)} jobs are done", every_s=0.5)

    def show(self) -> None:
        """What the containers are and said last, for whoever has to find out why."""
        for command in (("ps", "--all"), ("logs", "--tail", "60", "--no-color")):
            print(self.compose(*command, check=False).stdout[-20_000:], file=sys.stderr, flush=True)

    def remove(self) -> None:
        """Containers, networks and volumes go."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
