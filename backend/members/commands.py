"""`selects token`: tokens from the machine that holds the database."""

import sys
from typing import Annotated

import typer

from backend.errors import InputError

LONGEST_DAYS = 3650

token_app = typer.Typer(no_args_is_help=True, help="Tokens to sign in with.")


@token_app.callback()
def token() -> None:
    """Tokens to sign in with."""


@token_app.command("create")
def create(
    admin: Annotated[
        bool, typer.Option("--admin", help="Make the person superuser: admin of every project. The first is `owner`.")
    ] = False,
    name: Annotated[str, typer.Option(metavar="NAME", help="What the token is for.")] = "command line",
    person: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose token (default: the first superuser).")
    ] = None,
    days: Annotated[
        float | None, typer.Option(metavar="DAYS", help="How long it works (default: until it is revoked).")
    ] = None,
) -> None:
    """Make a token and print it, this once."""
    from sqlmodel import Session

    from backend.members.tokens import create_token, person_for_token
    from backend.opened import library_opened

    name, person = _name(name), _name(person) if person is not None else None
    if days is not None and not 0 < days <= LONGEST_DAYS:
        raise InputError(f"--days is more than 0 and at most {LONGEST_DAYS}.")
    with library_opened() as resources, Session(resources.engine) as session:
        whose = person_for_token(session, person, admin=admin)
        _token, secret = create_token(session, whose.id or 0, name, days)
        sys.stderr.write(f"A token of {whose.name}; it is shown this once:\n")
    sys.stdout.write(f"{secret}\n")


def _name(text: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from backend.members.shapes import LONGEST_NAME, Name

    try:
        name: str = TypeAdapter(Name).validate_python(text)
    except ValidationError:
        raise InputError(f"{text!r} is no name: it has 1 to {LONGEST_NAME} letters that can be seen.") from None
    return name
