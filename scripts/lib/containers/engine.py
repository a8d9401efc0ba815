"""A Docker engine for the test: the one that is there, or the one that can be brought up on this machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
EXPORT = re.compile(r'(\w+)=("[^"]*"|\S+)')


class NoEngine(Exception):
    """No Docker engine answers, and none can be brought up here."""


@contextmanager
def engine(data: Path) -> Iterator[str]:
    """Set the environment so that `docker` works, and say what it is; one that was brought up here goes down again."""
    if _answers():
        yield "the engine that is here"
        return
    own = Path(os.environ.get("SELECTS_ENGINE") or data / "docker" / "engine")
    if not own.is_file():
        raise NoEngine("`docker version` fails, and SELECTS_ENGINE names no program that brings an engine up.")
    if os.geteuid() != 0:
        raise NoEngine(f"`docker version` fails, and {own} needs root.")
    runs = subprocess.run([own, "env"], capture_output=True, check=False).returncode == 0
    if subprocess.run([own, "up"], check=False).returncode:
        raise NoEngine(f"{own} could not bring an engine up; the lines above say why.")
    try:
        said = subprocess.run([own, "env"], capture_output=True, text=True, check=True).stdout
        for name, value in EXPORT.findall(said):
            os.environ[name] = value.strip('"').replace("$PATH", os.environ["PATH"]).replace('"', "")
        if not _answers():
            raise NoEngine(f"{own} is up, but `docker version` fails.")
        yield f"{own}, {'which was running' if runs else 'brought up for this'}"
    finally:
        if not runs:
            subprocess.run([own, "down"], check=False)


def _answers() -> bool:
    if not shutil.which("docker"):
        return False
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return not asked.returncode and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
