"""One tree of errors; each class's docstring is the sentence a person meets when no better one is given.

SelectsError
├── InputError            the file or the value handed in is wrong          422, exit code 2
│   ├── FilmUnreadable    nothing of this file can be analysed
│   ├── SchemaMismatch    a vector or model of another feature schema
│   ├── UnknownName       not one of the listed names
│   ├── NotFound          there is no such thing, or not for who asks           404
│   ├── Conflict          it is there already, or another state is needed       409
│   │   └── ExportRefused  a clip list may not leave, or not in this format
│   ├── NotAllowed        signed in, but this role may not                      403
│   ├── NotSignedIn       no token, or none that is known                       401
│   ├── TooManyAttempts   too many failed logins from this address              429
│   └── TooLarge          more than the limit                                   413
├── MissingWeights        a pretrained model's weights are not here         503, exit code 2
├── Unavailable           a part of the service does not answer             503, exit code 2
│   └── DatabaseUnready   no database, or one of another version
├── OutputError           the result cannot be written                      507, exit code 2
└── Stopped               who asked for the work asked for its end          409, exit code 130
"""

from collections.abc import Iterable


class SelectsError(Exception):
    """Selects could not do this."""

    status = 500
    exit_code = 2

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or (type(self).__doc__ or "").split("\n")[0])

    @property
    def detail(self) -> str:
        """One sentence a person can act on."""
        return str(self)

    @property
    def headers(self) -> dict[str, str]:
        """What the service's answer says besides."""
        return {}


class InputError(SelectsError):
    """The input is not usable."""

    status = 422


class FilmUnreadable(InputError):
    """This file cannot be read as a film."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Cannot read {name!r}: {reason}.")


class SchemaMismatch(InputError):
    """The model was trained on another feature schema than these vectors have."""


class UnknownName(InputError):
    """This name is not known."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"Unknown {kind} {name!r}; known: {', '.join(sorted(known))}.")


class NotFound(InputError):
    """There is no such thing here."""

    status = 404


class Conflict(InputError):
    """This cannot be done in the state that it is in."""

    status = 409


class ExportRefused(Conflict):
    """The list cannot be exported as it is."""


class NotAllowed(InputError):
    """Your role does not allow this."""

    status = 403


class NotSignedIn(InputError):
    """Sign in, or send a token: `Authorization: Bearer …`."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class TooManyAttempts(InputError):
    """Too many failed logins from this address; try again in a minute."""

    status = 429

    def __init__(self, retry_after_s: int = 60) -> None:
        super().__init__(f"Too many failed logins from this address; try again in {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_s)}


class TooLarge(InputError):
    """This is larger than the limit."""

    status = 413


class MissingWeights(SelectsError):
    """The weights of a pretrained model are not on this machine."""

    status = 503


class Unavailable(SelectsError):
    """A part of the service does not answer."""

    status = 503


class DatabaseUnready(Unavailable):
    """The database is not ready."""


class OutputError(SelectsError):
    """The result cannot be written."""

    status = 507


class Stopped(SelectsError):
    """This was stopped before it was done."""

    status = 409
    exit_code = 130
