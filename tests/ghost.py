"""`python -m tests.ghost NAME URL`: a worker that takes jobs and never finishes one, to be killed.

Prints a line for each workflow that it is given.
"""

import os
import sys
import time

from dbos import DBOS

from backend.jobs.queue import APPLICATION, APPLICATION_VERSION, quiet_dbos, store_url


def main() -> None:
    """Take jobs until killed."""
    name, url = sys.argv[1:]
    quiet_dbos()
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": store_url(url),
            "application_version": APPLICATION_VERSION,
            "executor_id": name,
            "run_migrations": False,
            "log_level": "ERROR",
        }
    )

    @DBOS.workflow(name="ingest", max_recovery_attempts=None)
    def ingest(job_id: str, workflow: str) -> None:
        os.write(1, f"{workflow}\n".encode())  # at one go: two workflows are two threads
        time.sleep(3600)

    DBOS.listen_queues(["cpu"])
    DBOS.launch()
    DBOS.register_queue("cpu", worker_concurrency=9, polling_interval_sec=0.1)
    time.sleep(3600)


if __name__ == "__main__":
    main()
