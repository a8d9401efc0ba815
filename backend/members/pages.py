"""The two doors: /signin takes a token, /join an invitation. Plain pages without scripts; both open to strangers."""

from functools import cache
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from backend.dependencies import ReadSession, ResourcesDep, WriteSession
from backend.errors import InputError, NotFound, SelectsError, TooLarge, TooManyAttempts
from backend.members.invitations import USED_UP, accept, invitation_with
from backend.members.models import Person
from backend.members.service import Principal
from backend.members.signin import client_address, find_principal, open_session, set_cookie, sign_in
from backend.resources import Resources

LARGEST_FORM_BYTES = 16_384
# A referrer policy of "no-referrer" would take the Origin header from our own forms too.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
}

router = APIRouter(include_in_schema=False)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM_BYTES:
            raise TooLarge
    return dict(parse_qsl(body.decode(errors="replace")))


FormDep = Annotated[dict[str, str], Depends(_form)]


@router.get("/signin")
def signin_page(request: Request, resources: ResourcesDep, next: str = "/") -> Response:  # noqa: A002  its name in the address
    """A form for a token; who is signed in goes on."""
    if _signed_in(request, resources):
        return RedirectResponse(_local(next), status_code=303)
    return _page("Sign in", signing_in=True, onward=_local(next))


@router.post("/signin")
def signin(request: Request, form: FormDep, session: WriteSession, resources: ResourcesDep) -> Response:
    """Sign the browser in and go on to `next`."""
    onward = _local(form.get("next", "/"))
    try:
        person = sign_in(session, resources, client_address(request), form.get("token", "").strip())
    except InputError as error:
        return _page("Sign in", error=error, signing_in=True, onward=onward)
    return _enter(request, resources, session, person, onward)


@router.get("/join")
def join_page(request: Request, session: ReadSession, resources: ResourcesDep, token: str = "") -> Response:
    """What the invitation is to, and a button: looking at a link, as previews do, does not use it up."""
    address = client_address(request)
    try:
        resources.failed_logins.check(address)
    except TooManyAttempts as error:
        return _page("Invitation", error=error)
    found = invitation_with(session, token)
    if found is None:
        resources.failed_logins.failed(address)
        return _page("Invitation", error=NotFound(USED_UP))
    invitation, project = found
    return _page("Invitation", invitation=invitation, project=project, secret=token)


@router.post("/join")
def join(request: Request, form: FormDep, session: WriteSession, resources: ResourcesDep) -> Response:
    """Use the invitation up, make its person a member, and sign the browser in as them."""
    address, known = client_address(request), _signed_in(request, resources)
    try:
        resources.failed_logins.check(address)
        person = accept(session, form.get("token", ""), known)
    except NotFound as error:
        resources.failed_logins.failed(address)
        return _page("Invitation", error=error)
    except InputError as error:
        return _page("Invitation", error=error)
    return _enter(request, resources, session, person, "/")


def _enter(request: Request, resources: Resources, session: Session, person: Person, onward: str) -> Response:
    response = RedirectResponse(onward, status_code=303, headers={"Cache-Control": "no-store"})
    set_cookie(response, request, resources.settings, open_session(session, person, resources.settings))
    return response


def _signed_in(request: Request, resources: Resources) -> Principal | None:
    try:
        return find_principal(request, resources)
    except InputError:
        return None


def _local(address: str) -> str:
    """The address if it is one of ours, else the first page."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if ours else "/"


def _page(title: str, *, error: SelectsError | None = None, **shown: Any) -> HTMLResponse:
    text = _template().render(title=title, problem=error.detail if error else "", **shown)
    headers = HEADERS | (error.headers if error else {})
    return HTMLResponse(text, status_code=error.status if error else 200, headers=headers)


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("backend.members", "."), autoescape=True).get_template("door.html.j2")
