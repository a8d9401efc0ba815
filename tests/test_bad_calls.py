"""The real command on bad files, names, places and options: its exit code, its one sentence, what it leaves behind."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import typer

from backend.cli import app
from backend.errors import SelectsError
from tests import bad_films as bad
from tests.films import make_film, read_film

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "backend", "find"]
NAMES = [
    "a b'c\"d.mp4",
    "ünï–日本.mp4",
    "%d%s:x.mp4",
    "$(touch x);`touch y`.mp4",
    "new\nline[1]*.mp4",
    "-film.mp4",
    "a" * 246 + ".mp4",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad.good_film(tmp_path_factory.mktemp("base") / "base.mp4")


def start(home: Path, *arguments: str | Path, cwd: Path | None = None) -> subprocess.Popen[str]:
    env = {**os.environ, "SELECTS_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [*COMMAND, *map(str, arguments)]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=env, cwd=cwd, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def run(home: Path, *arguments: str | Path, cwd: Path | None = None) -> tuple[int, str, str]:
    with start(home, *arguments, cwd=cwd) as process:
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err


def refused(answer: tuple[int, str, str], *words: str) -> None:
    """Exit code 2, nothing on standard output, one sentence as the last line, no traceback."""
    code, out, err = answer
    assert (code, out) == (2, ""), err
    sentences = [line for line in err.splitlines() if not line.endswith(" …")]
    assert len(sentences) == 1, err
    assert sentences[0].startswith("selects: ")
    assert all(word in sentences[0] for word in words), err


def left_over(*folders: Path) -> list[Path]:
    return [p for folder in folders if folder.is_dir() for p in folder.rglob("*.part")]


WRONG_CALLS: dict[str, tuple[list[str], str]] = {
    "min over max": (["--min-duration", "10", "--max-duration", "5"], "longer than the longest"),
    "negative": (["--min-duration=-5"], "more than 0"),
    "not a number": (["--max-duration", "nan"], "more than 0"),
    "heavy": (["--weight-viral", "1.5"], "between 0 and 1"),
    "weights": (["--weight-viral", "0.7", "--weight-compelling", "0.7"], "add up to 1"),
    "no clip": (["--top-n", "0"], "--top-n"),
    "skip all": (["--skip-last", "100"], "percent"),
    "genre": (["--genre", "polka"], "polka"),
    "content": (["--for", "fax"], "fax"),
    "detector": (["--detector", "eyes"], "eyes"),
    "profile": (["--profile", "huge"], "huge"),
    "format": (["--format", "round"], "round"),
    "option": (["--nonsense"], "--nonsense"),
    "csv folder": (["--csv", "missing/clips.csv"], "no such file or directory"),
    "csv device": (["--csv", "/dev/null"], "not a regular file"),
    "output file": (["--output", "/dev/null"], "file exists"),
    "model": (["--model", "missing"], "no model folder"),
    "csv over the film": (["--csv", "FILM"], "it is the film itself"),
    "csv by another name": (["--csv", "link.mp4"], "it is the film itself"),
    "report over the film": (["--output", "site"], "it is the film itself"),
}


@pytest.mark.parametrize("case", WRONG_CALLS)
def test_wrong_options_are_refused_before_anything_is_read(
    case: str, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, reason = WRONG_CALLS[case]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SELECTS_HOME", str(tmp_path / "home"))
    (tmp_path / "site").mkdir()
    for name in ("link.mp4", "site/report.html"):
        os.link(base, tmp_path / name)
    before = base.read_bytes()
    with pytest.raises((SelectsError, typer.TyperException)) as refusal:
        app(["find", str(base), *(str(base) if word == "FILM" else word for word in words)], standalone_mode=False)
    assert base.read_bytes() == before
    error = refusal.value
    assert reason in (error.format_message() if isinstance(error, typer.TyperException) else str(error))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("case", ["min over max", "no clip", "csv folder"])
def test_a_wrong_call_is_refused_in_one_sentence(case: str, base: Path, home: Path, tmp_path: Path) -> None:
    words, reason = WRONG_CALLS[case]
    refused(run(home, base, *words, cwd=tmp_path), reason)


@pytest.mark.parametrize("case", ["empty", "directory", "fifo", "text"])
def test_a_bad_file_is_refused_in_one_sentence(case: str, home: Path, tmp_path: Path, base: Path) -> None:
    from tests.test_bad_input import REFUSED

    name, make, _ = REFUSED[case]
    make(base, tmp_path / name)
    refused(run(home, tmp_path / name, "--json"), repr(name))


def test_any_name_is_only_a_name(base: Path, home: Path, tmp_path: Path) -> None:
    """Names are films and folders, never options, patterns, places or commands; each is cut, too."""
    names = [*NAMES, os.fsdecode(b"no\xfftext.mp4")]
    for name in names:
        os.link(base, tmp_path / name)

    def one(name: str) -> None:
        out = tmp_path / f"out {names.index(name)}"
        code, answer, err = run(
            home,
            "--json",
            "--output",
            out,
            "--min-duration",
            "1",
            "--max-duration",
            "2",
            "--top-n",
            "1",
            "--",
            name,
            cwd=tmp_path,
        )
        assert code == 0, err
        assert json.loads(answer)["movie"]["path"] == name
        clip = json.loads(answer)["clips"][0]
        numbers = read_film(Path(clip["file"])).numbers
        assert numbers == tuple(range(clip["start_frame"], clip["end_frame"]))
        assert not left_over(out)

    one(names[0])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, names[1:]))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names, *(f"out {i}" for i in range(len(names)))])


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("case", ["hls", "ffconcat", "picture elsewhere"])
def test_nothing_but_the_named_file_is_opened(case: str, base: Path, home: Path, tmp_path: Path) -> None:
    from tests.test_bad_input import REFUSED

    name, make, _ = REFUSED[case]
    make(base, tmp_path / name)
    for other in ("other.mov", "other.ts"):
        (tmp_path / other).write_bytes(base.read_bytes())
    log = tmp_path / "log"
    env = {**os.environ, "SELECTS_HOME": str(home), "PYTHONPATH": str(ROOT)}
    trace = ["strace", "-f", "-qq", "-e", "trace=open,openat,connect", "-o", str(log)]
    done = subprocess.run(
        [*trace, *COMMAND, str(tmp_path / name)], env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 2
    opened = log.read_text()
    assert str(tmp_path / name) in opened
    assert "other." not in opened
    assert "AF_INET" not in opened


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small file system; skips where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a file system")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True, check=False)


@pytest.mark.parametrize("size", ["40k", "90k"])
def test_no_space_left_for_what_is_kept(size: str, base: Path, tiny_disk: Callable[[str], Path]) -> None:
    disk = tiny_disk(f"size={size}")
    refused(run(disk / "home", base, "--json"), "Cannot", "space left on device")
    assert not left_over(disk)


def test_no_space_left_for_clips(base: Path, home: Path, tiny_disk: Callable[[str], Path]) -> None:
    disk = tiny_disk("size=60k")
    run(home, base)
    refused(run(home, base, "--output", disk / "out"), "Cannot write", "space left")
    assert not left_over(disk)
    for clip in (disk / "out").glob("*.mp4"):
        assert read_film(clip).numbers


def test_a_place_that_cannot_be_written(base: Path, home: Path, tiny_disk: Callable[[str], Path]) -> None:
    disk = tiny_disk("size=1m,ro")
    refused(run(home, base, "--output", disk / "out"), "read-only")
    refused(run(home, base, "--csv", disk / "clips.csv"), "read-only")
    refused(run(disk / "home", base), "read-only")


def test_damaged_memory_is_made_anew(base: Path, tmp_path: Path) -> None:
    code, first, err = run(tmp_path, base, "--json")
    assert code == 0, err
    for suffix in ("npz", "json", "parquet", "jpg"):
        for file in [p for p in tmp_path.rglob(f"*.{suffix}") if "networks" not in p.parts]:
            file.write_bytes(file.read_bytes()[:20])
        assert run(tmp_path, base, "--json")[:2] == (0, first), suffix
    assert not left_over(tmp_path)


def test_two_at_once(base: Path, home: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    make_film(film, frames=120, cuts=(60,))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: run(home, film, "--json"), range(2)))
    assert answers[0][0] == answers[1][0] == 0, answers
    assert answers[0][1] == answers[1][1]
    assert not left_over(home)
