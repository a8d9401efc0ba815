"""The command as people run it: `selects` in a process of its own, with a home of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "backend")


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of this process without settings of Selects but `home`; `more` is added."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SELECTS_")}
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": path, "SELECTS_HOME": str(home), **more}


def selects(
    *arguments: str | Path, home: Path, cwd: Path | None = None, timeout_s: float = 900, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `selects` with these arguments to its end; `more` goes into the environment."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd or home.parent,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
    )


def selects_json(*arguments: str | Path, home: Path, **more: str) -> Any:
    """What `selects … --json` prints, parsed; the command must end well."""
    done = selects(*arguments, "--json", home=home, **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
