"""The way into the store of durable jobs for those who do not run them: enqueue, cancel, resume."""

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from backend.database import parse_url
from backend.errors import DatabaseUnready

if TYPE_CHECKING:
    from dbos import DBOSClient

APPLICATION = "selects"
# Raised only when running jobs of an older program cannot be finished by this one.
APPLICATION_VERSION = "schema-1"
QUEUES = FILMS, TRAININGS = ("cpu", "gpu")
LETTERS = "letters"
"""What is sent to others: every worker serves it beside its queues, so that nothing short waits for a film."""
ENDED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
ASKED_AT_ONCE = 1000


def quiet_dbos() -> None:
    """Keep the advertisement out of DBOS's log."""
    logging.getLogger("dbos").addFilter(lambda record: "DBOS Conductor" not in record.getMessage())


def migrate_jobs(url: str) -> None:
    """Make or renew the tables of the job store; raises DatabaseUnready."""
    from dbos import DBOS
    from sqlalchemy.exc import OperationalError

    try:
        DBOS.migrate(store_url(url))
    except OperationalError as problem:
        said = str(problem.orig).strip().split("\n")[0].rstrip(".")
        raise DatabaseUnready(f"The store of jobs does not answer: {said}.") from None


def store_url(url: str) -> str:
    """The address as DBOS wants it: PostgreSQL without a driver's name."""
    parsed = parse_url(url)
    plain = parsed.set(drivername="postgresql") if parsed.get_backend_name() == "postgresql" else parsed
    return plain.render_as_string(hide_password=False)


class JobQueue:
    """A client of the job store. Connects when it is first used."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _client(self) -> "DBOSClient":
        from dbos import DBOSClient

        quiet_dbos()
        return DBOSClient(
            system_database_url=store_url(self._url),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def enqueue(self, queue: str, name: str, workflow: str, *arguments: str) -> None:
        """Hand work to whoever serves `queue`; an id that is known already attaches to what it names."""
        self._client.enqueue(
            {
                "workflow_name": name,
                "queue_name": queue,
                "workflow_id": workflow,
                "app_version": APPLICATION_VERSION,
            },
            *arguments,
        )

    def cancel(self, workflow: str) -> None:
        """Keep a workflow from starting or from beginning its next step."""
        self._client.cancel_workflow(workflow)

    def stranded(self, executors: Iterable[str]) -> list[tuple[str, str]]:
        """(workflow, queue) of all that dead executors have left unfinished."""
        left = self._client.list_workflows(
            status="PENDING", executor_id=list(executors), load_input=False, load_output=False
        )
        return [(each.workflow_id, each.queue_name or FILMS) for each in left]

    def states(self, workflows: Sequence[str]) -> dict[str, str]:
        """The state of each workflow that is known: ENQUEUED, PENDING, or one of ENDED."""
        found: dict[str, str] = {}
        for at in range(0, len(workflows), ASKED_AT_ONCE):
            part = list(workflows[at : at + ASKED_AT_ONCE])
            listed = self._client.list_workflows(workflow_ids=part, load_input=False, load_output=False)
            found |= {each.workflow_id: each.status for each in listed}
        return found

    def resume(self, workflow: str, queue: str) -> None:
        """Give a stranded workflow to whoever takes it first. Only the holder of the reaper's lease may call this."""
        self._client.resume_workflow(workflow, queue_name=queue)

    def close(self) -> None:
        """Give back what was opened."""
        if "_client" in self.__dict__:
            self._client.destroy()
