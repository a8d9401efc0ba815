"""Saving decisions: 100 curators at once, a decision each 2 s on average, against a real server on both databases.

Each curator has one connection, keeps eight candidates in hand, sends a decision, and asks for more when four are
left, as the page does. Then the server is killed in the middle of such a load and started again. Afterwards the rows
are compared with what was acknowledged. The first six seconds, in which the server reads features, count for the rows
but not for the times. Features and scores are random numbers: only times mean anything.

It takes long by its design: of each database 15 s until the server has settled, 6 s of warming up, `--seconds` (60) of
load and a third of that around the kill, besides making the library and starting twice; both databases take more than
four minutes on a quiet machine, and several times that beside other heavy work. `--database sqlite --seconds 20` is
the shortest run that says something.
"""

import argparse
import asyncio
import json
import random
import sys
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.benches._databases import KINDS  # noqa: E402
from scripts.benches._server import Server, library  # noqa: E402

LIMIT_MS = 25.0
IN_HAND, ASK_AT = 8, 4
HASTE = (0.5, 1.5)
"""People do not keep time: a decision comes after so much of what it takes on average."""
VERDICTS = ("approve", "reject", "reject", "approve", "skip", "flag")
PATIENCE_S = 120.0
WARM_UP_S = 6.0
SETTLE_S = 15.0
"""A server that has just started loads its networks beside."""


@dataclass
class Seen:
    """What the curators saw: how long each decision took, which keys were acknowledged, what was given to whom."""

    took_s: list[float] = field(default_factory=list)
    asked_s: list[float] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    given: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    returned: set[int] = field(default_factory=set)


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench decisions")
    asked.add_argument("--curators", type=int, default=100)
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--every", type=float, default=2.0)
    asked.add_argument("--films", type=int, default=100)
    asked.add_argument("--clips", type=int, default=40)
    asked.add_argument("--database", choices=KINDS, action="append")
    options = asked.parse_args(args)
    measured: dict[str, Any] = {"curators": options.curators, "limit_ms": LIMIT_MS}
    lines = [f"{options.curators} curators, a decision each {options.every:g} s, {options.films} films"]
    for kind in options.database or KINDS:
        measured[kind] = _measure(kind, options)
        lines += _lines(kind, measured[kind])
    return measured | {"lines": lines}


def _measure(kind: str, options: argparse.Namespace) -> dict[str, Any]:
    with library(kind, options.curators, options.films, options.clips) as (server, tokens):
        server.start()
        time.sleep(SETTLE_S)
        seen = Seen()
        asyncio.run(_load(server, tokens, seen, WARM_UP_S, options.every))
        seen.took_s, seen.asked_s = [], []
        start, start_cpu = time.monotonic(), server.cpu_s()
        asyncio.run(_load(server, tokens, seen, options.seconds, options.every))
        cores = (server.cpu_s() - start_cpu) / (time.monotonic() - start)
        steady = _figures(seen) | {"server_cores": cores} | _compare(server, seen)
        asyncio.run(_load(server, tokens, seen, options.seconds / 3, options.every, kill=True))
        after = _compare(server, seen)
        server.stop()
    return steady | {f"{name}_after_kill": value for name, value in after.items()}


async def _load(
    server: Server, tokens: list[str], seen: Seen, seconds: float, every: float, *, kill: bool = False
) -> None:
    until = time.monotonic() + seconds
    work = [_curator(server, number, token, seen, until, every) for number, token in enumerate(tokens)]
    if kill:
        work.append(_kill(server, seconds / 2))
    await asyncio.gather(*work)


