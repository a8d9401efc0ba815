"""Secrets: made at random, shown once, stored as their sha256 (256 random bits need no slow hash), kept out of logs."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

SECRET_BYTES = 32
PREFIX = "slc_"
HIDDEN = "…"

# Our own secrets wherever they stand, then others' where they usually stand: addresses, headers.
_SECRETS = (
    (re.compile(rf"{PREFIX}[\w-]{{8,}}"), PREFIX + HIDDEN),
    (re.compile(r"([?&;](?:token|secret|password)=)[^&\s\"'#]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(authorization['\"]?\s*[:=,]\s*b?['\"]?\w+\s+)[^\s'\",]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(bearer\s+)[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(selects_session=)[^;\s\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+(?=@)"), rf"\1{HIDDEN}"),
)
_NAMES = frozenset({"authorization", "cookie", "password", "secret", "set-cookie", "token"})


def new_secret() -> str:
    """A random secret of 256 bits that fits into a header and a link, and is known by its beginning."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hashed(secret: str) -> str:
    """What is stored of a secret, and looked up by."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def redact(text: str) -> str:
    """The text without secrets: ours anywhere, others' in `?token=`, in Authorization headers and in addresses."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def redact_event(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The same for whatever structlog logs: a processor, to stand after those that render exceptions."""
    return {name: HIDDEN if name.lower() in _NAMES and value else _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_event(None, "", {str(name): each for name, each in value.items()})
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    if value is None or isinstance(value, int | float):
        return value
    said = str(value)
    return value if redact(said) == said else redact(said)
