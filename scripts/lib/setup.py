"""Makes or renews `.venv` for the scripts one folder up: `python setup.py [--dev]`. Standard library only.

`.venv/selects/` holds a copy of each file the environment was made from; a copy is written after everything it
stands for is in place, so an interrupted run leaves none and the next one starts again.
"""

import contextlib
import fcntl
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
MADE = VENV / "selects"
LOG = VENV / "setup.log"
PYTHON = VENV / "bin" / "python"
PINS, DEV_PINS, PROJECT, PLACE = "requirements.txt", "requirements-dev.txt", "pyproject.toml", "root"
TOOLS_PINS = "requirements-tools.txt"
TOOLS = VENV / "tools"  # programs that are called, never imported; their pins do not fit beside the project's

PIP_SETTINGS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE")
UV_SETTINGS = ("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX")

TELL_EVERY_S = 20.0
NOT_REACHED = ("Retry(total=0", "Failed to fetch")  # what pip and uv say after their last try
CPU_BUILD = {"pip": "PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS", "uv": "UV_TORCH_BACKEND=cpu"}


class SetupFailed(Exception):
    """One sentence that says what went wrong and what to do."""


def say(line: str) -> None:
    """One line to standard error."""
    print(f"selects: {line}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Bring `.venv` up to the files it is made from; 0 when it fits, 1 after one sentence, 130 when interrupted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with only_one() as lock:
            renew(lock, dev="--dev" in arguments)
    except SetupFailed as failed:
        say(str(failed))
        return 1
    except OSError as failed:
        say(f"{VENV} could not be made: {failed}.")
        return 1
    except KeyboardInterrupt:
        say("set-up interrupted; the next call takes it up again.")
        return 130
    return 0


@contextlib.contextmanager
def only_one() -> Iterator[int]:
    """Hold the lock of this checkout, a file descriptor.

    It is also handed to pip: a set-up whose parent was killed holds it until its last child is gone.
    """
    with (ROOT / ".venv.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another call is setting up .venv; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def renew(lock: int, dev: bool) -> None:
    """Do what is left to do, and no more."""
    if not (MADE / PLACE).is_file() or not PYTHON.exists():
        make(lock)
    elif not same(PINS):
        say(f"the pins have changed: installing the packages again (the log is {LOG}).")
        install(lock, PINS)
        project(lock, warm=True)
    elif not same(PROJECT) or (MADE / PLACE).read_text().rstrip("\n") != str(ROOT):
        project(lock, warm=False)
    if dev and not same(DEV_PINS):
        say("installing the tools of scripts/check and scripts/test.")
        install(lock, DEV_PINS)
    if dev and not same(TOOLS_PINS):
        say("installing the tools that have an environment of their own.")
        run("making .venv/tools", new_environment(TOOLS, "uv" if pip_install()[0] == "uv" else "pip"), lock)
        install(lock, TOOLS_PINS, TOOLS)


def make(lock: int) -> None:
    """A new environment with everything in it."""
    if VENV.exists() and any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").exists():
        raise SetupFailed(f"{VENV} is there but is no virtual environment; move it away and call again.")
    tool = installer()
    announce(tool)
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    (VENV / "pyvenv.cfg").touch()
    run("making .venv", new_environment(VENV, tool), lock)
    MADE.mkdir()
    install(lock, PINS)
    project(lock, warm=True)


def new_environment(folder: Path, tool: str) -> list[str]:
    """The command that makes an empty environment of this Python."""
    python = os.path.realpath(sys.executable)
    if tool == "uv":
        return ["uv", "venv", "--quiet", "--allow-existing", "--no-project", "--python", python, str(folder)]
    return [python, "-m", "venv", str(folder)]


def announce(tool: str) -> None:
    """Say what is about to be downloaded."""
    packages = len((ROOT / PINS).read_text().split())
    say(f"first call: making {VENV} with Python {platform.python_version()} and {tool}; later calls need no network.")
    say(f"downloading {packages} packages, about 1 GB (3 GB on disk); this takes some minutes.")
    if sys.platform == "linux":
        say(
            "the usual torch for Linux brings CUDA: 3 GB more (8 GB on disk), unless your settings lead to a CPU build."
        )
        say(f"without an NVIDIA GPU you may press Ctrl-C and set {CPU_BUILD[tool]} first; CONTRIBUTING.md says how.")


def installer() -> str:
    """`uv` where it is on PATH, but `pip` for someone whose package index is set for pip and not for uv."""
    if not shutil.which("uv"):
        return "pip"
    homes = (Path.home() / ".config", Path(os.environ.get("XDG_CONFIG_HOME", "~/.config")).expanduser(), Path("/etc"))
    for_uv = any(os.environ.get(name) for name in UV_SETTINGS) or any((h / "uv" / "uv.toml").exists() for h in homes)
    files = [Path("/etc/pip.conf"), Path.home() / ".pip" / "pip.conf", *(home / "pip" / "pip.conf" for home in homes)]
    for_pip = any(os.environ.get(name) for name in PIP_SETTINGS) or any(file.exists() for file in files)
    return "pip" if for_pip and not for_uv and can_make_venv() else "uv"


def can_make_venv() -> bool:
    """Whether this Python can make an environment with pip in it."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        return False
    return True


def same(name: str) -> bool:
    """Whether `.venv` was made from this very file."""
    copy = MADE / name
    return copy.is_file() and copy.read_bytes() == (ROOT / name).read_bytes()


def install(lock: int, pins: str, folder: Path = VENV) -> None:
    """Install a file of pins into the environment in `folder` and note it.

    While it runs the notes are away, so that a killed run is started anew; one that fails by itself (no network) puts
    them back: what worked before goes on working with the pins of before.
    """
    wanted = (ROOT / pins).read_bytes()
    aside = VENV / "selects.aside"
    MADE.rename(aside)
    try:
        run(f"installing {pins}", [*pip_install(folder), "-r", str(ROOT / pins)], lock)
    except SetupFailed:
        aside.rename(MADE)
        raise
    aside.rename(MADE)
    (MADE / pins).write_bytes(wanted)


def project(lock: int, warm: bool) -> None:
    """Link this checkout into `.venv`, `warm` what compiles on first use, and note both."""
    wanted = (ROOT / PROJECT).read_bytes()
    # A plain path in a .pth file: setuptools' usual hook costs every start tens of milliseconds.
    link = ["--no-deps", "--no-build-isolation", "--config-settings=editable_mode=compat", "--editable", str(ROOT)]
    run("linking the checkout", [*pip_install(), *link], lock)
    try:
        if warm:
            run("compiling", [str(PYTHON), "-I", str(ROOT / "scripts" / "lib" / "warm.py")], lock)
    except SetupFailed as failed:
        say(f"the first film will take longer: {failed}")
    (MADE / PROJECT).write_bytes(wanted)
    (MADE / PLACE).write_text(f"{ROOT}\n")


def pip_install(folder: Path = VENV) -> list[str]:
    """The start of an install command into `folder`, for the tool that `.venv` was made with."""
    python = folder / "bin" / "python"
    if (VENV / "bin" / "pip").exists():
        quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar=off"]
        return [str(python), "-I", "-m", "pip", "install", *quiet]
    return ["uv", "pip", "install", "--no-progress", "--compile-bytecode", "--python", str(python)]


def run(what: str, command: list[str], lock: int) -> None:
    """Run `command`, its output in the log and its latest line on a terminal; raise SetupFailed where it fails."""
    output: list[str] = []
    environment = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    try:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            pass_fds=[lock],
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError as missing:
        raise SetupFailed(f"{what} failed: {missing.filename} is not there any more.") from missing
    began = time.monotonic()
    try:
        with LOG.open("a") as log, told_now_and_then(what, began, output):
            print(f"$ {' '.join(command)}", file=log, flush=True)
            for line in process.stdout or ():
                log.write(line)
                output.append(line.strip())
                show(f"{what}, {time.monotonic() - began:.0f} s: {line.strip()}")
            print(f"= {process.wait()} after {time.monotonic() - began:.1f} s", file=log)
    finally:
        show("")
        process.terminate()
        process.wait()
    if process.returncode:
        raise SetupFailed(f"{what} failed ({reason(output)}); the whole log: {LOG}")


@contextlib.contextmanager
def told_now_and_then(what: str, began: float, output: list[str]) -> Iterator[None]:
    """Say every TELL_EVERY_S how far `what` is, where standard error is no terminal: pip is silent for minutes."""
    done = threading.Event()

    def tell() -> None:
        while not done.wait(TELL_EVERY_S):
            latest = f" ({output[-1][:100]})" if output else ""
            say(f"{what}, {time.monotonic() - began:.0f} s so far{latest}.")

    teller = threading.Thread(target=tell, daemon=True)
    if not sys.stderr.isatty():
        teller.start()
    try:
        yield
    finally:
        done.set()


def show(line: str, terminal: IO[str] = sys.stderr) -> None:
    """Replace the moving line of a terminal; nothing where there is none."""
    if terminal.isatty():
        width = shutil.get_terminal_size().columns - 1
        terminal.write(f"\r\x1b[K{line[:width]}")
        terminal.flush()


def reason(output: list[str]) -> str:
    """Why a command failed: no network, else its first error, else its last line."""
    if any(sign in line for sign in NOT_REACHED for line in output):
        return "the package index cannot be reached"
    errors = [line for line in output if line.lower().startswith(("error", "×", "╰─▶", "modulenotfounderror"))]
    said = errors or [line for line in output if line][-1:] or ["it said nothing"]
    return said[0].removeprefix("ERROR: ").removeprefix("error: ").rstrip(".")[:300]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
