"""Secrets: made at random, shown once, stored as their sha256 (they have 256 bits, so that no slow hash is needed)."""

import hashlib
import secrets

SECRET_BYTES = 32


def new_secret() -> str:
    """A random secret of 256 bits that fits into a header and a link."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hashed(secret: str) -> str:
    """What is stored of a secret, and looked up by."""
    return hashlib.sha256(secret.encode()).hexdigest()
