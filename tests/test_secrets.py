"""No secret in a log; tokens from the command line."""

import io
import logging
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import uvicorn
from uvicorn.logging import AccessFormatter

from backend.migrations.run import migrate
from backend.security import Redacting, new_secret, redact, redact_event
from tests.command import selects
from tests.service import running

SECRET = new_secret()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"GET /?token={SECRET}&x=1 HTTP/1.1", "GET /?token=…&x=1 HTTP/1.1"),
        ("GET /join?a=b&token=abc HTTP/1.1", "GET /join?a=b&token=… HTTP/1.1"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer …"),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "{'authorization': 'Basic …'}"),
        ("[(b'authorization', b'Bearer abc.def')]", "[(b'authorization', b'Bearer …')]"),
        (f"cookie: a=b; selects_session={SECRET}; c=d", "cookie: a=b; selects_session=…; c=d"),
        (f"made {SECRET}.", "made slc_…."),
        ("postgresql://selects:hunter2@db/selects", "postgresql://selects:…@db/selects"),
        ("a token of basic understanding, bearer of news", "a token of basic understanding, bearer of news"),
    ],
)
def test_secrets_are_taken_out_and_nothing_else(said: str, kept: str) -> None:
    assert redact(said) == kept


def test_events_of_structlog_hold_no_secret() -> None:
    event = {"event": f"?token={SECRET}", "headers": {"Authorization": "Bearer x", "host": "h"}, "job": 3, "token": ""}
    kept = {"event": "?token=…", "headers": {"Authorization": "…", "host": "h"}, "job": 3, "token": ""}
    assert redact_event(None, "", event) == kept


def test_the_servers_log_holds_no_secret(tmp_path: Path) -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.addFilter(Redacting())
    handler.setFormatter(AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s", use_colors=False))
    log = logging.getLogger("uvicorn.access")
    with running(tmp_path / "home", f"sqlite:///{tmp_path / 'selects.db'}") as service:
        server = uvicorn.Server(uvicorn.Config(service.app, port=0, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run)
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/signin?token={SECRET}&x=1", headers={"Authorization": f"Bearer {SECRET}"}
            )
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(asked)
        finally:
            server.should_exit = True
            thread.join()
            log.removeHandler(handler)
    assert "GET /signin?token=…&x=1 HTTP/1.1 503" in said.getvalue()
    assert SECRET not in said.getvalue()


def test_a_traceback_holds_no_secret() -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.addFilter(Redacting())
    log = logging.getLogger("tests.secrets")
    log.addHandler(handler)
    try:
        raise ValueError(f"no such thing: {SECRET}")
    except ValueError as error:
        log.exception("It failed: %s", error)
    finally:
        log.removeHandler(handler)
    assert "It failed: no such thing: slc_…" in said.getvalue()
    assert "ValueError: no such thing: slc_…" in said.getvalue()
    assert SECRET not in said.getvalue()


def test_the_command_line_makes_the_first_superuser_and_prints_the_token_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    unready = selects("token", "create", "--admin", home=home)
    assert (unready.returncode, unready.stdout) == (2, "")
    assert "selects migrate" in unready.stderr
    with running(home, f"sqlite:///{home / 'selects.db'}") as service:
        migrate(service.resources.engine)
        nobody = selects("token", "create", home=home)
        assert (nobody.returncode, nobody.stdout) == (2, "")
        assert "--admin" in nobody.stderr
        made = selects("token", "create", "--admin", "--days", "1", "--name", "set up", home=home)
        assert made.returncode == 0, made.stderr
        (secret,) = made.stdout.splitlines()
        assert secret not in made.stderr
        client = service.client(secret)
        assert client.get("/api/session").json()["person"] == {"id": 1, "name": "owner", "superuser": True}
        assert client.get("/api/tokens").json()["items"][0]["name"] == "set up"
        again = selects("token", "create", "--person", "Ada", "--admin", home=home)
        assert service.client(again.stdout.strip()).get("/api/session").json()["person"]["name"] == "Ada"
