"""All of Selects as a person meets it: `selects up` in processes of its own, and a real browser in front of it."""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.command import COMMAND, environment
from tests.films import make_film, read_frame_number, run_ffmpeg
from tests.packages import install
from tests.ports import free_port

START_LIMIT_S = 180
STOP_LIMIT_S = 180
WAIT_MS = 90_000
"""For what a page is to show: a limit for busy machines, which costs nothing where all is well."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
)
SCRIPTS = Path(__file__).with_name("in_page.js")
FRAMES, RATE = 400, 10
CUTS = (25, 60, 85, 130, 150, 190, 215, 240, 280, 300, 340, 370)
PROBLEMS: dict[Page, list[str]] = {}
LINE = "The lantern in the harbour is still burning."


@dataclass(frozen=True)
class Site:
    """A running Selects. `link` signs the owner in, as the one that a person is shown."""

    home: Path
    base: str
    link: str

    def api(self, method: str, path: str, **more: Any) -> Any:
        """What the API answers the owner, as JSON."""
        headers = {"Authorization": f"Bearer {_token(self.home)}"}
        answer = httpx.request(method, self.base + path, headers=headers, timeout=60, **more)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None


@cache
def _token(home: Path) -> str:
    command = [*COMMAND, "token", "create"]
    return subprocess.run(command, env=environment(home), stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Site]:
    """The whole of Selects under a home of its own, for a browser to look at."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with running_browser() as browser:
        yield browser


@contextmanager
def running_site(home: Path) -> Iterator[Site]:
    """`selects up` on free ports, until the block ends; it must end well then."""
    port, vectors = free_port(), free_port()
    settings = {"SELECTS_SERVER__PORT": str(port), "SELECTS_VECTORS__PORT": str(vectors)}
    home.mkdir(parents=True, exist_ok=True)
    log = home / "up.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*COMMAND, "up"],
            env=environment(home, **settings),
            cwd=home,
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the tests; they stop it when they are done
        )
    try:
        yield Site(home, f"http://127.0.0.1:{port}", _link(process, log))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_LIMIT_S) == 0, log.read_text()


def _link(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        if found := re.search(r"http://\S+\?token=\S+", log.read_text()):
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium, installed where it is missing and can be; skips loudly without it."""
    binary = _binary() or (install("chromium") and _binary())
    if not binary:
        pytest.skip("NO CHROMIUM: install it (Debian and Ubuntu: apt install chromium)")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=list(FLAGS))
        yield browser
        browser.close()


def _binary() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def make_speaking_film(path: Path) -> Path:
    """A film of 40 s with thirteen shots, each frame with its number, and a text track in which LINE is said at 9 s."""
    silent = make_film(path.with_name("silent_" + path.name), FRAMES, RATE, cuts=CUTS, clicks_s=(3, 9, 14, 22, 31))
    words = path.with_suffix(".srt")
    words.write_text(f"1\n00:00:09,000 --> 00:00:12,000\n{LINE}\n")
    tracks = ("-map", 0, "-map", 1, "-c", "copy", "-c:s", "mov_text", "-metadata:s:s:0", "language=eng")
    run_ffmpeg("-i", f"file:{silent}", "-i", f"file:{words}", *tracks, f"file:{path}")
    silent.unlink()
    return path


def shown_frame(page: Page, video: str = "selects-player video") -> int:
    """The number that the frame in a player carries."""
    box = page.evaluate("inPage.picture", video)
    picture: NDArray[np.uint8] = np.array(box["grey"], np.uint8).reshape(box["height"], box["width"])
    return read_frame_number(picture)


def open_page(browser: Browser, path: str, **context: Any) -> Page:
    """A page of a browser that nobody has used; what goes wrong in its scripts is kept in `problems_of(page)`."""
    opened = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **context})
    opened.set_default_timeout(WAIT_MS)
    opened.add_init_script(path=SCRIPTS)
    page = opened.new_page()
    PROBLEMS[page] = []
    page.on("pageerror", lambda error: PROBLEMS[page].append(str(error)))
    page.goto(path)
    return page


def problems_of(page: Page) -> list[str]:
    """What went wrong in the scripts of a page."""
    return PROBLEMS[page]
