"""Who asks a process to stop, how, and what becomes of it where nobody is left to read what it says."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from backend.up import missing_at
from tests.command import COMMAND, ROOT, environment, selects
from tests.films import make_film
from tests.ports import free_port
from tests.test_up import READY_S, children_of, gone, httpx_refused
from tests.workers import wait_until

IGNORANT = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from backend.stopping import *; "


def rows(home: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "selects.db")) as database:
        return database.execute(f"SELECT * FROM {table}").fetchall()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_up_works_on_and_ends_in_order_when_its_terminal_is_closed(tmp_path: Path) -> None:
    """The log's reader goes first, as with `selects up 2>&1 | tee log`: films are analysed all the same."""
    home, out = tmp_path / "home", tmp_path / "said"
    settings = {"SELECTS_SERVER__PORT": str(free_port()), "SELECTS_VECTORS__PORT": str(free_port())}
    with out.open("w") as file:
        process = subprocess.Popen(
            [*COMMAND, "up"], env=environment(home, **settings), cwd=ROOT, stdout=file, stderr=subprocess.PIPE
        )
    try:
        wait_until(lambda: process.poll() is not None or "?token=" in out.read_text(), READY_S)
        assert process.stderr is not None
        process.stderr.close()
        film = make_film(tmp_path / "film.mp4", frames=60, cuts=(30,))
        taken = selects("ingest", film, home=home, timeout_s=READY_S, **settings)
        assert taken.returncode == 0, taken.stderr
        assert len(rows(home, "launchlink")) == 1
        pids = list(children_of(process.pid))
        process.send_signal(signal.SIGHUP)
        assert process.wait(READY_S) == 0
        assert gone(pids)()
        assert rows(home, "launchlink") == []
    finally:
        process.kill()
        process.wait()


def test_a_part_by_itself_says_what_it_lacks_and_ends_in_order_when_its_terminal_is_closed(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    assert selects("migrate", home=home).returncode == 0
    env = environment(home, SELECTS_SERVER__PORT=str(port), SELECTS_VECTORS__PORT=str(free_port()))
    for part, runs in (
        ("worker", lambda: rows(home, "worker")),
        ("serve", lambda: not httpx_refused(port)),
    ):
        with subprocess.Popen([*COMMAND, part], env=env, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: process.poll() is not None or bool(runs()), READY_S)  # noqa: B023
            if part == "serve":
                missing = missing_at(f"http://127.0.0.1:{port}")
                assert "no worker serves films" in missing
                assert "the vector server does not answer" in missing
            process.send_signal(signal.SIGHUP)
            assert process.wait(READY_S) == 0, part
    (worker,) = rows(home, "worker")
    assert "dead" in worker, "others take over at once what it leaves"


def test_nohup_keeps_its_meaning() -> None:
    said = subprocess.run(
        [sys.executable, "-c", f"{IGNORANT} print(signal.SIGHUP in stop_signals(), signal.SIGTERM in stop_signals())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "False True\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_without_standard_streams_ends_as_it_would(closed: str, tmp_path: Path) -> None:
    """As services are started that nobody listens to; Python has no stream there at all."""
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND]
    env = environment(tmp_path / "home", SELECTS_VECTORS__PORT=str(free_port()))
    for words, code in ((["nonsense"], 2), (["migrate"], 0), (["search", "rain"], 0)):
        done = subprocess.run([*shell, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), (words, done.stderr)
