"""Steps of durable workflows: what is tried again, what is said of a failure, and who may not go on."""

from collections.abc import Callable
from typing import Any

from dbos import StepOptions
from dbos import error as dbos_errors
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from backend.errors import SelectsError, Unavailable
from backend.jobs.service import Fenced, is_alive
from backend.resources import Resources

RETRIES, FIRST_WAIT_S, WAIT_GROWS = 8, 1.0, 1.8
# Two workers that enter the same film at the same moment violate a constraint; the second then finds the first's row.
PASSING = (OperationalError, IntegrityError)


def options(step: str) -> StepOptions:
    """Of a step: what passes by itself is tried again."""
    return {
        "name": step,
        "retries_allowed": True,
        "interval_seconds": FIRST_WAIT_S,
        "max_attempts": RETRIES,
        "backoff_rate": WAIT_GROWS,
        "should_retry": _passes,
    }


def _passes(problem: BaseException) -> bool:
    """Whether it is worth waiting for what is wrong to pass: a server that is away, not a film that is broken."""
    return isinstance(problem, (Unavailable, *PASSING))


def fenced(resources: Resources, worker: str, give_up: Callable[[], None], work: Callable[[], str], log: Any) -> str:
    """Do a step's work; a worker that finds itself given up for dead ends before the step is recorded."""
    try:
        return work()
    except Fenced:
        with Session(resources.reading) as session:
            if not is_alive(session, worker):
                log.error("this worker was given up for dead", worker=worker)
                give_up()
        raise


def sentence(problem: Exception) -> str:
    """What went wrong, for a person."""
    if isinstance(problem, dbos_errors.DBOSMaxStepRetriesExceeded) and problem.errors:
        return sentence(problem.errors[-1])
    if isinstance(problem, OperationalError):  # such as a disk that is full
        return full_stop(f"the database says: {str(problem.orig).strip().splitlines()[0]}")
    return full_stop(problem.detail if isinstance(problem, SelectsError) else type(problem).__name__)


def full_stop(said: str) -> str:
    """With one at its end."""
    return said if said.endswith(".") else f"{said}."
