"""What a worker loads before it says that it is there: all that the work of its queues needs, and no more."""

import subprocess
from pathlib import Path

import pytest

from tests.command import COMMAND, ROOT, environment

OF_FILMS, OF_TRAININGS = ("backend.analysis.workflow", "scipy.linalg", "sklearn.cluster"), ("trainer.workflow",)
WORK = {"cpu": OF_FILMS, "gpu": OF_TRAININGS}


@pytest.mark.parametrize("queue", list(WORK))
def test_a_worker_loads_what_its_queues_need(tmp_path: Path, queue: str) -> None:
    loaded = f"print(*sorted({{*{OF_FILMS + OF_TRAININGS!r}}} & {{*sys.modules}}))"
    program = f"import sys; from backend.worker import _loaded; _loaded([{queue!r}]); {loaded}"
    words, env = [COMMAND[0], "-c", program], environment(tmp_path)
    said = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert said.stdout.split() == sorted(WORK[queue])
