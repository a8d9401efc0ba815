"""`selects up` and `selects ingest` as people run them: what starts, what comes back, and that all of it ends."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.command import COMMAND, ROOT, environment, selects
from tests.databases import database
from tests.films import make_film
from tests.ports import free_port
from tests.workers import wait_until

READY_S = 300
PARTS = {"vectors": "chromadb_rust_bindings", "server": "serve", "worker": "worker"}


class Up:
    """A running `selects up` and what it says."""

    def __init__(self, home: Path, *words: str, **settings: str) -> None:
        self.port = free_port()
        ports = {"SELECTS_SERVER__PORT": str(self.port), "SELECTS_VECTORS__PORT": str(free_port())}
        self.settings = ports | settings
        env = environment(home, **self.settings)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        # A session of its own, so that nothing of it is missed when it is looked for.
        self.process = subprocess.Popen([*COMMAND, "up", *words], env=env, cwd=ROOT, start_new_session=True, **pipes)
        self.said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    def link(self) -> str:
        """The link that it prints when all is ready."""
        pattern = re.compile(rf"http://127\.0\.0\.1:{self.port}/\?token=slc_[\w-]+")
        wait_until(lambda: self.process.poll() is not None or bool(pattern.search(self.words())), READY_S, self.words)
        found = pattern.search(self.words())
        assert found, self.words()
        return found[0]

    def words(self) -> str:
        return "".join(self.said)

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/ready", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


def children_of(pid: int) -> dict[int, str]:
    """Process ids below a process and their command lines."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: command_line(child) for child in found - {pid}}


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def part_of(up: Up, name: str) -> int | None:
    """The process id of a part."""
    children = children_of(up.process.pid)
    found = [pid for pid, words in children.items() if re.search(rf"\b{PARTS[name]}\b", words) and alive(pid)]
    return min(found, default=None)


@contextmanager
def up(home: Path, *words: str, **settings: str) -> Iterator[Up]:
    made = Up(home, *words, **settings)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.send_signal(signal.SIGTERM)
        made.process.wait(READY_S)


def gone(pids: list[int]) -> Callable[[], bool]:
    return lambda: not any(alive(pid) for pid in pids)


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_it_starts_comes_back_and_ends(tmp_path: Path) -> None:
    """One story: an empty home, the link, each part killed, a second `up`, Ctrl-C."""
    home = tmp_path / "a home"
    with up(home) as running:
        link = running.link()
        assert running.ready()
        page = httpx.get(link, trust_env=False)
        assert (page.status_code, page.headers["location"]) == (303, "/")
        assert "selects_session" in page.headers["set-cookie"]
        for name in PARTS:
            old = part_of(running, name)
            assert old is not None, children_of(running.process.pid)
            os.kill(old, signal.SIGKILL)
        wait_until(lambda: not running.ready(), READY_S, running.words)
        wait_until(running.ready, READY_S, running.words)
        assert len(re.findall("is started again", running.words())) == len(PARTS)

        second = selects("up", home=home, **(running.settings | {"SELECTS_SERVER__PORT": str(free_port())}))
        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr == f"selects: Selects is running already with {str(home)!r}; use that, or stop it first.\n"

        pids = list(children_of(running.process.pid))
        assert len(pids) >= len(PARTS)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(READY_S) == 130
        assert gone(pids)()
        assert "Traceback" not in running.words()
        assert "does not stop and is killed" not in running.words()
    assert httpx_refused(running.port)


def test_it_ends_in_order_without_its_database(postgresql: str, tmp_path: Path) -> None:
    with database(postgresql) as url, up(tmp_path / "home", SELECTS_DATABASE__URL=url) as running:
        running.link()
        name = url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(host=postgresql, user="postgres", dbname="postgres", autocommit=True) as server:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        wait_until(lambda: not running.ready(), READY_S, running.words)
        said = len(running.words())
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(READY_S) == 130
        ending = running.words()[said:].partition("selects: stopping")[2]
        assert ending
        assert "close_launch_links" not in ending, ending


