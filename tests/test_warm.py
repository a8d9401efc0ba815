"""A server that starts loads what searches need beside the first requests: nobody has to ask for it first."""

import signal
import subprocess
from pathlib import Path

import pytest

from backend.search.copies import vectors_folder
from tests.command import COMMAND, ROOT, environment
from tests.databases import sqlite_in
from tests.ports import free_port
from tests.service import running
from tests.vectors import Server, Stock, filled, new_home
from tests.workers import wait_until


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_films_are_in_memory_before_anybody_searches(
    tmp_path: Path, chroma: Server, stock: Stock, sqlite_template: bytes
) -> None:
    home = new_home(tmp_path, stock)
    url = sqlite_in(home, sqlite_template)
    with running(home, url, vectors=chroma.section) as service:
        filled(service, stock, service.project())
    copies = {str(file) for file in (vectors_folder(home) / "efficientnet").iterdir()}
    assert len(copies) == len(stock.films)
    settings = {"SELECTS_DATABASE__URL": url, "SELECTS_VECTORS__PORT": str(chroma.port)}
    env = environment(home, SELECTS_SERVER__PORT=str(free_port()), **settings)
    log = home / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen([*COMMAND, "serve"], cwd=ROOT, env=env, stdout=file, stderr=file)
    try:
        # Nothing is asked of it. What it has looked at of vectors are files that it maps.
        wait_until(lambda: process.poll() is not None or copies <= mapped(process.pid), why=log.read_text)
        assert process.poll() is None, log.read_text()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def mapped(pid: int) -> set[str]:
    """The files that a process has mapped into its memory."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6}
