"""`scripts/test-containers [--quick]`: the stack from a fresh checkout to a restored backup, and how long it takes.

What is lost, wrong or open fails. What is slower or larger than wanted fails the whole form; the quick one only says
so: it runs where nobody knows how busy the machine is.
"""

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent))

import film_work
import kills
import proxy
import safety
from engine import NoEngine, engine
from stack import ROOT, Failed, Stack, require, until

IMAGE = "selects:cpu"
LARGEST_BYTES = 3_000_000_000
BUILD_S, SECOND_UP_S = 600, 30
OFFLINE = re.compile(
    r"Temporary failure resolving|Could not resolve|NewConnectionError|ReadTimeoutError|Failed to fetch|"
    r"Connection (reset|timed out|refused|broken)|Could not connect to"
)
"""What apt and pip say where they reach nobody: that is no defect of the image."""
MISSED: list[str] = []


def main(arguments: list[str]) -> int:
    """0 where all is well or no engine can be had, 1 otherwise, 2 for an unknown option."""
    if set(arguments) - {"--quick"}:
        print("usage: scripts/test-containers [--quick]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    data = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared")).resolve()
    if not (data / "films").is_dir():
        print(f"CONTAINERS NOT TESTED: there are no films in {data}; SELECTS_TEST_DATA names the folder.")
        return 0
    began, quick = time.monotonic(), "--quick" in arguments
    try:
        with ExitStack() as held:
            tell(f"engine: {held.enter_context(engine(data))}")
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="selects-containers-")))
            stack = Stack(folder)
            held.callback(stack.remove)
            stack.remove()  # what a killed run has left
            _told(stack, lambda: story(stack, data, folder, quick=quick))
    except NoEngine as reason:
        print(f"CONTAINERS NOT TESTED: {reason}")
        return 0
    except (Failed, httpx.HTTPError) as failed:
        print(f"CONTAINERS FAILED after {time.monotonic() - began:.0f} s: {failed}")
        return 1
    print(f"CONTAINERS WORK: all of the above, in {time.monotonic() - began:.0f} s")
    for each in MISSED:
        print(f"MORE THAN WANTED: {each}")
    return 1 if MISSED and not quick else 0


def tell(line: str) -> None:
    """One line of what was seen or measured."""
    print(f"  {line}", flush=True)


def within(line: str, figure: float, wanted: float) -> None:
    """Say a figure, and remember it where it is more than wanted."""
    tell(f"{line} (wanted: at most {wanted:g})")
    if figure > wanted:
        MISSED.append(line)


def story(stack: Stack, data: Path, folder: Path, *, quick: bool) -> None:
    """All of it, one after the other."""
    refused = stack.compose("config", "--quiet", check=False)
    require(refused.returncode != 0 and "Set POSTGRES_PASSWORD in .env" in refused.stderr, "no password, and no error")
    stack.configure()
    build(stack)
    tell(f"first up, image built: ready after {stack.up():.1f} s")
    again = stack.up()
    within(f"second up: {again:.1f} s", again, SECOND_UP_S)
    stack.sign_in()
    safety.check(stack, tell)
    learned = film_work.learn(stack, data, folder, tell, quick=quick)
    kills.check(stack, data, tell, quick=quick)
    kept(stack, folder, learned)
    if not quick:
        proxy.check(stack, folder, tell)


def build(stack: Stack) -> None:
    """The image, its size and how long it took."""
    began = time.monotonic()
    built = stack.compose("build", check=False)
    if built.returncode and OFFLINE.search(built.stderr):
        built = stack.compose("build", check=False)
        if built.returncode and OFFLINE.search(built.stderr):
            raise NoEngine(f"the packages of the image cannot be reached: {built.stderr[-500:]}")
    require(not built.returncode, f"`docker compose build` ended with {built.returncode}: {built.stderr[-5000:]}")
    took = time.monotonic() - began
    size = int(stack.run("docker", "image", "inspect", "-f", "{{.Size}}", IMAGE).stdout)
    within(f"image built in {took:.0f} s; what the build cache holds is not built again", took, BUILD_S)
    within(f"size of the image: {size / 1e9:.2f} GB", size / 1e9, LARGEST_BYTES / 1e9)


def kept(stack: Stack, folder: Path, learned: film_work.Learned) -> None:
    """Everything stays through `down` and `up`, and comes back from a backup when the volumes are gone."""
    before = film_work.answers(stack, learned)
    down = _timed(lambda: stack.compose("down"))
    up = stack.up()
    busy = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    within(f"down and up again: {down:.1f} and {up:.1f} s, at {busy}", down + up, SECOND_UP_S)
    _same(before, film_work.answers(stack, learned), "down and up")
    backup = folder / "backup"
    took = _timed(lambda: stack.run("scripts/backup", str(backup)))
    size = sum(file.stat().st_size for file in backup.iterdir())
    stack.compose("down", "--volumes")
    stack.environment["WORKERS"] = "1"
    back = _timed(lambda: stack.run("scripts/restore", str(backup)))
    until(stack.ready, 60, "the restored service is ready")
    tell(f"backup of {size / 1e6:.0f} MB in {took:.1f} s; restored into new volumes in {back:.1f} s")
    _same(before, film_work.answers(stack, learned), "backup and restore")
    stack.inside("api", "selects", "doctor")
    refused = stack.run("scripts/restore", str(backup), check=False)
    require(refused.returncode != 0 and "--replace" in refused.stderr, "a restore would overwrite what is there")
    tell("the same answers before and after; doctor finds nothing; a restore over films is refused")


def _told(stack: Stack, work: Callable[[], None]) -> None:
    """Do it; where it fails, show what the containers say before they go."""
    try:
        work()
    except (Failed, httpx.HTTPError):
        stack.show()
        raise


def _same(before: dict[str, object], after: dict[str, object], through: str) -> None:
    other = [name for name in before if before[name] != after.get(name)]
    require(not other, f"not the same after {through}: {', '.join(other)}")


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
