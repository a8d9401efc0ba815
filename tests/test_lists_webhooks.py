"""Webhooks: signed, sent by a real worker to a real receiver, again where not taken, and to public machines only."""

import hashlib
import hmac
import itertools
import json
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, update

from backend.database import utc_now
from backend.errors import InputError
from labeling.lists.delivering import deliver, due, signed
from labeling.lists.models import WebhookDelivery
from labeling.lists.posting import post, require_address
from tests.listing import Desk, desk
from tests.receiver import Receiver, receiver
from tests.service import Service, running
from tests.vectors import new_server
from tests.workers import Works, wait_until, works

SECRET = "a secret of twenty-nine letters".replace(" ", "-")
HERE = {"webhook_hosts": ["127.0.0.1"], "webhook_retry_s": 0.2}
LOOPBACK = ("127.0.0.1",)


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    with running(tmp_path, database_url, security=HERE) as made:
        yield made


@pytest.fixture
def owner(service: Service) -> Desk:
    made = desk(service)
    return Desk(made.studio, made.studio.owner())


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def made_hook(owner: Desk, url: str) -> int:
    new = {"url": url, "project": owner.project, "secret": SECRET}
    answer = owner.ask("POST", "/webhooks", 201, json=new)
    assert answer["secret"] == SECRET
    return int(answer["webhook"]["id"])


def log_of(owner: Desk, hook: int) -> list[dict[str, Any]]:
    return list(owner.ask("GET", f"/webhooks/{hook}/deliveries")["items"])


def send(service: Service) -> list[str]:
    """What a worker does once a second, with what is due by now or soon."""
    with service.session() as session:
        session.execute(update(WebhookDelivery).where(col(WebhookDelivery.state) == "waiting").values(due_at=utc_now()))
        session.commit()
    return [deliver(service.resources, key, attempt) for key, attempt, _ in due(service.resources)]


