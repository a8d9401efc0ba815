"""Uploads stream to disk, are limited, and leave nothing behind where they fail; paths stay under their roots."""

import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.jobs.queue import migrate_jobs
from backend.library.uploads import MOST_BESIDES_BYTES
from tests.command import COMMAND, ROOT, environment
from tests.databases import sqlite_in
from tests.films import make_film
from tests.ports import free_port
from tests.service import Service, running

MIB = 1 << 20
LIMIT_MIB = 4
LIMIT_S = 180
BOUNDARY = "abc"


@pytest.fixture
def service(tmp_path: Path, sqlite_template: bytes) -> Iterator[Service]:
    """A service that takes 4 MiB at most, with one folder whose films may be named."""
    home, films = tmp_path / "home", tmp_path / "films"
    home.mkdir()
    films.mkdir()
    media = {"upload_limit_gib": LIMIT_MIB / 1024, "roots": [films]}
    with running(home, sqlite_in(home, sqlite_template), media=media) as made:
        migrate_jobs(made.resources.settings.jobs_url)
        made.project()
        yield made


def left(home: Path) -> list[str]:
    """What lies in the folder of uploads, but for the lock."""
    return [str(path.relative_to(home)) for path in (home / "uploads").rglob("*") if path.name != ".lock"]


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    said = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return f"--{BOUNDARY}\r\n{said}\r\n\r\n".encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def send(service: Service, body: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    client = service.client(service.token())
    return client.post("/api/movies", content=body, headers=FORM | headers)


def films_of(service: Service) -> int:
    answer = service.client(service.token()).get("/api/movies")
    assert answer.status_code == 200
    return int(answer.json()["total"])


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 422, "ended early|no film"),
        (b"nonsense", 422, "cannot be read as a form"),
        (END, 422, "no film|cannot be read"),
        (part("title", b"A film") + END, 422, "no film"),
        (part("file", b"", "a.mp4") + END, 422, "'a.mp4' is empty"),
        (part("file", b"x" * 1000, "a.mp4"), 422, "ended early"),
        (part("file", b"x" * 1000, "a.mp4")[:-300], 422, "ended early"),
        (part("file", b"x", "a.mp4") + part("file", b"y", "b.mp4") + END, 422, "one film at a time"),
        (part("file", b"x", "a.mp4") + part("year", b"soon") + END, 422, "year"),
        (part("file", b"x", "a.mp4") + part("project", b"77") + END, 404, "project"),
        (part("file", b"x" * (LIMIT_MIB * MIB + 1), "a.mp4") + END, 413, "larger than the limit"),
        (part("film", b"x" * (MOST_BESIDES_BYTES + 1)) + END, 413, "the film itself is the part 'file'"),
        (b"".join(part("title", b"x") for _ in range(3000)) + END, 413, "beside the film"),
        (part("file", b"x", "a.exe") + END, 422, "does not end like a film"),
        (part("file", b"x", "../../a.mp4") + END, 422, "without folders"),
        (part("file", b"x", "..\\a.mp4") + END, 422, "without folders"),
        (part("file", b"x", "a\x00.mp4") + END, 422, "plain name|cannot be read"),
        (part("file", b"x", f"{'a' * 300}.mp4") + END, 422, "longer than"),
        (part("file", b"x") + END, 422, "cannot be a file's name"),
    ],
)
def test_what_is_refused_leaves_nothing(service: Service, body: bytes, status: int, says: str) -> None:
    def in_pieces() -> Iterator[bytes]:
        for at in range(0, len(body), 70_000):
            yield body[at : at + 70_000]

    for sent in (body, in_pieces()):  # with its length declared, and without
        answer = send(service, sent)
        assert answer.status_code == status, answer.text
        assert any(words in answer.json()["detail"] for words in says.split("|")), answer.text
    assert left(service.resources.home) == []
    assert films_of(service) == 0


def test_a_declared_length_is_refused_before_it_is_sent(service: Service) -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("nothing of it may be read")
        yield b""

    answer = send(service, never(), **{"content-length": str(3 * LIMIT_MIB * MIB)})
    assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")


def test_a_viewer_is_refused_before_it_is_sent(service: Service) -> None:
    token = service.member(1, "viewer")
    answer = service.client(token).post("/api/movies", content=part("file", b"x", "a.mp4") + END, headers=FORM)
    assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed")


@pytest.mark.parametrize("name", ["Ärger im Büro.mp4", "映画.MKV", 'it\'s 100% "fine".mov', "a film.m2ts"])
def test_names_of_every_kind_are_kept(service: Service, name: str) -> None:
    answer = service.client(service.token()).post("/api/movies", files={"file": (name, b"no film yet")})
    assert answer.status_code == 202, answer.text
    assert answer.json()["movie"]["file"].endswith(Path(name).suffix)
    assert [path.partition("/")[0] for path in left(service.resources.home)] == ["uploads", "uploads"]


