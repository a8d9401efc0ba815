"""Ctrl-C, a kill, a reader who leaves: at any moment nothing half done stays behind, and no traceback is shown."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.media import encode
from tests import bad_films as bad
from tests.command import ROOT, environment
from tests.films import run_ffmpeg
from tests.test_bad_calls import left_over, run, start
from tests.test_uploads import answers, server

LIMIT_S = 300


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad.good_film(tmp_path_factory.mktemp("base") / "base.mp4")


def test_ctrl_c_while_the_program_is_being_loaded(tmp_path: Path) -> None:
    """What the command is made of is imported for a third of a second; here it takes for ever."""
    (tmp_path / "typer.py").write_text("import time; print('loading', flush=True); time.sleep(100)\n")
    settings = environment(tmp_path / "home")
    settings["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(ROOT)])
    command = [sys.executable, "-m", "backend", "find", "film.mp4"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=settings, cwd=tmp_path, **pipes) as process:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert err.startswith("selects: interrupted")
    assert len(err.splitlines()) == 1


def test_output_that_nobody_reads_to_its_end(base: Path, home: Path) -> None:
    with start(home, base, "--json") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=LIMIT_S)
    assert "Traceback" not in err
    assert "Exception" not in err


@pytest.fixture(scope="module")
def long_film(base: Path) -> Path:
    """A minute and a half, slow enough to be interrupted."""
    film = base.with_name("long.mp4")
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=90", "-f", "lavfi", "-i", "anoisesrc=a=0.1:d=90"]
    run_ffmpeg(*source, "-c:v", "libx264", "-preset", "ultrafast", film)
    return film


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + LIMIT_S
    while not what() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)


def test_interrupted_and_killed_runs_leave_nothing_half(long_film: Path, home: Path, tmp_path: Path) -> None:
    """One story: Ctrl-C while decoding, a kill while decoding, Ctrl-C while cutting, and then it is done."""

    def stopped(how: signal.Signals, when: Callable[[], bool], *words: str | Path) -> tuple[int, str]:
        with start(home, long_film, *words) as process:
            wait_for(when, process)
            process.send_signal(how)
            _, err = process.communicate(timeout=LIMIT_S)
            return process.returncode, err

    def decoding() -> bool:
        return any(p.suffix == ".jpg" for p in left_over_pictures())

    def left_over_pictures() -> list[Path]:
        return list(home.glob("films/*/.selects-*/*"))

    code, err = stopped(signal.SIGINT, decoding)
    assert (code, "interrupted" in err, "Traceback" in err) == (130, True, False), err
    assert not left_over(home)
    assert stopped(signal.SIGKILL, decoding)[0] == -signal.SIGKILL
    assert left_over(home)
    out = tmp_path / "out"
    code, err = stopped(signal.SIGINT, lambda: any(out.glob(".selects-*")), "--output", out)
    assert (code, "Traceback" in err) == (130, False), err
    assert not left_over(home, out)
    code, answer, err = run(home, long_film, "--output", out, "--json", "--top-n", "1")
    assert code == 0, err
    assert "Decoding" not in err
    assert Path(json.loads(answer)["clips"][0]["file"]).is_file()


def test_a_server_that_ends_while_it_loads_its_models(tmp_path: Path) -> None:
    """It answers long before they are there; stopped then, it ends in order, and not by an abort of their threads."""
    with server(tmp_path / "home") as (address, _, _):
        assert answers(address)


def test_ctrl_c_in_the_instant_in_which_ffmpeg_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody knew of it yet, it went on, and made its file again after ours had been taken away."""
    begun = []

    class Interrupting(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **more)
            begun.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(encode.subprocess, "Popen", Interrupting)
    source = ["-f", "lavfi", "-i", "testsrc2=d=3600"]
    command = [encode.binary(), *encode.ENCODE_FLAGS, *source, "-f", "null", "-"]
    with pytest.raises(KeyboardInterrupt):
        encode.encode(command, tmp_path / "clip.mp4", 1, lambda _: None)
    assert [process.poll() for process in begun] == [-signal.SIGKILL]