def proven(headers: dict[str, str], body: bytes) -> bool:
    """As the documentation says that a receiver should look."""
    said = dict(part.split("=", 1) for part in headers["selects-signature"].split(","))
    wanted = hmac.new(SECRET.encode(), f"{said['t']}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, said["v1"]) and abs(time.time() - int(said["t"])) < 300


def test_an_approval_is_told_signed_and_logged(owner: Desk, hook: Receiver) -> None:
    number = made_hook(owner, hook.url)
    made, _ = owner.filled(2, "Spring „ä“")
    owner.ask("POST", f"/lists/{made}/approve")
    owner.ask("POST", f"/lists/{made}/approve")  # is approved already: nothing to tell
    assert send(owner.service) == ["delivered"]
    (got,) = hook.got
    assert got.path == "/hook?from=selects"
    assert proven(got.headers, got.body)
    assert not proven(got.headers, got.body + b" ")
    said = json.loads(got.body)
    assert (said["event"], said["list"]["id"], said["list"]["name"]) == ("list.approved", made, "Spring „ä“")
    assert (said["list"]["clips"], said["list"]["approved_by"], said["list"]["total_s"]) == (2, "owner", 120)
    assert said["delivery"] == got.headers["selects-delivery"]
    (row,) = log_of(owner, number)
    assert (row["id"], row["state"], row["attempts"]) == (said["delivery"], "delivered", 1)
    assert (row["last_status"], row["last_answer"], row["due_at"]) == (200, "thanks", None)
    assert send(owner.service) == []


def test_what_is_not_taken_is_sent_again_later_and_given_up_in_the_end(owner: Desk, hook: Receiver) -> None:
    number = made_hook(owner, hook.url)
    hook.answers = [(503, b"busy " * 200)]
    owner.ask("POST", f"/webhooks/{number}/test", 202)
    assert send(owner.service) == ["waiting"]
    (row,) = log_of(owner, number)
    assert (row["event"], row["attempts"], row["last_status"]) == ("test", 1, 503)
    assert len(row["last_answer"]) == 300
    waits = []
    for _ in range(6):
        (row,) = log_of(owner, number)
        waits.append((parsed(row["due_at"]) - parsed(row["tried_at"])).total_seconds())
        assert send(owner.service) == ["waiting"]
    assert all(3 < later / earlier < 4.5 for earlier, later in itertools.pairwise(waits[1:]))
    assert send(owner.service) == ["failed"]
    assert [(row["attempts"], row["state"]) for row in log_of(owner, number)] == [(8, "failed")]
    assert len({got.body for got in hook.got}) == 1  # the same body each time
    assert owner.ask("GET", f"/webhooks/{number}")["failed"] == 1


def parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def test_an_attempt_is_made_once_whoever_is_asked_to(owner: Desk, hook: Receiver) -> None:
    made_hook(owner, hook.url)
    hook.answers = [(503, b"busy"), (200, b"")]
    made, _ = owner.filled(1)
    owner.ask("POST", f"/lists/{made}/approve")
    ((key, attempt, _),) = due(owner.service.resources)
    assert [deliver(owner.service.resources, key, attempt) for _ in range(3)] == ["waiting", *["superseded"] * 2]
    assert len(hook.got) == 1
    with ThreadPoolExecutor(4) as pool:  # as workers do that come by at once
        states = pool.map(lambda _: deliver(owner.service.resources, key, attempt + 1), range(4))
        assert sorted(states) == ["delivered", *["superseded"] * 3]
    assert len(hook.got) == 2


def test_redirects_are_not_followed(owner: Desk, hook: Receiver) -> None:
    number = made_hook(owner, hook.url)
    hook.answers = [(302, b"")]
    owner.ask("POST", f"/webhooks/{number}/test", 202)
    assert send(owner.service) == ["waiting"]
    assert [got.path for got in hook.got] == ["/hook?from=selects"]
    assert log_of(owner, number)[0]["last_answer"] == "Redirects are not followed."


def test_a_webhook_that_is_off_is_told_nothing(owner: Desk, hook: Receiver) -> None:
    number = made_hook(owner, hook.url)
    owner.ask("POST", f"/webhooks/{number}/test", 202)
    assert owner.ask("PATCH", f"/webhooks/{number}", json={"active": False})["active"] is False
    assert send(owner.service) == ["failed"]
    made, _ = owner.filled(1)
    owner.ask("POST", f"/lists/{made}/approve")
    assert due(owner.service.resources) == []
    assert hook.got == []
    owner.ask("DELETE", f"/webhooks/{number}", 204)
    assert owner.ask("GET", "/webhooks", params={"project": owner.project})["items"] == []


def test_secrets_are_made_and_shown_once(owner: Desk) -> None:
    answer = owner.ask("POST", "/webhooks", 201, json={"url": "https://example.com/x", "project": owner.project})
    assert len(answer["secret"]) > 40
    assert answer["secret"] not in json.dumps(owner.ask("GET", "/webhooks", params={"project": owner.project}))
    short = {"url": "https://example.com/x", "project": owner.project, "secret": "short"}
    assert "at least 16" in owner.refused("POST", "/webhooks", 422, json=short)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://127.0.0.1:9/x",
        "http://localhost/x",
        "http://LOCALHOST/x",
        "http://127.1/x",
        "http://2130706433/x",
        "http://0x7f.0.0.1/x",
        "http://10.0.0.8/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1/x",
        "http://0.0.0.0/x",
        "http://224.0.0.1/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[fe80::1]/x",
        "http://[fd00::1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://[2002:7f00:1::]/x",
    ],
)
def test_what_is_not_public_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"not a public address|this machine"):
        post(url, b"{}", {})


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "http://", "http://a:b@example.com/", "http://example.com:99999/", "file:///etc/passwd"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        require_address(url)