async def _kill(server: Server, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def _curator(server: Server, number: int, token: str, seen: Seen, until: float, every: float) -> None:
    line, rng = _Line(server, token), random.Random(number)
    due = time.monotonic() + rng.random() * every
    hand: list[dict[str, Any]] = []
    await asyncio.sleep(due - time.monotonic())
    while due < until:
        if len(hand) <= ASK_AT:
            start = time.perf_counter()
            got = await line.send("GET", f"/api/queue/next?project=1&k={IN_HAND}")
            seen.asked_s.append(time.perf_counter() - start)
            hand = [item["candidate"] for item in got["items"]]
            for candidate in hand:
                seen.given[candidate["id"]].add(number)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if hand:
            candidate, key, verdict = hand.pop(0), uuid.uuid4().hex, rng.choice(VERDICTS)
            start = time.perf_counter()
            said = {"candidate": candidate["id"], "verdict": verdict, "key": key, "spent_s": every}
            kept = await line.send("POST", "/api/decisions", said)
            seen.took_s.append(time.perf_counter() - start)
            seen.acknowledged[key] = kept["id"]
            if verdict == "skip":
                seen.returned.add(candidate["id"])
        due += every * rng.uniform(*HASTE)
    await line.send("POST", "/api/queue/release", {"project": 1, "candidates": [each["id"] for each in hand]})
    seen.returned.update(each["id"] for each in hand)
    line.close()


class _Line:
    """One connection of a curator, opened anew where it breaks; what was not answered is sent again."""

    def __init__(self, server: Server, token: str) -> None:
        self._server, self._token = server, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """The answer as JSON."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                status, answer = await self._exchange(head.encode() + data)
            except (OSError, EOFError):
                self.close()
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.2)
                continue
            if status >= 400:
                raise RuntimeError(f"{method} {path}: {status} {answer.decode()}\n{self._server.said()}")
            return json.loads(answer)

    async def _exchange(self, message: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._server.port)
        reader, writer = self._streams
        writer.write(message)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        return int(head.split()[1]), await reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _figures(seen: Seen) -> dict[str, Any]:
    took, asked = np.array(seen.took_s) * 1000, np.array(seen.asked_s) * 1000
    return {
        "decisions": len(took),
        "p50_ms": float(np.percentile(took, 50)),
        "p99_ms": float(np.percentile(took, 99)),
        "max_ms": float(took.max()),
        "next_p50_ms": float(np.percentile(asked, 50)),
        "next_p99_ms": float(np.percentile(asked, 99)),
    }


def _compare(server: Server, seen: Seen) -> dict[str, Any]:
    """What the database has against what was acknowledged and given."""
    rows, overlap = server.decisions()
    kept = Counter(key for key, _ in rows)
    lost = sum(dict(rows).get(key) != identity for key, identity in seen.acknowledged.items())
    # What was skipped or given back is put to another: that is no accident.
    shared = [c for c, who in seen.given.items() if len(who) > 1 and c not in overlap and c not in seen.returned]
    return {
        "acknowledged": len(seen.acknowledged),
        "lost": lost,
        "twice": sum(count > 1 for count in kept.values()),
        "shared_by_accident": len(shared),
        "of_the_overlap": sum(c in overlap and len(who) > 1 for c, who in seen.given.items()),
    }


def _lines(kind: str, figures: dict[str, Any]) -> list[str]:
    verdict = "ok" if figures["p99_ms"] <= LIMIT_MS else "TOO SLOW"
    names = ("acknowledged", "lost", "twice", "shared_by_accident")
    times = f"p50 {figures['p50_ms']:.1f} ms, p99 {figures['p99_ms']:.1f} ms (limit {LIMIT_MS:g}), "
    asking = f"p50 {figures['next_p50_ms']:.1f} ms, p99 {figures['next_p99_ms']:.1f} ms"
    return [
        f"{kind:<11} saving  {times}slowest {figures['max_ms']:.1f} ms of {figures['decisions']}: {verdict}",
        f"{'':<11} next    {asking}; the server used {figures['server_cores']:.2f} cores",
        f"{'':<11} rows    " + ", ".join(f"{figures[name]} {name.replace('_', ' ')}" for name in names),
        f"{'':<11} kill -9 " + ", ".join(f"{figures[name + '_after_kill']} {name.replace('_', ' ')}" for name in names),
    ]
