"""Webhooks are sent by workers: each attempt is a durable workflow, and a row says when the next one is due.

An attempt is begun by raising its number in the row, which only one can do; what was begun and not ended, since its
worker was killed, is tried again when it is due. So nothing is lost, and a receiver may get the same delivery twice,
with the same id.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from dbos import DBOS
from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.database import rows_changed, utc_now
from backend.errors import InputError
from backend.jobs.liveness import Ticker
from backend.jobs.queue import LETTERS
from backend.jobs.steps import fenced, options
from backend.resources import Resources
from labeling.lists.models import Webhook, WebhookDelivery
from labeling.lists.posting import WHOLE_S, Answer, post

WORKFLOW = "webhook"
ATTEMPTS, WAIT_GROWS = 8, 4.0
AGAIN_S = 300.0
AT_ONCE = 100

log = structlog.get_logger("selects.work")


def register(resources: Resources, worker: str, give_up: Callable[[], None]) -> None:
    """Make the workflow known to DBOS; `give_up` ends the process when it finds that it was given up for dead."""

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    def webhook(delivery: str, attempt: str) -> str:
        work = lambda: deliver(resources, delivery, int(attempt))  # noqa: E731  a callback
        return str(DBOS.run_step(options("deliver"), fenced, resources, worker, give_up, work, log))


def watcher(resources: Resources) -> Ticker:
    """Has what is due sent, once a second."""

    def work() -> None:
        for delivery, attempt, overdue_s in due(resources):
            # Whoever asks for the same attempt again attaches to it; one that ended in an error has another name later.
            name = f"{delivery}-{attempt}-{int(overdue_s // AGAIN_S)}"
            resources.queue.enqueue(LETTERS, WORKFLOW, name, delivery, str(attempt))

    return Ticker("letters", work)


def due(resources: Resources) -> list[tuple[str, int, float]]:
    """Deliveries that wait for their next attempt, its number, and for how many seconds they do."""
    now = utc_now()
    with Session(resources.reading) as session:
        waiting = select(WebhookDelivery.id, WebhookDelivery.attempts, WebhookDelivery.due_at).where(
            col(WebhookDelivery.state) == "waiting", col(WebhookDelivery.due_at) <= now
        )
        rows = session.exec(waiting.order_by(col(WebhookDelivery.due_at)).limit(AT_ONCE)).all()
    return [(key, attempts + 1, (now - due_at).total_seconds()) for key, attempts, due_at in rows]


def deliver(resources: Resources, key: str, attempt: int) -> str:
    """Make one attempt; gives the state in which the delivery is then, "superseded" where it was made already."""
    begun = _begin(resources, key, attempt)
    if begun is None:
        return "superseded"
    hook, body = begun
    if not hook.active:
        return _end(resources, key, attempt, Answer(None, "The webhook was switched off."), final=True)
    try:
        headers = signed(hook.secret, body, key)
        answer = post(hook.url, body, headers, resources.settings.security.webhook_hosts)
    except InputError as problem:
        return _end(resources, key, attempt, Answer(None, problem.detail), final=True)
    return _end(resources, key, attempt, answer, final=attempt >= ATTEMPTS)


def signed(secret: str, body: bytes, key: str, moment: int | None = None) -> dict[str, str]:
    """Headers of a delivery: the signature is an HMAC-SHA256 of the second, a dot, and the body."""
    second = int(time.time()) if moment is None else moment
    proof = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Selects",
        "Selects-Delivery": key,
        "Selects-Signature": f"t={second},v1={proof}",
    }


def _begin(resources: Resources, key: str, attempt: int) -> tuple[Webhook, bytes] | None:
    """Take an attempt; None where it is taken already, or the delivery is over."""
    now = utc_now()
    given_up = now + timedelta(seconds=2 * WHOLE_S) + _wait(resources, attempt)
    mine = (col(WebhookDelivery.state) == "waiting", col(WebhookDelivery.attempts) == attempt - 1)
    taking: dict[str, Any] = {"attempts": attempt, "tried_at": now, "due_at": given_up}
    with Session(resources.engine, expire_on_commit=False) as session:
        if not rows_changed(
            session, update(WebhookDelivery).where(col(WebhookDelivery.id) == key, *mine).values(**taking)
        ):
            session.commit()
            return None
        delivery = session.get_one(WebhookDelivery, key)
        hook = session.get_one(Webhook, delivery.webhook_id)
        session.commit()
        return hook, delivery.body.encode()


def _end(resources: Resources, key: str, attempt: int, answer: Answer, *, final: bool) -> str:
    """Write down what came of an attempt, unless another has begun since."""
    state = "delivered" if answer.taken else "failed" if final else "waiting"
    redirected = answer.status is not None and 300 <= answer.status < 400
    words = f"Redirects are not followed. {answer.words}".strip() if redirected else answer.words
    with Session(resources.engine) as session:
        mine = (col(WebhookDelivery.id) == key, col(WebhookDelivery.attempts) == attempt)
        due_at = utc_now() + _wait(resources, attempt)
        said = {"state": state, "last_status": answer.status, "last_answer": words, "due_at": due_at}
        session.execute(update(WebhookDelivery).where(*mine).values(**said))
        session.commit()
    log.info("webhook sent", delivery=key, attempt=attempt, state=state, status=answer.status)
    return state


def _wait(resources: Resources, attempt: int) -> timedelta:
    """How long to wait after an attempt that was not taken."""
    return timedelta(seconds=resources.settings.security.webhook_retry_s * WAIT_GROWS ** (attempt - 1))
