"""Debian packages that tests need, installed where that takes no password: as root on Debian and its kin."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(tempfile.gettempdir()) / "selects-tests-apt.lock"


def install(package: str) -> bool:
    """Whether `package` is there now; test processes beside this one wait for their turn."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", package]):
            done = subprocess.run(["apt-get", *command], env=quiet, capture_output=True, check=False)
    return done.returncode == 0
