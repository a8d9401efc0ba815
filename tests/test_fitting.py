"""The process that trains: what it says is heard, how it fails is told, and nothing of it is left."""

import gc
import sys
import warnings
from pathlib import Path

import pytest

from backend.errors import InputError
from backend.jobs.service import Cancelled
from trainer.runs.fitting import FitFailed, Progress, progress_of, run_to_end

WORKER = "a worker"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_progress_is_heard_and_nonsense_is_not(tmp_path: Path) -> None:
    said = list[Progress]()
    line = '{"stage": "fit", "fraction": 0.5, "epoch": 2, "epochs": 9, "loss": 0.25, "left_s": 3.5}'
    run_to_end(python(f"print('hello'); print('{line}', flush=True); import time; time.sleep(1)"), 60, said.append)
    assert said[-1] == Progress("fit", 0.5, 2, 9, 0.25, 3.5)
    for nonsense in (b"", b"[]", b'{"stage": "fit", "loss": "much"}', b'"fit"', b"\xff"):
        assert progress_of(nonsense) is None
    assert progress_of(b'{"stage": "fit", "fraction": 7, "loss": NaN}') == Progress("fit", 1.0)


def test_how_a_training_fails() -> None:
    with pytest.raises(InputError, match=r"^One film only\.$"):
        run_to_end(python("import sys; sys.stderr.write('trainer: One film only.'); sys.exit(2)"), 60, lambda _: None)
    with pytest.raises(FitFailed, match="memory runs out"):
        run_to_end(python("import os; os.kill(os.getpid(), 9)"), 60, lambda _: None)
    with pytest.raises(FitFailed, match="code 7: oh"):
        run_to_end(python("import sys; sys.stderr.write('oh'); sys.exit(7)"), 60, lambda _: None)


@pytest.mark.parametrize("quiet", [False, True], ids=["it talks", "it closes its output"])
def test_a_training_that_takes_too_long_is_ended(tmp_path: Path, quiet: bool) -> None:
    mark = tmp_path / "pid"
    close = "exec >&- 2>&-; " if quiet else ""
    # A shell starts at once on a busy machine, too.
    told = ["sh", "-c", f'echo $$ > "$0"; {close}exec sleep 600', str(mark)]
    with pytest.raises(FitFailed, match=r"longer than 1\.5 seconds"):
        run_to_end(told, 1.5, lambda _: None)
    assert not Path(f"/proc/{mark.read_text().strip()}").exists()


def test_who_hears_of_it_can_end_it(tmp_path: Path) -> None:
    def told(_: Progress) -> None:
        raise Cancelled

    mark = tmp_path / "ended by itself"
    with pytest.raises(Cancelled):
        run_to_end(["sh", "-c", 'sleep 60; touch "$0"', str(mark)], 120, told)
    assert not mark.exists()


def test_it_leaves_no_pipe_open(recwarn: pytest.WarningsRecorder) -> None:
    warnings.simplefilter("always")
    run_to_end(python("pass"), 60, lambda _: None)
    gc.collect()
    assert [str(each.message) for each in recwarn if issubclass(each.category, ResourceWarning)] == []
