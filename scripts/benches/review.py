"""Reviewing: from a key press to the next clip playing, in a browser with 200 queued clips, with and without latency.

A film (the first argument) is ingested by a running Selects, and windows of it whose ends are cuts are queued; their
scores are random numbers: only times mean anything. Keys are pressed as fast as somebody does who decides within a
second: verdicts of each kind, one undo in eight, now and then three in a row. A time begins with the key's own time
stamp. `picture` ends when the next clip's first picture was drawn, `playing` when the picture after that, the first
that is there because the clip plays, is expected on the screen (requestVideoFrameCallback).
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page
from sqlmodel import Session, col, select

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.library.models import Candidate, Movie, Shot  # noqa: E402
from backend.resources import Resources  # noqa: E402
from backend.settings import Settings  # noqa: E402
from tests.browser import Site, open_page, running_browser, running_site  # noqa: E402

LIMIT_MS = 100.0
LATENCIES_MS = (0, 40)
VERDICTS = ("a", "x", "x", "a", " ", "f")
CLIP_S = (8.0, 60.0)
PAUSE_S = (0.4, 0.9)
INGEST_LIMIT_S = 1800
BURST_SHARE = 0.25
WATCH = """
window.watch = (() => {
  const videos = () => [...document.querySelectorAll(".deck video")];
  const shown = () => videos().find((each) => each.matches(".on"));
  let pressed = 0, before = null, picture = 0, playing = 0, expecting = false;
  const look = (video) => video.requestVideoFrameCallback((_now, frame) => {
    const shows = video === shown() && video !== before && !video.paused && !video.seeking;
    if (expecting && pressed && shows && frame.mediaTime !== video.last) playing ||= frame.expectedDisplayTime;
    video.last = frame.mediaTime;
    look(video);
  });
  addEventListener("keydown", (event) => {
    if (!expecting || pressed) return;
    pressed = event.timeStamp;
    const next = () => requestAnimationFrame(() => {
      if (shown() === before || shown().readyState < 2 || shown().seeking) return next();
      requestAnimationFrame((drawn) => { picture = drawn; });
    });
    next();
  }, {capture: true});
  return {
    start: () => videos().forEach(look),
    plays: () => shown()?.currentTime > 0 && !shown().paused,
    expect: () => { [pressed, before, picture, playing, expecting] = [0, shown(), 0, 0, true]; },
    seen: () => (picture && playing ? {picture: picture - pressed, playing: playing - pressed} : null),
  };
})();
"""


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench review")
    asked.add_argument("film", type=Path)
    asked.add_argument("--clips", type=int, default=200)
    asked.add_argument("--keys", type=int, default=150)
    options = asked.parse_args(args)
    home = Path(tempfile.mkdtemp(prefix="selects-bench-"))
    try:
        with running_browser() as browser, running_site(home / "home") as site:
            _ingest(site, options.film)
            queued = _queue(site, options.clips + len(LATENCIES_MS) * options.keys)
            found = {f"latency_{ms}_ms": _measure(browser, site, ms, options.keys) for ms in LATENCIES_MS}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    first = f"{options.film.name}, {queued} clips queued, {options.keys} keys each"
    return {"limit_ms": LIMIT_MS, "queued": queued, **found, "lines": [first, *_lines(found)]}


def _ingest(site: Site, film: Path) -> None:
    with film.open("rb") as content:
        added = site.api("POST", "/api/movies", files={"file": (film.name, content)})
    until = time.monotonic() + INGEST_LIMIT_S
    while (state := site.api("GET", f"/api/movies/{added['movie']['id']}")["state"]) != "ready":
        if state == "failed" or time.monotonic() > until:
            raise RuntimeError(f"The film is {state}.")
        time.sleep(1)


def _queue(site: Site, wanted: int) -> int:
    """Adds candidates as a ranking would; gives how many there are."""
    resources, rng = Resources(Settings(home=site.home)), random.Random(0)
    with Session(resources.engine) as session:
        movie = session.exec(select(Movie)).one()
        shots = session.exec(select(Shot).order_by(col(Shot.number))).all()
        known = {(row.start_frame, row.end_frame) for row in session.exec(select(Candidate)).all()}
        fits = [(a, b) for a in shots for b in shots if CLIP_S[0] <= b.end_s - a.start_s <= CLIP_S[1]]
        fresh = [(a, b) for a, b in fits if (a.start_frame, b.end_frame) not in known]
        for first, last in rng.sample(fresh, min(wanted, len(fresh))):
            session.add(_candidate(movie, first, last, rng.random()))
        session.commit()
    resources.close()
    return len(known) + min(wanted, len(fresh))


def _candidate(movie: Movie, first: Shot, last: Shot, score: float) -> Candidate:
    row = Candidate(project_id=movie.project_id, movie_id=movie.id, movie_sha256=movie.sha256 or "", movie_title="")
    row.start_frame, row.start_s, row.scene = first.start_frame, first.start_s, first.scene
    row.rank = first.number + 10
    row.end_frame, row.end_s = last.end_frame, last.end_s
    row.score, row.compelling, row.viral, row.model, row.band = score, score, score, "prior", "medium"
    row.explanation = {"dynamics": 0.2, "visual": 0.1, "audio": 0.05, "faces": -0.02}
    row.reasons = ["Loud, fast cutting.", "Two close faces."]
    return row


def _measure(browser: Browser, site: Site, latency_ms: int, keys: int) -> dict[str, Any]:
    page = open_page(browser, site.link)
    page.add_init_script(WATCH)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    through = {"downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", {"offline": False, "latency": latency_ms, **through})
    page.goto(f"{site.base}/review")
    page.wait_for_function("watch.plays()", timeout=60_000)
    page.evaluate("watch.start()")
    page.wait_for_timeout(3000)
    rng, took = random.Random(latency_ms), []
    for key in _keys(rng, keys):
        took.append({"key": key} | _press(page, key))
        page.wait_for_timeout(1000 * rng.uniform(*PAUSE_S))
    page.wait_for_function("document.querySelector('.saved').dataset.waiting === '0'")
    page.context.close()
    return _figures(took)


def _keys(rng: random.Random, count: int) -> list[str]:
    """Keys one after the other; nothing is taken back that was not said."""
    keys: list[str] = []
    while len(keys) < count:
        keys += rng.choices(VERDICTS, k=rng.randint(4, 10)) + ["Backspace"] * (3 if rng.random() < BURST_SHARE else 1)
    return keys[:count]


def _press(page: Page, key: str) -> dict[str, float]:
    page.evaluate("watch.expect()")
    page.keyboard.press(key)
    seen: dict[str, float] = page.wait_for_function("watch.seen()", timeout=20_000).json_value()
    return seen


def _figures(took: list[dict[str, Any]]) -> dict[str, Any]:
    undone = [each for each in took if each["key"] == "Backspace"]
    figures: dict[str, Any] = {"keys": len(took), "undos": len(undone)}
    for name in ("picture", "playing"):
        figures |= _percentiles(name, [each[name] for each in took])
    return figures | _percentiles("undo", [each["playing"] for each in undone])


def _percentiles(name: str, times: list[float]) -> dict[str, float]:
    return {f"{name}_p{q}_ms": float(np.percentile(times, q)) for q in (50, 95)} | {f"{name}_max_ms": max(times)}


def _lines(found: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for ms, each in zip(LATENCIES_MS, found.values(), strict=True):
        verdict = "ok" if each["playing_p95_ms"] <= LIMIT_MS else "TOO SLOW"
        lines.append(f"{ms:>2} ms of network: {each['keys']} keys, {each['undos']} of them undo")
        for name in ("picture", "playing", "undo"):
            times = ", ".join(f"{what} {each[f'{name}_{what}_ms']:.0f}" for what in ("p50", "p95", "max"))
            told = f" ms (limit for p95 {LIMIT_MS:g}): {verdict}" if name == "playing" else " ms"
            lines.append(f"   {name:<8} {times}{told}")
    return lines
