"""One tree of errors; each class's docstring is the sentence a person meets when no better one is given.

SelectsError
├── InputError            the file or the value handed in is wrong          422, exit code 2
│   ├── FilmUnreadable    nothing of this file can be analysed
│   ├── SchemaMismatch    a vector or model of another feature schema
│   └── UnknownName       not one of the listed names
├── MissingWeights        a pretrained model's weights are not here         503, exit code 2
└── OutputError           the result cannot be written                      507, exit code 2
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


class MissingWeights(SelectsError):
    """The weights of a pretrained model are not on this machine."""

    status = 503


class OutputError(SelectsError):
    """The result cannot be written."""

    status = 507
