"""`python -m backend.child PARENT COMMAND …`: become COMMAND, and end when the process PARENT does, however it ends.

For parts that must not outlive whoever started them. Linux tells a process when its parent dies; elsewhere this only
starts the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def command_of(parent: int, *arguments: str) -> list[str]:
    """The command line that starts `arguments` as a child of the process `parent`."""
    return [sys.executable, "-m", "backend.child", str(parent), *arguments]


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, arguments = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it could be tied
            sys.exit(1)
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main()