def test_paths_stay_under_their_roots(service: Service, tmp_path: Path) -> None:
    """Also through links; and who asks for what lies outside does not learn whether it is there."""
    films, outside = tmp_path / "films", tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"x")
    (films / "link.mp4").symlink_to(outside / "secret.mp4")
    (films / "folder").symlink_to(outside)
    (films / "loop.mp4").symlink_to(films / "loop.mp4")
    (films / "inside.mp4").write_bytes(b"y")
    (films / "fine.mp4").symlink_to(films / "inside.mp4")
    (films / "notes.txt").write_text("no film")
    (films / "lost.mp4").symlink_to("x" * 300)
    client = service.client(service.token())

    def asked(path: str | Path) -> tuple[int, str, str]:
        answer = client.post("/api/movies", json={"path": str(path)})
        said = answer.json()
        return answer.status_code, said.get("error", ""), said.get("detail", "").replace(repr(str(path)), "P")

    refused = asked(outside / "secret.mp4")
    assert refused[:2] == (422, "PathNotAllowed")
    for path in (outside / "none.mp4", films / "link.mp4", films / "folder" / "secret.mp4", "../outside/secret.mp4"):
        assert asked(path) == refused, path
    for path in (f"{films}/../outside/secret.mp4", "/etc/passwd", "/", str(tmp_path / "films2" / "a.mp4")):
        assert asked(path) == refused, path
    for path, error in (
        ("loop.mp4", ""),
        (films, ""),
        ("none.mp4", ""),
        ("x" * 300, ""),
        ("lost.mp4", ""),
        ("notes.txt", "Misnamed"),
        ("a\0.mp4", ""),
    ):
        status, said, _ = asked(path)
        assert (status, said == error if error else True) == (422, True), path
    assert asked("fine.mp4")[0] == 202
    assert asked("inside.mp4")[0] == 202
    assert films_of(service) == 1, "a link within is the film that it leads to"


@contextmanager
def server(home: Path, prepare: Callable[[], None] | None = None, **more: str) -> Iterator[tuple[str, int, str]]:
    """A server process: its address, its process id and a token."""
    port = free_port()
    env = environment(home, SELECTS_SERVER__PORT=str(port), **more)
    subprocess.run([*COMMAND, "migrate"], env=env, cwd=ROOT, check=True, capture_output=True)
    made = subprocess.run([*COMMAND, "token", "create"], env=env, cwd=ROOT, check=True, capture_output=True, text=True)
    process = subprocess.Popen([*COMMAND, "serve"], env=env, cwd=ROOT, preexec_fn=prepare)  # noqa: PLW1509
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + LIMIT_S
        while not answers(address):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        yield address, process.pid, made.stdout.strip()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def memory_bytes(pid: int, kind: str) -> int:
    """VmRSS, what a process has in memory now; VmHWM, the most it ever had."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(kind)]
    return int(line.split()[1]) * 1024


def at_rest(address: str, pid: int, token: str) -> int:
    """What it has in memory when the models are there that it loads beside the requests."""
    asked = {"params": {"q": "harbour"}, "headers": {"authorization": f"Bearer {token}"}}
    found = httpx.get(f"{address}/api/search", timeout=LIMIT_S, trust_env=False, **asked)
    assert found.status_code == 200, found.text
    seen = [memory_bytes(pid, "VmRSS")]
    until = time.monotonic() + LIMIT_S
    while len(seen) < 5 or max(seen[-5:]) - min(seen[-5:]) > MIB:
        assert time.monotonic() < until, seen
        time.sleep(0.3)
        seen.append(memory_bytes(pid, "VmRSS"))
    return seen[-1]


def streamed(size_bytes: int) -> Iterator[bytes]:
    yield part("file", b"", "large.mp4").removesuffix(b"\r\n")
    piece = b"\x00" * MIB
    for _ in range(size_bytes // MIB):
        yield piece
    yield b"\r\n" + END


def post(address: str, token: str, body: Any) -> httpx.Response:
    headers = FORM | {"authorization": f"Bearer {token}"}
    return httpx.post(f"{address}/api/movies", content=body, headers=headers, timeout=LIMIT_S, trust_env=False)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_does_not_grow_with_an_upload_and_who_leaves_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with server(home) as (address, pid, token):
        film = make_film(tmp_path / "small.mp4", frames=10).read_bytes()
        assert post(address, token, part("file", film, "small.mp4") + END).status_code == 202
        idle = at_rest(address, pid, token)
        answer = post(address, token, streamed(300 * MIB))
        assert (answer.status_code, answer.json()["movie"]["size_bytes"]) == (202, 300 * MIB)
        assert memory_bytes(pid, "VmHWM") - idle < 60 * MIB
        before = sorted(left(home))

        def leaves() -> Iterator[bytes]:
            yield from list(streamed(20 * MIB))[:12]
            until = time.monotonic() + LIMIT_S
            while not any(".selects-" in name for name in left(home)):
                assert time.monotonic() < until
                time.sleep(0.05)
            raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            post(address, token, leaves())
        until = time.monotonic() + LIMIT_S
        while sorted(left(home)) != before:
            assert time.monotonic() < until, left(home)
            time.sleep(0.05)
        assert answers(address)


def test_a_full_disk_is_said_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    """No file may be larger than 8 MiB here, which fails as a full disk does: in the middle of a write."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 * MIB, 8 * MIB))

    home = tmp_path / "home"
    with server(home, limited) as (address, _, token):
        answer = post(address, token, streamed(20 * MIB))
        assert (answer.status_code, answer.json()["error"]) == (507, "OutputError"), answer.text
        assert "The upload cannot be kept: file too large." in answer.json()["detail"]
        assert left(home) == []
        assert answers(address)
