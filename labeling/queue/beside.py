"""The process that computes draws for a server: it reads settings, then a project and a round on each line."""

import os
import signal
import sys

from threadpoolctl import threadpool_limits

from backend.logs import set_up_logs
from backend.resources import Resources
from backend.settings import Settings
from labeling.queue.drawer import Here, line_of

NICE = 10


def main() -> None:
    """Draw until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; this ends when the server closes the pipe
    os.nice(NICE)
    threadpool_limits(1)
    set_up_logs("drawer")
    resources = Resources(Settings.model_validate_json(sys.stdin.readline()))
    maker = Here(resources)
    for line in sys.stdin:
        project_id, seen_round = map(int, line.split())
        sys.stdout.write(line_of(maker.make(project_id, seen_round)) + "\n")
        sys.stdout.flush()
    resources.close()


if __name__ == "__main__":
    main()
