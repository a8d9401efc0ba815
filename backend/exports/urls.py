r"""Files as addresses, on whatever system the editor has: `/Volumes/…`, `E:\…`, `\\server\share\…`."""

import re
from urllib.parse import quote, unquote, urlsplit

DRIVE = re.compile(r"^/?[A-Za-z]:[\\/]")


def file_url(path: str, host: str = "") -> str:
    """`file:///Volumes/A%20B/film.mov`. `host` is what stands for this machine: nothing, or `localhost`."""
    if path.startswith("\\\\"):
        return "file:" + _quoted(path.replace("\\", "/"))
    if DRIVE.match(path):
        path = "/" + path.replace("\\", "/").lstrip("/")
    return f"file://{host}" + _quoted(path if path.startswith("/") else f"/{path}")


def path_of(url: str) -> str:
    """The path of a file's address, with drive or server; what is no address is a path already."""
    if not url.lower().startswith("file:"):
        return url
    parts = urlsplit(url)
    path = unquote(parts.path, errors="surrogateescape")
    if DRIVE.match(path):
        return path.lstrip("/").replace("/", "\\")
    if parts.netloc not in ("", "localhost"):
        return f"\\\\{parts.netloc}{path}".replace("/", "\\")
    return path


def _quoted(path: str) -> str:
    # Bytes, since names of files need not be text.
    return quote(path.encode("utf-8", "surrogateescape"), safe="/:")
