"""What `scripts/bench load` has locust do: curators judge clips, uploaders send films. Needs nothing of ours.

LOAD_PLAN names a JSON file with `project`, `curators` and `uploaders` (tokens), `film` (a path), `every_s`,
`upload_every_s` and `out`, where everything is written that was seen: figures by endpoint, errors by kind, what was
acknowledged.
"""

import json
import os
import random
import struct
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from locust import FastHttpUser, HttpUser, events, task

PLAN: dict[str, Any] = json.loads(Path(os.environ["LOAD_PLAN"]).read_text())
IN_HAND, ASK_AT = 8, 4
UNDO_SHARE = 0.05
VERDICTS = ("approve", "reject", "reject", "approve", "skip", "flag")
TRIES = 5
HASTE = (0.5, 1.5)
"""People do not keep time: a decision comes after so much of what it takes on average."""
PERCENTILES = (0.5, 0.95, 0.99)

decided: dict[str, int] = {}
taken_back: dict[int, int] = {}
uploaded: list[int] = []
errors: Counter[str] = Counter()
tokens = {"curators": list(PLAN["curators"]), "uploaders": list(PLAN["uploaders"])}


@events.request.add_listener
def _seen(name: str, exception: Exception | None, **_: Any) -> None:
    """Count what went wrong, by endpoint and kind."""
    if exception is not None:
        response = getattr(exception, "response", None)
        status = getattr(response, "status_code", None) or getattr(exception, "status_code", None)
        errors[f"{name}: {type(exception).__name__}{f' {status}' if status else ''}"] += 1


class Curator(FastHttpUser):
    """Keeps clips in hand, looks at each, decides, and now and then takes the last one back."""

    fixed_count = len(PLAN["curators"])

    def on_start(self) -> None:
        """Take a token that nobody else has."""
        self.headers = {"Authorization": f"Bearer {tokens['curators'].pop()}"}
        self.hand: list[int] = []
        self.last = 0

    def wait_time(self) -> float:
        """Seconds until the next clip."""
        return float(PLAN["every_s"]) * random.uniform(*HASTE)

    @task
    def judge(self) -> None:
        """One clip."""
        if len(self.hand) <= ASK_AT:
            asked = {"project": PLAN["project"], "k": IN_HAND}
            found = self._json("GET", "/api/queue/next", "GET queue/next", params=asked)
            self.hand = [item["candidate"]["id"] for item in (found or {}).get("items", ())] or self._any()
        if not self.hand:
            return
        if self.last and random.random() < UNDO_SHARE:
            undone = self._json("POST", f"/api/decisions/{self.last}/undo", "POST decisions/undo", json={})
            if undone is not None:
                taken_back[self.last] = undone["id"]
            self.last = 0
        candidate = self.hand.pop(0)
        self._json("GET", f"/api/candidates/{candidate}/context", "GET candidate/context")
        said = {"candidate": candidate, "verdict": random.choice(VERDICTS), "key": uuid.uuid4().hex, "spent_s": 2.0}
        for _ in range(TRIES):  # as the page does: what was not answered is sent again under the same key
            kept = self._json("POST", "/api/decisions", "POST decisions", json=said)
            if kept is not None:
                decided[said["key"]] = self.last = kept["id"]
                return
            time.sleep(1)

    def _any(self) -> list[int]:
        """Where the queue has nothing left: clips that the curator picks herself."""
        errors["the queue had nothing left"] += 1
        asked = {"project": PLAN["project"], "limit": 50, "state": "ready"}
        films = (self._json("GET", "/api/movies", "GET movies", params=asked) or {}).get("items", ())
        with_clips = [film["id"] for film in films if film["candidates"]]
        if not with_clips:
            return []
        path = f"/api/movies/{random.choice(with_clips)}/candidates"
        found = self._json("GET", path, "GET movie/candidates", params={"limit": 500}) or {}
        return [random.choice(found["items"])["id"]] if found.get("items") else []

    def _json(self, method: str, path: str, name: str, **more: Any) -> Any:
        with self.client.request(method, path, name=name, headers=self.headers, catch_response=True, **more) as answer:
            if answer.status_code and answer.status_code < 400:
                return answer.json()
            answer.failure(_Failed(answer.status_code, (answer.text or "")[:200]))
            return None


class _Failed(Exception):
    """The service answered that it cannot."""

    def __init__(self, status_code: int, said: str) -> None:
        super().__init__(f"{status_code} {said}")
        self.status_code = status_code


class Uploader(HttpUser):
    """Uploads a film again and again, each time with other bytes at its end."""

    fixed_count = len(PLAN["uploaders"])
    film = Path(PLAN["film"])

    def on_start(self) -> None:
        """Take a token that nobody else has."""
        self.client.headers["Authorization"] = f"Bearer {tokens['uploaders'].pop()}"

    def wait_time(self) -> float:
        """Seconds until the next film."""
        return float(PLAN["upload_every_s"]) * random.uniform(*HASTE)

    @task
    def upload(self) -> None:
        """One film; a free box may stand anywhere in an MP4 file."""
        unique = uuid.uuid4().hex
        film = self.film.read_bytes() + struct.pack(">I4s", 8 + len(unique), b"free") + unique.encode()
        sent = {"project": str(PLAN["project"]), "title": f"Load {unique[:8]}"}
        files = {"file": (f"load-{unique[:8]}.mp4", film)}
        answer = self.client.post("/api/movies", data=sent, files=files, name="POST movies (upload)")
        if answer.ok:
            uploaded.append(answer.json()["movie"]["id"])


@events.quitting.add_listener
def _write(environment: Any, **_: Any) -> None:
    """Everything that was seen, for the bench."""
    whole = environment.stats.total
    entries = {name: entry for (name, _), entry in environment.stats.entries.items()}
    figures = {
        name: {
            "requests": entry.num_requests,
            "failures": entry.num_failures,
            "per_s": entry.total_rps,
            "ms": [entry.get_response_time_percentile(share) for share in PERCENTILES],
        }
        for name, entry in {**entries, "all": whole}.items()
    }
    seen = {"decided": decided, "taken_back": list(taken_back.items()), "uploaded": uploaded}
    Path(PLAN["out"]).write_text(json.dumps({"figures": figures, "errors": dict(errors), **seen}))