def test_private_addresses_are_refused_when_the_hook_is_made(service: Service) -> None:
    made = desk(service)
    owner = Desk(made.studio, made.studio.owner())
    for url in ("http://10.0.0.8/x", "http://localhost:8600/api"):
        said = owner.refused("POST", "/webhooks", 422, json={"url": url, "project": owner.project})
        assert "SELECTS_SECURITY__WEBHOOK_HOSTS" in said


def test_a_receiver_that_says_nothing_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        answer = post(url, b"{}", {}, LOOPBACK, limit_s=0.5)
        assert answer.words == "It did not answer within 0.5 seconds."
        assert not answer.taken
    assert "could not be reached" in post(url, b"{}", {}, LOOPBACK).words


def test_a_receiver_that_shakes_no_hands_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert post(url, b"{}", {}, LOOPBACK, limit_s=0.5).words == "It did not answer within 0.5 seconds."


def certified(folder: Path, name: str = "IP:127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """An authority of one's own, and what a receiver needs that it has certified for this name."""
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("NO OPENSSL: webhooks over TLS are not tested; install it.")
    key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=House"]
    own = ["-keyout", "own.key", "-out", "own.pem", "-subj", "/CN=hook", "-CA", "ca.pem", "-CAkey", "ca.key"]
    more = ["-addext", f"subjectAltName={name}", "-addext", "basicConstraints=critical,CA:FALSE"]
    for made in ([*key, *authority], [*key, *own, *more]):
        subprocess.run([command, *made], cwd=folder, check=True, capture_output=True)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(folder / "own.pem", folder / "own.key")
    return folder / "ca.pem", secure


def test_it_goes_over_tls_to_whom_the_certificate_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the authority that the machine trusts, and to nobody else."""
    authority, secure = certified(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = certified(tmp_path / "other", "DNS:hooks.example")
    with receiver(secure) as hook, receiver(other) as wrong:
        assert post(hook.url, b"{}", {}, LOOPBACK).words.startswith("Its certificate is not valid: ")
        assert hook.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert post(hook.url, b'{"a": 1}', {"Selects-Delivery": "d"}, LOOPBACK).taken
        (got,) = hook.got
        assert (got.body, got.headers["selects-delivery"], got.headers["host"]) == (
            b'{"a": 1}',
            "d",
            f"127.0.0.1:{hook.port}",
        )
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other" / "ca.pem"))
        assert "IP address mismatch" in post(wrong.url, b"{}", {}, LOOPBACK).words
        assert wrong.got == []
        assert "could not be reached" in post(hook.url.replace("https", "http"), b"{}", {}, LOOPBACK).words


def test_the_signature_is_what_the_documentation_says() -> None:
    headers = signed("secret", b'{"a": 1}', "key", moment=1_700_000_000)
    proof = hmac.new(b"secret", b'1700000000.{"a": 1}', hashlib.sha256).hexdigest()
    assert headers["Selects-Signature"] == f"t=1700000000,v1={proof}"


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Works]:
    with works(tmp_path, database_url, new_server(tmp_path / "server"), security=HERE) as made:
        yield made


def test_a_worker_delivers_and_another_goes_on_after_a_kill(house: Works, hook: Receiver) -> None:
    made = desk(house.service)
    owner = Desk(made.studio, made.studio.owner())
    number = made_hook(owner, hook.url)
    hook.answers = [(500, b"not yet"), (200, b"thanks")]
    first = house.start_worker()
    listed, _ = owner.filled(1)
    owner.ask("POST", f"/lists/{listed}/approve")
    wait_until(lambda: bool(log_of(owner, number)[0]["attempts"]), why=house.logs)
    first.send_signal(signal.SIGKILL)
    first.wait()
    house.start_worker()
    wait_until(lambda: log_of(owner, number)[0]["state"] == "delivered", why=house.logs)
    assert len(hook.got) >= 2
    assert len({got.headers["selects-delivery"] for got in hook.got}) == 1
    with Session(house.service.resources.reading) as session:
        assert session.get_one(WebhookDelivery, hook.got[0].headers["selects-delivery"]).list_id == listed
