"""What every request passes before any route sees it: other sites are kept out, links sign in, strangers wait outside.

All that is not listed in OPEN is closed to strangers, before a byte of what they send is read: a page or a route that
is added is one behind the gate. Which role a person needs, routes say themselves.
"""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.answers import answer, error_answer
from backend.errors import NotAllowed, NotSignedIn, SelectsError
from backend.members.launch import is_loopback
from backend.members.signin import (
    COOKIE,
    PRINCIPAL,
    bearer,
    client_address,
    find_principal,
    known_principal,
    open_session,
    person_of_cookie,
    set_cookie,
    sign_in,
)
from backend.resources import Resources
from backend.settings import Settings

OPEN = frozenset(
    {
        "/signin",
        "/join",
        "/health",
        "/ready",
        "/metrics",
        "/docs",
        "/docs/oauth2-redirect",
        "/redoc",
        "/openapi.json",
        "/favicon.ico",
    }
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LAUNCH = "token"
SIGN_IN = "/api/session"


class Gate:
    """The middleware. `app` is what lies behind it."""

    def __init__(self, app: ASGIApp, resources: Resources) -> None:
        self._app = app
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(HTTPConnection(scope))
        if scope.get("method") == "HEAD" and scope["path"] in OPEN:
            # Monitors ask so. The server sends no body to them, whatever it is given.
            scope = {**scope, "method": "GET"}
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _refusal(self, request: HTTPConnection) -> Response | None:
        try:
            require_own_site(request, self._resources.settings)
            if _is_launch(request):
                return await run_in_threadpool(self._launch, request)
            if not _is_open(request):
                who = known_principal(request, self._resources)
                who = who or await run_in_threadpool(find_principal, request, self._resources)
                request.scope.setdefault("state", {})[PRINCIPAL] = who
        except NotSignedIn as error:
            return _to_sign_in(request) or error_answer(error)
        except SelectsError as error:
            return error_answer(error)
        except OperationalError:
            return answer(503, "DatabaseUnready", "The database does not answer; try again in a moment.")
        return None

    def _launch(self, request: HTTPConnection) -> Response:
        """To the same address without the token: signed in if it is one, else as before."""
        pairs = _query(request)
        rest = urlencode([pair for pair in pairs if pair[0] != LAUNCH])
        onward = RedirectResponse(_path(request) + (f"?{rest}" if rest else ""), status_code=303)
        onward.headers["Cache-Control"] = "no-store"
        settings = self._resources.settings
        if not settings.security.authentication:
            return onward
        with Session(self._resources.reading) as session:
            if person_of_cookie(session, request.cookies.get(COOKIE, "")):
                return onward
            try:
                person = sign_in(session, self._resources, client_address(request), dict(pairs)[LAUNCH])
            except NotSignedIn:
                return onward
        with Session(self._resources.engine) as session:
            set_cookie(onward, request, settings, open_session(session, person, settings))
        return onward


def require_own_site(request: HTTPConnection, settings: Settings) -> None:
    """Raise NotAllowed for what another site's page has a browser do here.

    Browsers say where an unsafe request comes from: Sec-Fetch-Site, or Origin alone where the address is no https.
    Programs say neither, and have no cookie; and no other site's page can send an Authorization header. Where
    authentication is off, the host must be this machine's too: a name that another site points at 127.0.0.1 would make
    its pages ours.
    """
    host = request.headers.get("host", "").lower()
    public = urlsplit(settings.server.public_url).netloc.lower()
    if not settings.security.authentication:
        if host != public and not is_loopback(_without_port(host)):
            raise NotAllowed("Authentication is off, so this server answers to localhost only.")
    elif bearer(request) is not None:
        return
    if request.scope["type"] == "http" and request.scope["method"] in SAFE_METHODS:
        return
    said, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if said in ("same-origin", "none") or (said is None and origin is None):
        return
    if said is None and origin and _host_of(origin) in {host, public} - {""}:
        return
    raise NotAllowed("This request comes from another site's page; open this one itself.")


def _is_launch(request: HTTPConnection) -> bool:
    path = request.scope["path"]
    if request.scope["type"] != "http" or request.scope["method"] != "GET" or path == "/join" or _is_api(path):
        return False
    return any(name == LAUNCH for name, _ in _query(request))


def _is_open(request: HTTPConnection) -> bool:
    path = request.scope["path"]
    return path in OPEN or (path == SIGN_IN and request.scope.get("method") == "POST")


def _is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def _to_sign_in(request: HTTPConnection) -> Response | None:
    if request.scope["type"] != "http" or request.scope["method"] != "GET" or _is_api(request.scope["path"]):
        return None
    if "text/html" not in request.headers.get("accept", ""):
        return None
    query = urlencode(_query(request))
    wanted = _path(request) + (f"?{query}" if query else "")
    return RedirectResponse("/signin" if wanted == "/" else f"/signin?next={quote(wanted, safe='')}", status_code=303)


# From the scope: `request.url` is put together with the Host header, in which anyone may write a path of their own.
def _query(request: HTTPConnection) -> list[tuple[str, str]]:
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _path(request: HTTPConnection) -> str:
    # An address that begins with two slashes would lead to another host.
    return "/" + quote(request.scope["path"].lstrip("/\\"), safe="/:@!$&'()*+,;=~-._")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin.lower()).netloc
    except ValueError:
        return ""


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
