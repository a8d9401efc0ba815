"""What every request passes: signing in and out, launch link, other sites, failed logins, where to listen."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.websockets import WebSocketDisconnect

from backend.database import utc_now
from backend.errors import InputError
from backend.members.launch import close_launch_links, open_launch_link, require_safe_binding
from backend.members.models import ApiToken, WebSession
from backend.members.signin import COOKIE
from backend.members.throttle import FailedLogins
from backend.settings import Settings
from tests.service import Service, running

BROWSER = {"accept": "text/html,*/*"}


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    with running(tmp_path / "home", database_url, security={"failed_logins_per_minute": 3}) as found:
        yield found


# --- sessions


def test_signing_in_and_out(service: Service) -> None:
    browser = service.client()
    assert browser.get("/api/session").status_code == 401
    signed_in = browser.post("/api/session", json={"token": service.token("Ada")})
    assert signed_in.json()["person"]["name"] == "Ada"
    assert browser.get("/api/session").json() == signed_in.json()
    copied = browser.cookies[COOKIE]
    assert browser.delete("/api/session").status_code == 204
    assert COOKIE not in browser.cookies
    assert service.client(cookies={COOKIE: copied}).get("/api/session").status_code == 401


def test_a_session_ends_by_itself(service: Service) -> None:
    browser = service.client()
    browser.post("/api/session", json={"token": service.token("Ada")})
    with service.session() as session:
        session.execute(update(WebSession).values(expires_at=utc_now() - timedelta(seconds=1)))
        session.commit()
    assert browser.get("/api/session").status_code == 401


@pytest.mark.parametrize(
    ("base", "public", "secure"),
    [
        ("http://selects.test", "", False),
        ("https://selects.test", "", True),
        ("http://inside", "https://selects.test", True),
    ],
)
def test_cookies_are_secure_where_people_come_by_https(
    tmp_path: Path, database_url: str, base: str, public: str, secure: bool
) -> None:
    with running(tmp_path / "home", database_url, server={"public_url": public}) as service:
        answer = service.client(base_url=base).post("/api/session", json={"token": service.token()})
        assert ("; secure" in answer.headers["set-cookie"].lower()) is secure


def test_pages_lead_strangers_to_the_sign_in_form_and_back(service: Service) -> None:
    browser = service.client(headers=BROWSER)
    sent = browser.get("/films/3?tab=shots")
    assert (sent.status_code, sent.headers["location"]) == (303, "/signin?next=%2Ffilms%2F3%3Ftab%3Dshots")
    form = browser.get(sent.headers["location"])
    assert 'value="/films/3?tab=shots"' in form.text
    wrong = browser.post("/signin", data={"token": "slc_wrong", "next": "/films/3"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert "not known" in wrong.text
    right = browser.post("/signin", data={"token": service.token("Ada"), "next": "/films/3"})
    assert (right.status_code, right.headers["location"]) == (303, "/films/3")
    assert browser.get("/films/3").status_code == 404  # there is no such page, but the gate is open
    assert browser.get("/signin").headers["location"] == "/"


@pytest.mark.parametrize("onward", ["https://evil.test/", "//evil.test/", "/\\evil.test/", "javascript:alert(1)", ""])
def test_signing_in_leads_to_no_other_site(service: Service, onward: str) -> None:
    answer = service.client().post("/signin", data={"token": service.token(), "next": onward})
    assert answer.headers["location"] == "/"


def test_a_host_header_opens_no_page(service: Service) -> None:
    for host in ("selects.test/api/", "selects.test/signin?", "selects.test#"):
        assert service.client(headers={"host": host}).get("/films/3").status_code == 401


def test_a_stranger_gets_no_websocket(service: Service) -> None:
    stranger = service.client()
    with pytest.raises(WebSocketDisconnect) as closed, stranger.websocket_connect("/_nicegui_ws/socket.io"):
        pass
    assert closed.value.code == 1008


# --- the launch link


def test_the_launch_link_signs_in_until_it_is_closed(service: Service) -> None:
    with service.session() as session:
        secret = open_launch_link(session, "up on this machine")
    browser, late = service.client(headers=BROWSER), service.client(headers=BROWSER)
    opened = browser.get("/", params={"x": "1 2", "token": secret})
    assert (opened.status_code, opened.headers["location"]) == (303, "/?x=1+2")
    assert secret not in str(opened.headers)
    me = browser.get("/api/session").json()["person"]
    assert (me["name"], me["superuser"]) == ("owner", True)
    with service.session() as session:
        close_launch_links(session, "up on this machine")
    refused = late.get("/", params={"token": secret})
    assert (refused.status_code, refused.headers["location"], "set-cookie" in refused.headers) == (303, "/", False)
    assert late.get("/api/session").status_code == 401
    assert browser.get("/api/session").status_code == 200
    assert browser.get("/", params={"token": secret}).headers["location"] == "/"


def test_a_new_start_closes_the_link_that_a_killed_one_left(service: Service) -> None:
    with service.session() as session:
        left = open_launch_link(session, "up")
        other = open_launch_link(session, "up elsewhere")
        new = open_launch_link(session, "up")
    answers = [service.client().get("/films", params={"token": secret}) for secret in (left, other, new)]
    assert ["set-cookie" in answer.headers for answer in answers] == [False, True, True]


def test_a_link_leads_to_no_other_host(service: Service) -> None:
    answer = service.client().get(f"{service.client().base_url}//evil.test/?token=slc_x")
    assert answer.headers["location"] == "/evil.test/"


# --- other sites


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.test"}, False),
        ({"sec-fetch-site": "same-site", "origin": "http://other.selects.test"}, False),
        ({"origin": "http://selects.test"}, True),
        ({"origin": "http://selects.test:81"}, False),
        ({"origin": "https://evil.test"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
    ],
    ids=str,
)
def test_other_sites_cannot_use_a_browsers_cookie(service: Service, headers: dict[str, str], allowed: bool) -> None:
    browser = service.client()
    browser.post("/api/session", json={"token": service.token()})
    made = browser.post("/api/tokens", json={"name": "x"}, headers=headers)
    assert made.status_code == (201 if allowed else 403)
    assert browser.get("/api/session", headers=headers).status_code == 200
    assert service.client().post("/join", data={}, headers=headers).status_code == (404 if allowed else 403)
    if not allowed:
        assert made.json()["error"] == "NotAllowed"
        scripted = service.client(service.token()).post("/api/tokens", json={"name": "x"}, headers=headers)
        assert scripted.status_code == 201


def test_the_address_that_people_type_is_the_own_site(tmp_path: Path, database_url: str) -> None:
    with running(tmp_path / "home", database_url, server={"public_url": "https://selects.example"}) as service:
        browser = service.client()
        wanted: Any = {"json": {"token": service.token()}}
        for origin, status in (("https://selects.example", 200), ("https://selects.example.evil.test", 403)):
            assert browser.post("/api/session", headers={"origin": origin}, **wanted).status_code == status


def test_without_authentication_only_this_machine_is_served(tmp_path: Path, database_url: str) -> None:
    with running(tmp_path / "home", database_url, security={"authentication": False}) as service:
        for host in ("localhost:8600", "127.0.0.1:8600", "[::1]:8600"):
            me = service.client(base_url=f"http://{host}").get("/api/session").json()
            assert me["person"]["name"] == "owner"
        # What a page can do whose name was pointed at 127.0.0.1, with any header it likes.
        rebound = service.client("slc_any", base_url="http://evil.test").get("/api/session")
        assert rebound.status_code == 403
        local = service.client("slc_any", base_url="http://localhost")
        assert local.post("/api/tokens", json={"name": "x"}, headers={"origin": "http://evil.test"}).status_code == 403
        assert local.post("/api/tokens", json={"name": "x"}).status_code == 201


# --- failed logins


def test_failed_logins_are_limited_by_address(service: Service) -> None:
    good = service.token("Ada")
    guesser = service.client()
    for _ in range(3):
        assert guesser.post("/api/session", json={"token": "slc_guess"}).status_code == 401
    ways = (
        lambda client: client.post("/api/session", json={"token": good}),
        lambda client: client.post("/signin", data={"token": good}),
        lambda client: client.post("/join", data={"token": "slc_guess"}),
        lambda client: client.get("/join", params={"token": "slc_guess"}),
        lambda client: client.get("/", params={"token": "slc_guess"}),
        lambda client: client.get("/api/session", headers={"Authorization": "Bearer slc_guess"}),
        lambda client: client.get("/api/session", headers={"Authorization": f"Bearer {good}"}),
    )
    for way in ways:
        refused = way(service.client())
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
    assert set(ways[0](guesser).json()) == {"error", "detail"}
    assert ways[0](guesser).json()["error"] == "TooManyAttempts"
    assert ways[0](service.client(address="192.0.2.2")).status_code == 200


def test_a_token_that_this_process_has_not_seen_is_a_guess_like_others(service: Service) -> None:
    """Also where another process has just marked it as used, so that nothing is left to be written down."""
    good = service.token("Ada")
    with service.session() as session:
        session.execute(update(ApiToken).values(used_at=utc_now()))
        session.commit()
    for _ in range(3):
        assert service.client("slc_guess").get("/api/session").status_code == 401
    assert service.client(good).get("/api/session").status_code == 429
    elsewhere = service.client(good, address="192.0.2.2")
    assert elsewhere.get("/api/session").status_code == 200
    assert service.client(good).get("/api/session").status_code == 200, "it was good lately"


def test_a_script_that_runs_is_not_stopped_by_its_neighbours_failures(service: Service) -> None:
    script = service.client(service.token("Ada"))
    made = script.post("/api/tokens", json={"name": "x"}).json()
    browser = service.client()
    browser.post("/api/session", json={"token": made["secret"]})
    assert service.client(made["secret"]).get("/api/session").status_code == 200
    for _ in range(5):
        service.client("slc_guess").get("/api/session")
    assert service.client("slc_guess").get("/api/session").status_code == 429
    assert script.get("/api/session").status_code == 200
    assert browser.get("/api/session").status_code == 200
    assert script.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert service.client(made["secret"]).get("/api/session").status_code == 429


def test_failures_are_forgotten_after_a_minute_and_counted_by_network() -> None:
    now = 0.0
    logins = FailedLogins(2, clock=lambda: now)
    for address in ("2001:db8::1", "2001:db8::2"):
        logins.check(address)
        logins.failed(address)
    with pytest.raises(InputError, match="60 seconds"):
        logins.check("2001:db8::3")
    logins.check("2001:db8:0:1::1")
    logins.check("192.0.2.1")
    now = 59.5
    with pytest.raises(InputError, match="1 seconds"):
        logins.check("2001:db8::3")
    now = 60.0
    logins.check("2001:db8::3")


# --- where to listen


def test_the_server_listens_to_others_only_where_somebody_can_sign_in(service: Service, tmp_path: Path) -> None:
    def check(host: str, *, authentication: bool = True) -> None:
        settings = Settings(home=tmp_path, server={"host": host}, security={"authentication": authentication})
        with service.session() as session:
            require_safe_binding(settings, session)

    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        check(host, authentication=False)
    for host in ("0.0.0.0", "::", "", "192.0.2.1", "films.example", "localhost.example"):
        with pytest.raises(InputError, match="Authentication is off"):
            check(host, authentication=False)
        with pytest.raises(InputError, match="selects token create --admin"):
            check(host)
    service.token("Ada")
    with pytest.raises(InputError, match="Nobody could sign in"):
        check("0.0.0.0")
    service.token()
    check("0.0.0.0")
    with service.session() as session:
        session.execute(update(ApiToken).values(expires_at=utc_now()))
        session.commit()
    with pytest.raises(InputError, match="Nobody could sign in"):
        check("0.0.0.0")