def httpx_refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_parts_end_when_it_is_killed_and_the_next_one_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        old = first.link()
        pids = list(children_of(first.process.pid))
        first.process.kill()
        first.process.wait()
    with up(home, **first.settings | {"SELECTS_SERVER__PORT": str(free_port())}) as second:
        second.port = int(second.settings["SELECTS_SERVER__PORT"])
        wait_until(gone(pids))
        new = second.link()
        stale = httpx.get(old.replace(str(first.port), str(second.port)), trust_env=False)
        assert ("set-cookie" in stale.headers, new != old) == (False, True), "the link works until it is stopped"
        film = make_film(tmp_path / "film.mp4", frames=100, cuts=(40,))
        taken = selects("ingest", film, home=home, **second.settings)
        assert (taken.returncode, taken.stdout) == (0, ""), taken.stderr
        assert taken.stderr.splitlines()[0] == "Film: queued"
        assert taken.stderr.splitlines()[-1] == "Film: done"
        assert not (home / "logs" / "worker.log").exists(), "it used the worker that runs"
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(READY_S) == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    for setting in ("SELECTS_SERVER__PORT", "SELECTS_VECTORS__PORT"):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = str(other.getsockname()[1])
            ports = {"SELECTS_SERVER__PORT": str(free_port()), "SELECTS_VECTORS__PORT": str(free_port())}
            done = selects("up", home=tmp_path / "home", **(ports | {setting: port}))
        assert (done.returncode, done.stdout) == (2, "")
        said = f"Cannot listen on 127.0.0.1:{port}: address already in use; choose another with {setting}.\n"
        assert done.stderr == f"selects: {said}"


def test_ingest_of_a_folder_brings_a_worker_of_its_own(tmp_path: Path) -> None:
    """And after `kill -9` of everything the next one does the rest, though the dead still stand as alive."""
    home, films = tmp_path / "home", tmp_path / "films"
    (films / "below").mkdir(parents=True)
    make_film(films / "one.mp4", frames=60, cuts=(30,))
    make_film(films / "below" / "two.mkv", frames=60, cuts=(20,))
    (films / "broken.mp4").write_bytes(b"no film")
    (films / "notes.txt").write_text("no film either")
    ports = {"SELECTS_SERVER__PORT": str(free_port()), "SELECTS_VECTORS__PORT": str(free_port())}
    env = environment(home, **ports)
    with subprocess.Popen([*COMMAND, "ingest", films], env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True) as killed:
        assert killed.stderr is not None
        for line in killed.stderr:
            if "finding shots" in line:
                break
        pids = list(children_of(killed.pid))
        for pid in [killed.pid, *pids]:
            os.kill(pid, signal.SIGKILL)
    wait_until(gone(pids))
    done = selects("ingest", films, home=home, **ports)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    said = done.stderr.splitlines()
    for title in ("One", "Two"):
        assert any(line.startswith(title) and ": done" in line for line in said), done.stderr
    assert any(line.startswith("Broken: failed: Cannot read 'broken.mp4': ") for line in said)
    assert said[-1] == "selects: 1 of 3 films could not be taken in; the lines above say why."
    again = selects("ingest", films / "one.mp4", home=home, **ports)
    assert (again.returncode, again.stderr) == (0, "One (in the library already): done\n")
    if sys.platform == "linux":  # where a name may be any bytes
        shutil.copy(films / "one.mp4", films / os.fsdecode(b"caf\xe9.mp4"))
        mixed = selects("ingest", films / "one.mp4", films / os.fsdecode(b"caf\xe9.mp4"), home=home, **ports)
        assert (mixed.returncode, mixed.stderr.splitlines()) == (2, [
            "One (in the library already): done",
            r"Caf\udce9: failed: Cannot read 'caf\udce9.mp4': its path is not UTF-8; rename it.",
            "selects: 1 of 2 films could not be taken in; the lines above say why.",
        ])  # fmt: skip
    assert httpx_refused(int(ports["SELECTS_VECTORS__PORT"]))


def test_ingest_refuses_what_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none.mp4", tmp_path / "empty"):
        done = selects("ingest", path, home=tmp_path / "home")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert str(path) in done.stderr or path.name in done.stderr


def test_ctrl_c_during_ingest_ends_its_parts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    film = make_film(tmp_path / "film.mp4", frames=100)
    env = environment(home, SELECTS_VECTORS__PORT=str(free_port()))
    with subprocess.Popen(
        [*COMMAND, "ingest", film], env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        wait_until(lambda: len(children_of(process.pid)) >= 2)
        time.sleep(0.5)
        pids = list(children_of(process.pid))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=READY_S)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert gone(pids)()
