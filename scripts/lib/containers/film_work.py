"""Films in, decisions, a training, a swap, a list out: all through the API."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import footage
from stack import Stack, require, until

FEW, MANY = 4, 6
TRAILER = "sintel_trailer_204p.mp4"
INGEST_S, TRAIN_S, SWAP_S = 900, 600, 15


@dataclass(frozen=True)
class Learned:
    """What there is to ask for again."""

    movie: int
    list_id: int
    version: str


def learn(stack: Stack, data: Path, folder: Path, tell: Callable[[str], None], *, quick: bool) -> Learned:
    """Ingest, decide, train, see the new model answer, and export."""
    took = _ingest(stack, [data / "films" / TRAILER])
    tell(f"the first film, {TRAILER} (52 s): {took:.1f} s, uploaded and analysed")
    _require_warm(stack)
    each = FEW if quick else MANY
    films = footage.films(data, folder, each)
    alone = _ingest(stack, [film.file for film in films])
    tell(f"{each} films of 115 s, 1 worker: {alone:.1f} s, {each * 115 / alone:.1f} times as fast as they play")
    stack.up(workers=2)
    more = footage.films(data, folder, each, first=each)
    both = _ingest(stack, [film.file for film in more])
    tell(f"{each} others, 2 workers on the same machine: {both:.1f} s, {alone / both:.2f} times as fast as 1")
    movie = _movie(stack, films[0].file.stem)
    before = _scored_by(stack, movie)
    require(before == "prior", f"{before} scores before anything was learnt")
    text = footage.decisions(films + more)
    headers = {"Content-Type": "application/x-ndjson"}
    taken = stack.post("/api/decisions/import?project=1", content=text.encode(), headers=headers)
    tell(f"{taken['added']} decisions taken in")
    version = _train(stack, movie, tell)
    return Learned(movie, _listed(stack, movie, tell), version)


def answers(stack: Stack, learned: Learned) -> dict[str, Any]:
    """What the service says of all that it holds; equal as long as nothing is lost."""
    movies = stack.get("/api/movies", project=1, limit=100, sort="oldest")["items"]
    told = ("id", "title", "sha256", "state", "shots", "scenes", "candidates")
    scored = stack.post("/api/score", json={"movie": learned.movie})
    edl = stack.client.get(f"/api/lists/{learned.list_id}/export", params={"format": "edl"}).raise_for_status()
    found = stack.get("/api/search", q="a rabbit in a meadow", project=1)
    return {
        "films": [[movie[name] for name in told] for movie in movies],
        "decisions": stack.client.get("/api/decisions/export", params={"project": 1}).raise_for_status().text,
        "model": scored["model"],
        "clips": [(clip["start_frame"], clip["score"]) for clip in scored["clips"]],
        "list": edl.text,
        "search": found,
        "likes": stack.get("/api/models/live", project=1),
    }


def _ingest(stack: Stack, files: list[Path]) -> float:
    began = time.monotonic()
    stack.done([stack.upload(file) for file in files], INGEST_S)
    return time.monotonic() - began


def _require_warm(stack: Stack) -> None:
    """Nothing was compiled for the first film that the image does not bring."""
    count = "find /tmp/numba /srv/warm/numba -type f | sed 's,.*/,,' | sort | uniq -u | wc -l"
    require(stack.inside("worker", "sh", "-c", count) == "0", "numba compiled for the first film")


def _movie(stack: Stack, title: str) -> int:
    return int(stack.get("/api/movies", project=1, text=title)["items"][0]["id"])


def _scored_by(stack: Stack, movie: int) -> str:
    return str(stack.post("/api/score", json={"movie": movie})["model"])


def _train(stack: Stack, movie: int, tell: Callable[[str], None]) -> str:
    began = time.monotonic()
    run = stack.post("/api/training/runs", json={"project": 1})["id"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = stack.get(f"/api/training/runs/{run}")
        return found if found["state"] not in ("queued", "running") else None

    found = until(ended, TRAIN_S, "the training ends", every_s=0.5)
    require(found["state"] == "done", f"the training is {found['state']}: {found['problem']}")
    took, version = time.monotonic() - began, str(found["version"])
    swapped = time.monotonic()
    until(lambda: True if _scored_by(stack, movie) == version else None, SWAP_S, f"{version} scores")
    tell(f"trained in {took:.1f} s; {version} answers {time.monotonic() - swapped:.1f} s later, in the same process")
    return version


def _listed(stack: Stack, movie: int, tell: Callable[[str], None]) -> int:
    clips = stack.get(f"/api/movies/{movie}/candidates", limit=3)["items"]
    for clip in clips:
        said = {"candidate": clip["id"], "verdict": "approve", "key": f"container-{clip['id']}"}
        stack.post("/api/decisions", json=said)
    made = stack.post("/api/lists", json={"project": 1, "name": "Of containers"})
    etag = {"If-Match": stack.client.get(f"/api/lists/{made['id']}").headers.get("etag", "")}
    stack.post(
        f"/api/lists/{made['id']}/entries",
        json={"entries": [{"candidate": clip["id"]} for clip in clips]},
        headers=etag,
    )
    for name in ("edl", "fcpxml", "json"):
        stack.client.get(f"/api/lists/{made['id']}/export", params={"format": name}).raise_for_status()
    tell(f"{len(clips)} clips approved, listed, and exported as EDL, FCPXML and JSON")
    return int(made["id"])
