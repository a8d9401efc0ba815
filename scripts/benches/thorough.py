"""The random tests at length: other examples each time, 1,000 lists out and in again, 1,000 corrections.

The suite tries the same examples always, and fewer of those that cost most. Arguments go to pytest: files of tests,
`-k`, `--hypothesis-seed=N` to have the same again. Needs the environment for development, which `scripts/check` makes.
"""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RANDOM = re.compile(r"^ *@given\(|run_state_machine_as_test", re.MULTILINE)
APART = ("test_openapi.py",)
"""Its examples are always the same."""


def run(args: list[str]) -> dict[str, Any]:
    """Run the random tests; how many passed and failed, with `lines` to print."""
    tests = sorted(ROOT.glob("tests/test_*.py"))
    files = [str(file) for file in tests if file.name not in APART and RANDOM.search(file.read_text())]
    given = any(arg.partition("::")[0].endswith(".py") for arg in args)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-n", "0", "--hypothesis-profile=thorough", *args]
    done = subprocess.run(
        [*command, *([] if given else files)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    told = done.stdout.strip().rpartition("\n")[2]
    counted = {name: int(number) for number, name in re.findall(r"(\d+) (passed|failed|errors?|skipped)", told)}
    seconds = time.monotonic() - began
    lines = [] if done.returncode == 0 else [done.stdout]
    lines.append(f"{', '.join(f'{number} {name}' for name, number in counted.items())} in {seconds:.0f} s")
    return {"exit_code": done.returncode, "seconds": round(seconds, 1), "counted": counted, "lines": lines}
