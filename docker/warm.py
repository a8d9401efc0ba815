"""Run while the image is built: what the first film, the first request and every start would otherwise compile.

`warm.py` compiles into the folders that the environment names (PYTHONPYCACHEPREFIX, NUMBA_CACHE_DIR). Only modules that
ours import, at the top or within a function, and what these import: those of all packages would be 450 MB.
`warm.py prove` ranks a film with what the image holds and no more.
"""

import ast
import importlib
import os
import pkgutil
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("backend", "labeling", "trainer")
RUNNING = ("backend.__main__", "backend.migrations.env", "trainer.__main__")
"""Importing these runs them."""


def load_everything() -> None:
    """Import each module of ours, and all that any of their functions would."""
    for name in sorted(set(_ours())):
        importlib.import_module(name)
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            # What is not installed, or only for another profile, its function will say.
            with suppress(ImportError, AttributeError):
                if isinstance(node, ast.Import):
                    for alias in node.names:
                        importlib.import_module(alias.name)
                elif isinstance(node, ast.ImportFrom) and node.module and node.module not in RUNNING:
                    found = importlib.import_module(node.module)
                    for alias in node.names:
                        getattr(found, alias.name)


def rank_a_film() -> None:
    """The made-up film of `--sample` goes through all models."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "backend", "find", "--sample", "--output", f"{home}/clips"]
        subprocess.run(command, env=os.environ | {"SELECTS_HOME": home}, check=True)


def _ours() -> Iterator[str]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if module.name not in RUNNING:
                yield module.name


def main(arguments: list[str]) -> None:
    """Compile, or prove."""
    if arguments == ["prove"]:
        rank_a_film()
        return
    runpy.run_path(str(ROOT / "scripts" / "lib" / "warm.py"))["main"]()
    load_everything()


if __name__ == "__main__":
    main(sys.argv[1:])
