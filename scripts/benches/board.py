"""The board: from letting go of dragged thumbnails to seeing them in their new place, with 2,000 shots in a browser.

A film as rows and real files (`tests/board_rows.py`): drawn pictures, places by turns; only times mean anything.
Every cluster is loaded first, so that all shots are in the page. Then thumbnails, one to nine at a time, are dragged to
other places and to noise. A time begins with the time stamp of the pointer being let go, and ends with the frame after
the one in which the thumbnails were found in their new place: then that was painted. `saved` ends when the server has
kept it.
"""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as TookTooLong

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.board_rows import house_of  # noqa: E402
from tests.browser import Site, open_page, problems_of, running_browser, running_site  # noqa: E402
from tests.models_rows import beside  # noqa: E402

LIMIT_MS = 100.0
LATENCIES_MS = (0, 40)
PLACES = 24
IN_VIEW = 3
"""So many columns are seen whole in a window of this size."""

LONGEST_MS = 20_000
WATCH = """
window.watch = (() => {
  const board = () => document.querySelector("selects-board");
  let let_go = 0, seen = 0, saved = 0, ids = [], to = null;
  const there = () => ids.every((id) => document.querySelector(`[data-list="${to}"] > [data-id="${id}"]`));
  addEventListener("pointerup", (event) => {
    if (!to || !board().drag.active) return;
    [let_go, ids] = [event.timeStamp, board().selection.list];
    const painted = () => requestAnimationFrame((now) => { seen = now; });
    const look = () => requestAnimationFrame(() => (there() ? painted() : look()));
    look();
  }, {capture: true});
  return {
    async load() {
      const {shelves} = board();
      const all = [...shelves.order, "noise"];
      for (const place of all) while (shelves.list(place).next !== null) await shelves.loadMore(place);
      return document.querySelectorAll("selects-board .tile").length;
    },
    expect(where) {
      [to, let_go, seen, saved] = [where, 0, 0, 0];
      board().acts.addEventListener("done", () => { saved = performance.now(); }, {once: true});
      board().acts.addEventListener("refused", () => { saved = -1; }, {once: true});
    },
    state: () => {
      const {selection, shelves, drag} = board(), lie = ids.map((id) => shelves.placeOf(id));
      const said = [...document.querySelectorAll(".toast")].map((each) => each.textContent);
      return JSON.stringify({to, ids, lie, let_go, seen, saved, dragging: drag.active, selected: selection.list, said});
    },
    told: () => (seen && saved ? {seen: seen - let_go, saved: saved < 0 ? null : saved - let_go} : null),
  };
})();
"""


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench board")
    asked.add_argument("--shots", type=int, default=2000)
    asked.add_argument("--drags", type=int, default=60)
    options = asked.parse_args(args)
    home = Path(tempfile.mkdtemp(prefix="selects-bench-"))
    try:
        with running_browser() as browser, running_site(home / "home") as site:
            service = beside(site)
            project = house_of(service, service.project("Board"), options.shots, PLACES).project
            service.resources.close()
            found = {f"latency_{ms}_ms": _measure(browser, site, project, ms, options.drags) for ms in LATENCIES_MS}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    first = f"{options.shots:,} shots in {PLACES} places and noise, all in the page; {options.drags} drags each"
    return {"limit_ms": LIMIT_MS, "shots": options.shots, **found, "lines": [first, *_lines(found)]}


def _measure(browser: Browser, site: Site, project: int, latency_ms: int, drags: int) -> dict[str, Any]:
    page = open_page(browser, site.link)
    page.add_init_script(WATCH)
    page.context.add_cookies([{"name": "selects_project", "value": str(project), "url": site.base}])
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    through = {"downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", {"offline": False, "latency": latency_ms, **through})
    page.goto(f"{site.base}/board")
    page.locator(".board-ground .tile").first.wait_for()
    tiles = page.evaluate("watch.load()")
    rng = random.Random(latency_ms)
    took = [_drag(page, rng) for _ in range(drags)]
    if problems := problems_of(page):
        raise RuntimeError(problems[0])
    page.context.close()
    figures = {"tiles": tiles, "drags": len(took), "refused": sum(each["saved"] is None for each in took)}
    for name in ("seen", "saved"):
        times = [each[name] for each in took if each[name] is not None]
        figures |= {f"{name}_p{q}_ms": float(np.percentile(times, q)) for q in (50, 95)}
        figures |= {f"{name}_max_ms": max(times)}
    return figures


def _drag(page: Page, rng: random.Random) -> dict[str, float | None]:
    """One to nine thumbnails of one of the columns in view go to another one, or to noise."""
    page.evaluate("document.querySelector('.board-ground').scrollTo(0, 0)")
    columns = page.locator(".board-ground > .board-column")
    # By their names: columns may change places when the board has looked what there is now.
    there = [_named(page, columns.nth(at)) for at in range(IN_VIEW)] + [
        _named(page, page.locator(".board-side .board-column"))
    ]
    start = rng.choice([each for each in there if each.locator(".tile").count()])
    end = rng.choice([each for each in there if each is not start])
    tiles = start.locator(".tile")
    most = tiles.count() - 1
    first = min(rng.randrange(2), most)
    last = min(first + rng.randrange(9), most)
    tiles.nth(first).click()
    tiles.nth(last).click(modifiers=["Shift"])
    tiles.nth(first).scroll_into_view_if_needed()
    page.evaluate("(to) => watch.expect(to)", end.get_attribute("data-place"))
    x, y = _middle(tiles.nth(first))
    page.mouse.move(x, y)
    page.mouse.down()
    x, y = _middle(end)
    page.mouse.move(x, y, steps=8)
    page.mouse.up()
    try:
        told: dict[str, float | None] = page.wait_for_function("watch.told()", timeout=LONGEST_MS).json_value()
    except TookTooLong as error:
        raise RuntimeError(f"A drag did not end: {page.evaluate('watch.state()')}") from error
    return told


def _named(page: Page, column: Locator) -> Locator:
    return page.locator(f'.board-column[data-place="{column.get_attribute("data-place")}"]')


def _middle(found: Locator) -> tuple[float, float]:
    box = found.bounding_box()
    if box is None:
        raise RuntimeError("What is to be dragged is not to be seen.")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _lines(found: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for ms, each in zip(LATENCIES_MS, found.values(), strict=True):
        verdict = "ok" if each["seen_p95_ms"] <= LIMIT_MS else "TOO SLOW"
        lines.append(f"{ms:>2} ms of network: {each['tiles']:,} thumbnails, {each['refused']} drags refused")
        for name, told in (("seen", f" ms (limit for p95 {LIMIT_MS:g}): {verdict}"), ("saved", " ms")):
            times = ", ".join(f"{what} {each[f'{name}_{what}_ms']:.0f}" for what in ("p50", "p95", "max"))
            lines.append(f"   {name:<6} {times}{told}")
    return lines
