"""The timeline of a film: how long a whole redraw takes with 2,000 shots, beside one with 200, in a browser.

The film is rows and drawn pictures (`tests/board_rows.py`), the shots are made up: only times mean anything. A time
begins with a frame and ends when what was asked in it is drawn; each round takes the median of 30 redraws of both.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.board_rows import house_of  # noqa: E402
from tests.browser import open_page, problems_of, running_browser, running_site  # noqa: E402
from tests.models_rows import beside  # noqa: E402

FEW, MANY = 200, 2000
FRAME_MS = 1000 / 60


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench timeline")
    asked.add_argument("--rounds", type=int, default=5)
    options = asked.parse_args(args)
    home = Path(tempfile.mkdtemp(prefix="selects-bench-"))
    try:
        with running_browser() as browser, running_site(home / "home") as site:
            service = beside(site)
            house = house_of(service, service.project("Timeline"))
            service.resources.close()
            page = open_page(browser, site.link)
            page.goto(f"{site.base}/movies/{house.movie}")
            page.locator("selects-timeline canvas").first.wait_for()
            rounds = [(_median(page, FEW), _median(page, MANY)) for _ in range(options.rounds)]
            if problems := problems_of(page):
                raise RuntimeError(problems[0])
    finally:
        shutil.rmtree(home, ignore_errors=True)
    few, many = (statistics.median(each) for each in zip(*rounds, strict=True))
    figures = {"few_ms": few, "many_ms": many, "ratio": many / few, "rounds": rounds, "limit_ms": FRAME_MS}
    verdict = "ok" if many <= FRAME_MS else "TOO SLOW"
    lines = [
        f"{FEW:>5,} shots: {few:.1f} ms a redraw",
        f"{MANY:>5,} shots: {many:.1f} ms a redraw, {many / few:.2f} x (limit {FRAME_MS:.1f} ms, a frame): {verdict}",
    ]
    return figures | {"lines": lines}


def _median(page: Page, shots: int) -> float:
    took: list[float] = page.evaluate("(shots) => inPage.redraws(shots)", shots)
    return statistics.median(took)
