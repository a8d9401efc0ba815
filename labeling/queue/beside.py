"""The process that draws for a server: settings on the first line it reads, then a project and a round on each."""

import os
import signal
import sys

from threadpoolctl import threadpool_limits

from backend.logs import set_up_logs
from backend.resources import Resources
from backend.settings import Settings
from labeling.queue.drawer import LATER, NOTHING, Drawer

NICE = 10


def main() -> None:
    """Draw until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; this ends when the server closes the pipe
    os.nice(NICE)
    threadpool_limits(1)
    set_up_logs("drawer")
    resources = Resources(Settings.model_validate_json(sys.stdin.readline()))
    drawer = Drawer(resources)
    for line in sys.stdin:
        project_id, seen_round = map(int, line.split())
        sys.stdout.write((LATER if drawer.draw(project_id, seen_round) else NOTHING) + "\n")
        sys.stdout.flush()
    resources.close()


if __name__ == "__main__":
    main()
