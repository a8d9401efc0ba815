"""No secret in a log; tokens from the command line."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from backend.database import make_engine
from backend.migrations.run import migrate
from backend.security import new_secret, redact, redact_event
from tests.command import ROOT, environment, selects
from tests.ports import free_port
from tests.service import running

SECRET = new_secret()
LIMIT_S = 180


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
    ids=lambda text: text.replace(SECRET, "SECRET"),  # every process of the tests has another one
)
def test_secrets_are_taken_out_and_nothing_else(said: str, kept: str) -> None:
    assert redact(said) == kept


def test_events_of_structlog_hold_no_secret() -> None:
    event = {"event": f"?token={SECRET}", "headers": {"Authorization": "Bearer x", "host": "h"}, "job": 3, "token": ""}
    kept = {"event": "?token=…", "headers": {"Authorization": "…", "host": "h"}, "job": 3, "token": ""}
    assert redact_event(None, "", event) == kept


SERVER = """
import logging, sys, uvicorn
from backend.logs import set_up_logs
from backend.settings import load_settings
from backend.app import create_app

set_up_logs("server")
app = create_app(load_settings())

@app.get("/favicon.ico")
def broken(secret: str) -> None:
    raise ValueError(f"no such thing: {secret}")

server = uvicorn.Server(uvicorn.Config(app, port=int(sys.argv[1]), log_config=None, lifespan="off"))
logging.getLogger("uvicorn.access").setLevel(logging.INFO)
server.run()
"""


def test_the_servers_log_holds_no_secret(tmp_path: Path) -> None:
    """As `selects serve` logs, but with the access log that it leaves to the proxy, and an error that says a secret."""
    migrate(make_engine(f"sqlite:///{tmp_path / 'selects.db'}"))
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    with subprocess.Popen(command, env=environment(tmp_path), cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        try:
            for path, status in (("/signin?x=1&token", 200), ("/favicon.ico?secret", 500)):
                asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}={SECRET}")
                asked.add_header("Authorization", f"Bearer {SECRET}")
                assert answered(asked) == status
        finally:
            server.terminate()
            _, said = server.communicate(timeout=LIMIT_S)
    lines = [json.loads(line) for line in said.splitlines()]
    assert any("GET /signin?x=1&token=… HTTP/1.1" in line["event"] for line in lines), said
    assert any("ValueError: no such thing: slc_…" in line.get("exception", "") for line in lines), said
    assert SECRET not in said


def answered(asked: urllib.request.Request) -> int:
    """The status of the answer, from a server that may just be starting."""
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(asked) as answer:
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            assert time.monotonic() < until
            time.sleep(0.1)


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
